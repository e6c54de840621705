"""What a class is given: a kit of notebooks, slides, figures, data and handouts, made from the chapters."""
