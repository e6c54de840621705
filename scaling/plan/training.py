"""Resamples and a budget → a plan: what to train, how sure that is, and what it costs to be off."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from .._checks import number, positive_finite, proper_share, within
from .._words import format_count, format_flops, percent
from ..errors import FitError, FitErrorKind, RunsWarning
from ..fit.result import Fit
from ..laws.coupled import SumLaw
from ..optimum.allocation import Allocation, compute_optimal, exponents, without_optimum
from ..runs.epochs import often_read
from ..runs.meter import Meter, find_meter
from ..uncertainty.resampling import Bootstrap
from .misread import misread_budget
from .open_size import open_question
from .precedent import already_reached
from .tables import limited, off_optimum, overtraining, quantities, serving, with_intervals

__all__ = ["Plan", "plan_training"]


#: a budget this many times above the most expensive run's, or below the cheapest's, is called far
FAR = 10.0
FAR_WORDS = "the budget is"
#: what serving may ask for beyond the runs
SERVED = {"flops": "training FLOPs", "tokens": "tokens", "tokens_per_param": "tokens per parameter"}
#: the share of resamples without an optimum above which there is no plan
MOST_LOST = 0.1
#: many and the most passes of the released runs of Muennighoff et al. 2023, and the share of their losses by which R*
#: misses them at the most, on the law with which it was fitted or on one of the runs themselves, as a plan has it:
#: ``scaling.papers.muennighoff2023.missed(44)`` finds it in the runs, which a test repeats
MISSES = {14: 0.09, 44: 0.23}
MEASURED, MOST_EPOCHS = MISSES
MISSED = (
    f"{MEASURED} times the losses by R* were up to {MISSES[MEASURED]:.0%} off, "
    f"for those of {MOST_EPOCHS} times up to {MISSES[MOST_EPOCHS]:.0%}"
)
#: captions of two tables
OTHER_SIZE, SMALLER = "training another size than the advised", "smaller models of the same loss"
#: how quantities are printed
PRINTED_AS_COUNTS = ("params", "tokens", "pays_after")
PRINTED_AS_PERCENT = ("training_overhead", "inference_saving", "compute_wasted", "compute_saved")


@dataclass(frozen=True, repr=False)
class Plan:
    """What to train with a budget, with intervals.

    Attributes
    ----------
    flops, level : float
        The training budget and the level of all intervals.
    allocation : DataFrame
        Indexed by ``problem`` and ``quantity``; ``estimate``, ``low``, ``high``. The problems:
        ``compute-optimal``, least loss for the budget; ``with inference``, least compute over the model's life at
        that loss; ``limited data``, least loss for the budget when tokens have to be read again.
    off_optimum : DataFrame
        What other sizes than the advised cost at the same budget; see :func:`~scaling.plan.plan_training`.
    overtraining : DataFrame
        Smaller models of the same loss: tokens, extra training compute, inference compute saved, and the number
        of tokens served after which the extra training has paid.
    reach : float
        The budget over that of the most expensive run.
    notes : tuple of str
        What to know before relying on the plan.
    boot : Bootstrap
        The resamples it was made from, those without an optimum left out (and counted as ``boot.lost``).
    noise, noise_from : float, str
        Standard deviation of ln loss of a run about the law, and what it was taken from; see
        :meth:`Bootstrap.predict <scaling.uncertainty.Bootstrap.predict>`.
    meter : Meter
        What the FLOPs count: that of the table of runs.
    open_question : str
        Why the runs do not settle the best size for this budget; nothing where they do, which takes both the profile
        likelihood of :meth:`Fit.certainty <scaling.fit.Fit.certainty>` and the interval that is printed. A plan with an
        open question prints its allocations, each number with its interval, and nothing that rests on a single size.
    """

    flops: float
    level: float
    allocation: pd.DataFrame
    off_optimum: pd.DataFrame
    overtraining: pd.DataFrame
    reach: float
    notes: tuple[str, ...]
    boot: Bootstrap
    noise: float
    noise_from: str
    meter: Meter
    open_question: str = ""

    def table(self) -> pd.DataFrame:
        """List the allocations as one flat table.

        Returns
        -------
        DataFrame
            ``problem``, ``quantity``, ``estimate``, ``low``, ``high``.
        """
        return self.allocation.reset_index()

    def _parts(self) -> list[tuple[str, pd.DataFrame]]:
        """Captions, and tables with their numbers as people say them."""
        interval = f"{percent(self.level)}% interval"
        parts = [
            (f"{problem}, {interval}", _readable_rows(rows.droplevel("problem")))
            for problem, rows in self.allocation.groupby("problem", sort=False)
        ]
        if self.open_question:
            return parts
        parts.append((f"{OTHER_SIZE}, {interval}", _readable(self.off_optimum)))
        parts.append((f"{SMALLER}, {interval}", _readable(self.overtraining)))
        return parts

    def tables(self) -> dict[str, pd.DataFrame]:
        """List all that is printed, as numbers.

        Returns
        -------
        dict
            Caption to table; where a question is open, the allocations alone.
        """
        more = {OTHER_SIZE: self.off_optimum, SMALLER: self.overtraining}
        return {"what to train": self.table()} | ({} if self.open_question else more)

    @property
    def title(self) -> str:
        """The budget, and how far a run strays from the law, in a line."""
        about = f"a run strays by {self.noise:.2%} from the law's loss, by {self.noise_from}"
        return f"Plan for {format_flops(self.flops)} training FLOPs; {about}"

    def told(self, said: Callable[[str], str] = str) -> str:
        """Write all of it as text.

        Parameters
        ----------
        said : callable
            Puts our words into those of the table: :meth:`~scaling.runs.Nouns.said`.

        Returns
        -------
        str
            Title, notes and tables.
        """
        notes = [said(f"note: {text}") for text in self.notes]
        parts = [(said(caption), table.rename(said, axis=0).rename(said, axis=1)) for caption, table in self._parts()]
        return "\n".join([said(self.title), *notes, *(f"\n{caption}\n{table.to_string()}" for caption, table in parts)])

    def __repr__(self) -> str:
        return self.told()

    def _repr_html_(self) -> str:
        notes = "".join(f"<p>Note: {text}</p>" for text in self.notes)
        tables = "".join(f"<p>{caption}</p>{table.to_html()}" for caption, table in self._parts())
        return f"<p><strong>{self.title}</strong></p>{notes}{tables}"


def plan_training(
    boot: Bootstrap,
    flops: float,
    inference_tokens: float | None = None,
    unique_tokens: float | None = None,
    level: float = 0.95,
) -> Plan:
    r"""Plan what to train with a budget, from a fitted law and its resamples.

    Every number is computed with the fitted law (``estimate``) and with the law of every resample, whose central
    percentiles are the interval. The intervals are those of the law's mean loss; ``loss_of_a_run`` has that of one run
    of the advised size and tokens, with its noise. An end that the resamples do not tell is NaN, and percentiles that
    miss their estimate are widened to it.

    Where the runs count their compute otherwise than by 6 N D (:func:`~scaling.runs.find_meter`), C is in their count,
    and so is all compute in the answers.

    * **compute-optimal**: the size and tokens of least loss at C = ``flops``; :func:`~scaling.optimum.compute_optimal`.
      ``exponent`` is :math:`a = \beta/(\alpha + \beta)`, with which the size grows with compute; in a count that grows
      as :math:`N^p D^q`, :math:`\beta/(p\beta + q\alpha)`.
    * **with inference**, when ``inference_tokens`` are expected: the size and tokens that reach the loss of the
      compute-optimal model with the least compute in all, :math:`6 N D + 2 N D_\text{inf}`;
      :func:`~scaling.optimum.inference_optimal`. ``flops`` is then the training, above C; ``compute_saved`` is the
      share by which the total falls against serving the compute-optimal model.
    * **limited data**, when only ``unique_tokens`` are distinct: :func:`~scaling.optimum.data_constrained_optimal` with
      the law of your runs and the published :math:`R^*_D` and :math:`R^*_N` of Muennighoff et al. 2023, which your runs
      say nothing about; the intervals are those of your law alone. Where tokens would be read more than 44 times, as
      those of no run whose losses are known were, it is left out and a note says so.
    * **off the optimum**: 1/4, 1/2, 2 and 4 times the advised size at the same budget. ``extra_loss`` is against
      the best allocation under the same law, and ``compute_wasted`` the share of the budget that could have been
      saved, because the same loss is compute-optimal at

      .. math:: C' = C\,\Bigl(\frac{L_{opt}(C) - E}{L - E}\Bigr)^{(\alpha + \beta)/k\alpha\beta}

      (k is 1 but for a :class:`~scaling.laws.CoupledLaw`).

      In the row of the advised size itself, the interval is the price of not knowing the law better.
    * **over-training**: :func:`~scaling.optimum.overtraining_overhead` for sizes down to a quarter of the
      compute-optimal.

    Where serving asks for more than ten times the compute, the tokens or the tokens per parameter of any run, a note
    says so.

    Where a run of the table cost no more than the budget and reached a lower loss than the plan expects, by more than
    noise, the first of the ``notes`` says so: the law is then wrong there.

    Parameters
    ----------
    boot : Bootstrap
        Of a fit of :func:`~scaling.fit.fit_parametric`.
    flops : float
        Training budget C, positive.
    inference_tokens : float, optional
        Tokens that the model will read and write in its life, at least 0.
    unique_tokens : float, optional
        Distinct tokens at hand, positive.
    level : float, default 0.95
        Of the intervals, between 0 and 1.

    Returns
    -------
    Plan
        The answers, with intervals.

    Raises
    ------
    FitError
        If the law is not identified, or more than a tenth of the resamples have no optimum; if the budget lies so far
        below the runs that it is in another unit; with ``unique_tokens``, if a run of the fit read its tokens more than
        four times.
    ValueError
        If a number is out of its range.
    TypeError
        If these are no resamples, or not of a ChinchillaLaw or a CoupledLaw.

    Warns
    -----
    RunsWarning
        If the budget is more than 10 times the most expensive run's; the words, with the factor, are in ``notes`` too.

    Examples
    --------
    >>> import scaling
    >>> law = scaling.ChinchillaLaw.from_published("besiroglu2024")
    >>> runs = scaling.simulate_runs(law, scaling.simulate.chinchilla_like_design(100), noise=0.01)
    >>> plan = scaling.plan_training(scaling.bootstrap(scaling.fit_parametric(runs), 200), 1e22)
    >>> row = plan.allocation.loc[("compute-optimal", "params")]
    >>> bool(row.low < scaling.compute_optimal(law, 1e22).params < row.high)
    True
    """
    if not isinstance(boot, Bootstrap):
        raise TypeError(f"a plan needs resamples, not a {type(boot).__name__}: scaling.bootstrap(fit) makes them")
    if not isinstance(boot.law, SumLaw):
        words = f"a plan needs a ChinchillaLaw or a CoupledLaw, not a {type(boot.law).__name__}"
        raise TypeError(f"{words}: fit with fit_parametric")
    law = boot.fit.law
    flops, inference_tokens, unique_tokens = _checked(flops, inference_tokens, unique_tokens)
    meter = find_meter(boot.fit.runs)
    _refuse_misread(boot.fit, flops, meter)
    boot, lost = with_optimum(boot, level)
    problems = {"compute-optimal": lambda law: _best(law, flops, meter)}
    if inference_tokens is not None:
        problems["with inference"] = lambda law: serving(law, flops, inference_tokens, meter)
    if unique_tokens is not None:
        _refuse_repeated(boot.fit)
        problems["limited data"] = lambda law: limited(law, flops, unique_tokens, meter)
    parts = {name: with_intervals(of, boot, law, level) for name, of in problems.items()}
    if inference_tokens == 0:  # what no law of the resamples changes has no spread, and is known
        for name, exact in (("flops", flops), ("total_flops", flops), ("compute_saved", 0.0)):
            parts["with inference"].loc[name, ["estimate", "low", "high"]] = exact
    repeating = _repeating(parts, unique_tokens)
    best = compute_optimal(law, flops, meter=meter)
    run = boot.predict(best.params, best.tokens, level).iloc[0]
    ends = run[["estimate", "low", "high"]].astype(float)
    parts["compute-optimal"].loc["loss_of_a_run"] = [*ends, False]
    allocation = pd.concat(parts, names=["problem", "quantity"])
    doubt = open_question(boot.fit, parts["compute-optimal"].loc["params"], flops, level)
    notes = _notes(boot, best, lost, repeating, level, allocation, meter, doubt)
    reach = _beyond(boot.fit.runs, best, meter)["flops"]
    if reach > FAR:
        warnings.warn(next(note for note in notes if note.startswith(FAR_WORDS)), RunsWarning, stacklevel=2)
    return Plan(
        flops=flops,
        level=level,
        allocation=allocation.drop(columns="widened"),
        off_optimum=off_optimum(boot, law, best, level, meter),
        overtraining=overtraining(boot, law, best, level, meter),
        reach=reach,
        notes=notes,
        boot=boot,
        noise=float(run["noise"]),
        noise_from=run["noise_from"],
        meter=meter,
        open_question=doubt,
    )


def _best(law: SumLaw, flops: float, meter: Meter) -> dict[str, Any]:
    """The compute-optimal allocation, and the exponent of its size."""
    found = compute_optimal(law, flops, meter=meter)
    return quantities(found) | {"exponent": exponents(law, meter, found.params)[0]}


def _paid(runs: pd.DataFrame, meter: Meter) -> pd.Series:
    """What the runs cost, in the count of the plan."""
    return runs["flops"] if meter.kind != "unknown" else meter.flops(runs["params"], runs["tokens"])


def _beyond(runs: pd.DataFrame, best: Allocation, meter: Meter) -> dict[str, float]:
    """By how much the answer exceeds the largest of the runs, and the least compute of all."""
    flops = _paid(runs, meter)
    largest = {"flops": flops.max(), "params": runs["params"].max(), "tokens": runs["tokens"].max()}
    beyond = {name: float(getattr(best, name) / most) for name, most in largest.items()}
    return beyond | {"cheapest": float(best.flops / flops.min())}


def _refuse_misread(fit: Fit, flops: float, meter: Meter) -> None:
    """``FitError`` for a budget in another unit."""
    if words := misread_budget(flops, _paid(fit.runs, meter), fit.runs["loss"], fit.law, meter):
        raise FitError(words)


def _refuse_repeated(fit: Fit) -> None:
    """``FitError`` where the law of a fit has the decay of repeated tokens in it already."""
    used = fit.weights > 0
    if often := int((often_read(fit.runs) & used).sum()):
        said = f"{often:,} of {int(used.sum()):,} runs of the fit read their tokens more than four times"
        why = "the law has the decay of repeated tokens in it, and limited data would take it off once more"
        raise FitError(f"{said}: {why}; fit the runs of up to four epochs, or plan without unique tokens")


def _repeating(parts: dict[str, pd.DataFrame], unique: float | None) -> str:
    """What to know of limited data; its part is taken out where tokens would be read more often than anybody saw."""
    if unique is None:
        return ""
    if (epochs := float(parts["limited data"].loc["epochs", "estimate"])) > MOST_EPOCHS:
        del parts["limited data"]
        times = f"{format_count(unique)} tokens would be read {epochs:.3g} times"
        return f"limited data: cannot say: {times}, and for runs that read theirs {MISSED}"
    source = "limited data takes R* from Muennighoff et al. 2023, not from these runs"
    often = f": for runs that read their tokens {MISSED}" if epochs > MEASURED else ""
    return f"{source}; its error is not in the intervals{often}"


def _checked(
    flops: float, inference_tokens: float | None, unique_tokens: float | None
) -> tuple[float, float | None, float | None]:
    """The numbers as floats; ``ValueError`` for what is none, or out of its range."""
    given = {"flops": flops, "inference_tokens": inference_tokens, "unique_tokens": unique_tokens}
    found = {name: number(name, value) for name, value in given.items() if value is not None or name == "flops"}
    served = found.pop("inference_tokens", None)
    positive_finite(**found)
    if served is not None:
        within("at least 0 and finite", lambda x: (x >= 0) & np.isfinite(x), inference_tokens=served)
    return found["flops"], served, found.get("unique_tokens")


def with_optimum(boot: Bootstrap, level: float) -> tuple[Bootstrap, float]:
    """The resamples whose law has an optimum, and the share of the others."""
    proper_share("level", level)
    missing = without_optimum(boot.law)
    lost = float(missing.mean())
    if lost > MOST_LOST:
        raise FitError(
            f"{lost:.0%} of the resamples have no optimum, because a term of the law vanished: these runs do not "
            "carry a plan; add runs over a wider range of params and of tokens",
            FitErrorKind.UNDETERMINED,
        )
    if not missing.any():
        return boot, 0.0
    law = replace(boot.law, **{name: value[~missing] for name, value in boot.law.constants.items()})
    samples = boot.samples[~missing].reset_index(drop=True)
    return replace(boot, samples=samples, law=law, lost=boot.lost + int(missing.sum())), lost


def _notes(
    boot: Bootstrap,
    best: Allocation,
    lost: float,
    repeating: str,
    level: float,
    allocation: pd.DataFrame,
    meter: Meter,
    doubt: str,
) -> tuple[str, ...]:
    notes, beyond = [], _beyond(boot.fit.runs, best, meter)
    paid = boot.fit.runs.assign(flops=_paid(boot.fit.runs, meter))
    if reached := already_reached(paid, float(best.flops), float(best.loss)):
        notes.append(reached)
    if doubt:
        notes.append(f"{doubt}; suggest_runs (on the command line: --next-budget) says which runs would tell most")
    if beyond["flops"] > FAR:
        sizes = f"params {beyond['params']:.3g}, tokens {beyond['tokens']:.3g}"
        notes.append(
            f"{FAR_WORDS} {beyond['flops']:.3g} times that of the most expensive run (largest {sizes} times): "
            "the intervals hold only as far as the law does"
        )
    if "with inference" in allocation.index.get_level_values("problem"):
        notes += _served_far(paid, allocation["estimate"], best)
    if beyond["cheapest"] < 1 / FAR:
        words = f"the budget is {1 / beyond['cheapest']:.3g} times below that of the cheapest run"
        notes.append(f"{words}: the intervals hold only as far as the law does")
    if meter.words:
        notes.append(meter.words)
    if boot.fit.status != "identified" and boot.fit.message not in doubt:
        notes.append(f"the fit is {boot.fit.status}: {boot.fit.message}")
    if boot.note:
        notes.append(f"intervals: {boot.note}")
    if lost:
        meaning = "they count as beyond either end" if lost <= (1 - level) / 2 else "the ends are unknown"
        notes.append(f"{lost:.1%} of the resamples have no optimum: {meaning} of an interval")
    if (wide := allocation["widened"].astype(bool)).any():
        names = ", ".join(f"{quantity.replace('_', ' ')} ({problem})" for problem, quantity in allocation.index[wide])
        notes.append(
            f"percentiles that missed the estimate were widened to it, since the resamples are biased: {names}"
        )
    if repeating:
        notes.append(repeating)
    return tuple(notes)


def _served_far(runs: pd.DataFrame, asked: pd.Series, best: Allocation) -> list[str]:
    """That serving asks for what lies far beyond the runs, and the budget itself does not, in words."""
    most = {"flops": runs["flops"].max(), "tokens": runs["tokens"].max()}
    most["tokens_per_param"] = (runs["tokens"] / runs["params"]).max()
    far = []
    for name, largest in most.items():
        served, plain = float(asked.loc[("with inference", name)]), float(getattr(best, name))
        if served > FAR * largest and not FAR * largest < plain < served < FAR * plain:
            far.append(f"{served / largest:.3g} times the {SERVED[name]}")
    told = f"with inference: {', '.join(far)} of the run that has most: the intervals hold only as far as the law does"
    return [told] if far else []


def _printed(name: str, value: float) -> str:
    if not np.isfinite(value):
        return "–" if name == "pays_after" else "out of reach"
    if "flops" in name:
        return format_flops(value)
    if name in PRINTED_AS_PERCENT:
        return f"{value:.1%}"
    digits = 4 if name in ("loss", "loss_of_a_run") else 3
    return format_count(value) if name in PRINTED_AS_COUNTS else f"{value:.{digits}g}"


def _readable(table: pd.DataFrame) -> pd.DataFrame:
    """Numbers in words, intervals behind their estimates, the sizes at the side."""
    words = pd.DataFrame(index=pd.Index([_printed("size_ratio", x) for x in table["size_ratio"]]))
    for name in table.columns.drop("size_ratio"):
        if not name.endswith(("_low", "_high")):
            words[name.replace("_", " ")] = [_printed(name, x) for x in table[name]]
        if f"{name}_low" in table:
            ends = zip(table[f"{name}_low"], table[f"{name}_high"], strict=True)
            words[name.replace("_", " ")] += [
                "" if np.isnan(low) else f" [{_printed(name, low)}, {_printed(name, high)}]" for low, high in ends
            ]
    return words.rename_axis(columns="size ratio")


def _readable_rows(table: pd.DataFrame) -> pd.DataFrame:
    rows = zip(table.index, table.to_numpy(), strict=True)
    words = [["unknown" if np.isnan(x) else _printed(name, x) for x in row] for name, row in rows]
    return pd.DataFrame(words, index=[name.replace("_", " ") for name in table.index], columns=table.columns)
