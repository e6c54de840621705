"""What a table of runs answers: the best size for a budget, how far to trust it, and what would make it surer."""

from __future__ import annotations

import warnings
from dataclasses import asdict, dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
import pandas as pd

from .._words import format_count
from ..diagnostics.approaches import Approaches, compare_approaches
from ..diagnostics.discrepancy import find_discrepancy
from ..diagnostics.inspection import Inspection, inspect_runs
from ..diagnostics.ruling import Ruling, rule_on
from ..errors import FitError, RunsWarning
from ..fit.certainty import ELSEWHERE, FACTOR, missed, missed_elsewhere
from ..fit.parametric import fit_parametric
from ..fit.result import Fit
from ..optimum.allocation import compute_optimal
from ..plan.between import BetweenLaws, compare_plans
from ..plan.ladder import plan_ladder
from ..plan.misread import misread_budget
from ..plan.next_runs import suggest_runs
from ..plan.training import FAR, Plan, plan_training
from ..runs.curves import row_weights
from ..runs.meter import find_meter
from ..uncertainty.resampling import Bootstrap
from ..uncertainty.subsampling import subsampled_bootstrap
from .wording import factor

__all__ = ["AGAINST", "FOR", "UNKNOWN", "Answers", "Question"]

#: level of all intervals
LEVEL = 0.95
#: without a budget, so many times the compute of the most expensive run
TIMES = 10.0
#: columns of which the least and the most are told
RANGES = ("params", "tokens", "flops", "loss")
#: the kinds of answers: a number with its interval, an interval alone, none
NUMBER, RANGE, NOTHING = "number", "range", "nothing"
#: why there is no interval
UNTOLD = "in a part of the resampled tables there is no best size, so that its interval is not known"
#: why two laws together leave open what one alone settles
OVER = f"with its two terms added or coupled, the law does not know the best size within a factor of {FACTOR:g}"
WIDE = f"the approach to follow does not know the best size within a factor of {FACTOR:g}"
#: what a check says of an answer
FOR, AGAINST, UNKNOWN = "for", "against", "cannot say"
#: runs to add, at most, and what one and all of them may cost, over the most expensive run
MORE, ONE, ALL = 3, 1.0, 3.0


@dataclass(frozen=True)
class Question:
    """What is asked of a table, and by how many resamples it is answered."""

    flops: float | None = None
    inference_tokens: float | None = None
    n_resamples: int = 1000
    seed: int = 0
    backend: str | None = None


@dataclass(frozen=True)
class Answers:
    """The approaches on a table, and what follows from them for the budget that is asked about."""

    runs: pd.DataFrame
    curves: pd.DataFrame | None
    question: Question

    @property
    def flops(self) -> float:
        """The budget: as asked, or a multiple of the most expensive run's."""
        return self.question.flops or TIMES * float(self.runs["flops"].max())

    @cached_property
    def looked(self) -> Inspection:
        """What was noticed in the table."""
        return inspect_runs(self.runs if self.curves is None else self.curves, ())

    @cached_property
    def found(self) -> Approaches:
        """The three approaches."""
        asked = self.question
        return compare_approaches(self.runs, self.curves, asked.n_resamples, asked.seed, asked.backend)

    @cached_property
    def ruling(self) -> Ruling:
        """Which of them to follow."""
        return rule_on(self.found, self.flops, LEVEL)

    @cached_property
    def plan(self) -> Plan | str:
        """The plan by approach 3, or why there is none."""
        if 3 not in self.found.bootstraps:
            return self.found.reasons[3]
        return self._plan(self.found.bootstraps[3], self.question.inference_tokens)

    def _plan(self, boot: Bootstrap, served: float | None = None) -> Plan | str:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RunsWarning)  # the report says how far the budget lies from the runs
            try:
                return plan_training(boot, self.flops, served, level=LEVEL)
            except FitError as error:
                return str(error)

    def at(self, flops: float) -> Answers:
        """The same for another budget; what does not depend on it is not computed again."""
        other = replace(self, question=replace(self.question, flops=flops))
        kept = {"found": self.found, "looked": self.looked, "coupled": self.coupled}
        other.__dict__.update(kept)  # where cached_property keeps them
        return other

    def brief(self) -> dict[str, Any]:
        """The budget, how far it lies from the runs, and the answer."""
        ranges = {name: (float(each.min()), float(each.max())) for name, each in self.runs[list(RANGES)].items()}
        about = {"flops": self.flops, "asked": self.question.flops is not None, "level": LEVEL, "ranges": ranges}
        return about | {"reach": self.flops / ranges["flops"][1]} | self._answer()

    def record(self) -> dict[str, Any]:
        """All of it, for ``summary.json`` and the report."""
        answer = self.brief()
        return {
            **answer,
            "inference_tokens": self.question.inference_tokens,
            "ruling": asdict(self.ruling),
            "checks": [] if answer["kind"] == NOTHING else self._checks(answer["why"]),
            "plan": self._plan_record(),
            "next_runs": self._next_runs(),
        }

    def _answer(self) -> dict[str, Any]:
        """The kind of answer, the approach that it rests on, and size, tokens and loss as (estimate, low, high)."""
        if self.looked.pooled:
            return {"kind": NOTHING, "approach": None, "why": "; ".join(each.words for each in self.looked.pooled)}
        follow, plan = self.ruling.follow, self.plan
        if words := self._misread():
            return {"kind": NOTHING, "approach": None, "why": words}
        if not self.found.bootstraps:
            return {"kind": NOTHING, "approach": None, "why": self.ruling.rule}
        if follow is None:
            size = (None, self.ruling.low, self.ruling.high)
            return {"kind": RANGE, "approach": None, "why": self.ruling.rule, "params": size} | self._tokens_of(size)
        if follow != 3:
            best = self._by_frontier(follow)
            known = _is_known(best["params"])
            why = self.ruling.rule if known else WIDE if np.isfinite(best["params"]).all() else UNTOLD
            return {"kind": NUMBER if known else RANGE, "approach": follow, "why": why, **best}
        if isinstance(plan, str):
            return {"kind": NOTHING, "approach": None, "why": plan}
        rows = plan.allocation.loc["compute-optimal"]
        names = ["params", "tokens", "tokens_per_param", "loss", "loss_of_a_run"]
        best = {name: tuple(map(float, rows.loc[name, ["estimate", "low", "high"]])) for name in names}
        if isinstance(self.between, BetweenLaws):
            ranges = self.between.ranges | {"loss_of_a_run": self.between.ranges["loss"]}
            best = {name: _widened(each, *ranges[name]) for name, each in best.items()}
            best |= {"over_laws": bool(np.isfinite(ranges["params"]).all())}
        settled = not plan.open_question and _is_known(best["params"])
        doubt = plan.open_question or (OVER if np.isfinite(best["params"]).all() else UNTOLD)
        why = self.ruling.rule if settled else doubt
        return {"kind": NUMBER if settled else RANGE, "approach": 3, "why": why, **best}

    def _misread(self) -> str:
        """Why the number is no budget for these runs; nothing where it is."""
        fit = self.found.fits.get(3)
        law = fit.law if isinstance(fit, Fit) and fit.status != "not_identified" else None
        return misread_budget(self.flops, self.runs["flops"], self.runs["loss"], law, find_meter(self.runs))

    def _by_frontier(self, number: int) -> dict[str, Any]:
        """Size and tokens by an approach without a formula of the loss."""
        fit, boot = self.found.fits[number], self.found.bootstraps[number]
        out = {}
        for name in ("params", "tokens", "tokens_per_param"):
            of = partial(_part, flops=self.flops, name=name)
            ends = boot.percentiles(LEVEL, of=of)
            out[name] = (float(of(fit.law)), float(ends.low), float(ends.high))
        return out

    def _tokens_of(self, size: tuple[float | None, float, float]) -> dict[str, Any]:
        """The tokens that go with a range of sizes, where compute is 6 N D."""
        if find_meter(self.runs).kind != "6ND":
            return {}
        sizes = np.array(size[:0:-1], dtype=float)
        tokens = self.flops / (6 * sizes)
        return {"tokens": (None, *tokens.tolist()), "tokens_per_param": (None, *(tokens / sizes).tolist())}

    def _checks(self, why: str) -> list[dict[str, str]]:
        """What speaks for the answer and what against it."""
        fit = self.found.fits[3]
        assert isinstance(fit, Fit)
        return [
            self._settled(why),
            self._described(fit),
            _check("Do the three approaches agree?", self.ruling.agree, self.ruling.found),
            self._other_law(),
            self._foreseen(fit),
            self._near(),
        ]

    def ladder(self) -> list[dict[str, Any]]:
        """What the law of approach 3 knows at budgets from below the runs to beyond them, and where it is followed."""
        if 3 not in self.found.bootstraps or self.looked.pooled:
            return []
        others = [] if isinstance(self.coupled, str) else [self.coupled]
        rows = plan_ladder(self.found.bootstraps[3], LEVEL, others, [self.flops])
        follow = {row["flops"]: self.at(row["flops"]).ruling.follow for row in rows}
        return [row | {"open": row["open"] or follow[row["flops"]] != 3} for row in rows]

    def _settled(self, why: str) -> dict[str, str]:
        question = "Do the runs settle the best size for this budget, within a factor of two?"
        if isinstance(self.plan, str):
            return _check(question, None, self.plan)
        # its range is that of one law alone, by profile likelihood; the answer has the wider one
        words = self.plan.open_question.partition(": it lies anywhere")[0] or (why if why in (OVER, WIDE) else "")
        return _check(question, not words, words or "They do, as far as the law is right.")

    def _described(self, fit: Fit) -> dict[str, str]:
        question = "Does the law describe the runs?"
        if fit.status == "not_identified":
            return _check(question, None, "these runs tell no law that could describe them")
        aside = list(self.found.bootstraps[3].set_aside) if 3 in self.found.bootstraps else []
        spread = f"runs stray by {np.sqrt(np.mean(np.delete(fit.residuals, aside) ** 2)):.1%} from it"
        if aside:
            spread += f", without {len(aside)} of {len(fit.residuals)} that lie far from it and are set aside"
        if not self.runs.duplicated(["params", "tokens"]).any():
            words = f"{spread}; whether that is noise is not known, since nothing was run twice"
            return _check(question, None, words)
        if not (times := missed(fit)):
            return _check(question, True, f"{spread}, no more than noise explains")
        misses = f"it misses them by {times:.2g} times as much as repeated runs differ"
        if missed_elsewhere(fit):
            return _check(question, None, f"{misses}, but {ELSEWHERE}")
        return _check(question, False, misses)

    @cached_property
    def coupled(self) -> Bootstrap | str:
        """The law with coupled terms on resampled tables, or why there is none."""
        try:
            fit = fit_parametric(self.runs, law="coupled", weights=row_weights(self.runs))
            if fit.status == "not_converged":
                return fit.message
            return subsampled_bootstrap(fit, n_resamples=self.question.n_resamples, seed=self.question.seed)
        except FitError as error:
            return str(error)

    @cached_property
    def between(self) -> BetweenLaws | str:
        """The plan beside that of the law with coupled terms, or why there are not two."""
        if isinstance(self.plan, str):
            return self.plan
        rival = self.coupled if isinstance(self.coupled, str) else self._plan(self.coupled)
        if isinstance(rival, str):
            return f"that law has no answer: {rival}"
        return compare_plans({"added": self.plan, "coupled": rival})

    def _other_law(self) -> dict[str, str]:
        """Whether the law with coupled terms says the same."""
        question, between = "Does another law, with its two terms joined otherwise, say the same?", self.between
        if isinstance(between, str):
            return _check(question, None, between)
        sizes = between.table.xs("params", level="quantity").map(format_count)
        each = [f"{row['estimate']} [{row['low']}, {row['high']}]" for _, row in sizes.iterrows()]
        words = f"with its terms added the law asks for {each[0]} parameters, with its terms coupled for {each[1]}"
        if "loss" in between.disagree:
            losses = between.table.xs("loss", level="quantity")
            each = [f"{r['estimate']:.4g} [{r['low']:.4g}, {r['high']:.4g}]" for _, r in losses.iterrows()]
            words += f", and they expect losses of {each[0]} and {each[1]}"
        return _check(question, not between.disagree, words)

    def _foreseen(self, fit: Fit) -> dict[str, str]:
        question = "Do the cheaper runs foresee the more expensive ones?"
        try:
            discrepancy = find_discrepancy(fit)
            best = compute_optimal(fit.law, self.flops, meter=find_meter(fit.runs))
            band = discrepancy.band(best.params, best.tokens, LEVEL)
        except (FitError, ValueError) as error:
            return _check(question, None, str(error))
        if band.reason:
            return _check(question, None if "are needed" in band.reason else False, band.reason)
        tried = f"{len(discrepancy.forecasts)} forecasts of larger budgets from cheaper ones held"
        words = f"{tried}; if the law is off as far as they show, the loss lies in [{band.low:.4g}, {band.high:.4g}]"
        return _check(question, True, words)

    def _near(self) -> dict[str, str]:
        reach = self.flops / float(self.runs["flops"].max())
        below = float(self.runs["flops"].min()) / self.flops
        words = f"it is {factor(reach)} times that of the most expensive run"
        if below > FAR:
            words = f"it is {factor(below)} times below that of the cheapest run"
        elif reach <= 1:
            words = "it lies within that of the runs"
        return _check("Is the budget near that of the runs?", reach <= FAR * (1 + 1e-9) and below <= FAR, words)

    def _plan_record(self) -> dict[str, Any] | None:
        if isinstance(self.plan, str):
            return None
        plan, usable = self.plan, not self.plan.open_question
        return {
            "allocation": plan.table().to_dict("records"),
            "off_optimum": plan.off_optimum.to_dict("records") if usable else None,
            "notes": list(plan.notes),
            "open_question": plan.open_question,
            "noise": {"spread": plan.noise, "from": plan.noise_from},
        }

    def _next_runs(self) -> dict[str, Any]:
        """The few runs to add first, or why none can be named."""
        if self.ruling.follow is None and 3 in self.found.bootstraps and not self.looked.pooled:
            words = (
                "the formula by which runs could be chosen is in doubt; a group of runs of equal compute, of four sizes"
            )
            return {"reason": f"{words} or more around those named above, as near to the budget as can be, needs none"}
        if self.looked.pooled or 3 not in self.found.bootstraps:
            return {"reason": "; ".join(each.words for each in self.looked.pooled) or self.found.reasons[3]}
        most = float(self.runs["flops"].max())
        try:
            more = suggest_runs(
                self.found.bootstraps[3],
                ALL * most,
                self.flops,
                max_runs=MORE,
                max_flops_per_run=ONE * most,
                level=LEVEL,
            )
        except (FitError, ValueError) as error:
            return {"reason": str(error)}
        names = ("flops", "width_before", "width_after", "miss_before", "miss_after")
        return {name: getattr(more, name) for name in names} | {"runs": more.table().to_dict("records")}


def _check(question: str, holds: bool | None, found: str) -> dict[str, str]:
    return {"question": question, "speaks": {True: FOR, False: AGAINST, None: UNKNOWN}[holds], "found": found}


def _is_known(best: tuple[float, float, float]) -> bool:
    """Whether an interval lies within the factor that a best size has to be known to."""
    value, low, high = best
    return low >= value / FACTOR and high <= value * FACTOR


def _widened(best: tuple[float, float, float], low: float, high: float) -> tuple[float, float, float]:
    """A number with its interval, which is to hold those of other laws where they are known."""
    known = np.isfinite(low) and np.isfinite(high)
    return (best[0], min(best[1], low), max(best[2], high)) if known else best


def _part(law: Any, flops: float, name: str) -> Any:
    return getattr(compute_optimal(law, flops), name)
