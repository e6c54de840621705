"""A book of chapters: ours, or those that take runs on a table of yours."""
