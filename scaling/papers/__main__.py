"""``python -m scaling.papers``: record what our code computes from the downloaded sets of runs."""

from . import record

print(record())
