"""Anybody's file as a table of runs: columns and units are recognised, and all that was done is said."""
