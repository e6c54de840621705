"""What to train with a budget, and which runs to add first."""

from .next_runs import NextRuns, suggest_runs
from .training import Plan, plan_training

__all__ = ["NextRuns", "Plan", "plan_training", "suggest_runs"]
