"""From the rows of a file to one row a run: derive columns, choose rows, take the best of a sweep."""
