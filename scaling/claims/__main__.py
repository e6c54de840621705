"""``python -m scaling.claims``: record what our code computes from the downloaded sets of runs."""

from . import record

print(record())
