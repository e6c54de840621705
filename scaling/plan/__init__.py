"""What to train with a budget, and which runs to add first."""

from .between import BetweenLaws, compare_plans
from .equal_compute import EqualCompute, suggest_group
from .ladder import plan_ladder
from .next_runs import NextRuns, suggest_runs
from .precedent import already_reached
from .training import Plan, plan_training

__all__ = [
    "BetweenLaws",
    "EqualCompute",
    "NextRuns",
    "Plan",
    "already_reached",
    "compare_plans",
    "plan_ladder",
    "plan_training",
    "suggest_group",
    "suggest_runs",
]
