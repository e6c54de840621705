"""Rows that are not one run each of one family: sweeps, checkpoints without a run, families, mixtures of experts."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
import scipy

from .._robust import robust_deviation
from .._words import name_rows, plain
from ..errors import FitError
from ..fit.certainty import LEAST_FREEDOM
from ..fit.parametric import fit_parametric
from ..fit.result import Fit
from ..runs.curves import last_points, runs_of
from ..runs.epochs import condition, epochs_of, often_read
from ..runs.repetition import designs_of, repeated_rows
from ..runs.vocabulary import LABELS, LIMITS, STANDS_FOR
from .appended import find_heights, find_step
from .unfinished import ENDED, unfinished

__all__ = ["Pooling", "find_pooling", "swept_columns"]


#: a column explains residuals where chance would in so few tables (all its columns together), and so much of them
LEVEL, EXPLAINED = 0.002, 0.2
#: a label has at most so many levels, of at least so many rows each; numbers with more are cut into so many parts
MOST_LEVELS, LEAST_ROWS, PARTS = 12, 3, 6
#: rows of each level that are needed to see a tilt, and the share of a scale that its levels may explain: where small
#: and large runs are levels, a bend of the law is one tilt for each
LEAST_TILTED, APART = 8, 0.3
#: levels that order a quantity to this share are that quantity under another name
SAME = 0.9
#: standard deviation of ln loss among repeats below which a sweep does not matter to a law
MATTERS = 0.005
#: repeats without a column that explains them are a sweep from this spread on ...
WIDE = 0.02
#: ... where their least losses follow the law so many times closer than normal noise of that spread would
CLOSER = 2.0
#: token counts of one size that may make a curve: equally spaced, so beside a column of steps, or in other ways
SPACED, STEPPED, MANY = 10, 8, 25
#: share of the rows, or of the gaps, that makes a table of curves
MOST = 0.6
#: last checkpoints follow each other within this share, all of a run within that one, in so many runs at least
CLOSE, CLOSE_ALL, LEAST_ENDS = 0.06, 0.15, 5
#: share within which tokens are the same number
EXACT = 1e-6
#: evaluations of one run differ by less than this in ln loss, and so many times less than a law misses them by
EVALUATED, FURTHER = 0.002, 5.0
#: designs that are needed to tell, and rows that repeat one
LEAST_DESIGNS, LEAST_REPEATS = 8, 8
#: share of the parameters from which on a model is called dense
ALL_ACTIVE = 0.95
#: share of the runs beyond which repeated tokens make a table one of another kind
OFTEN = 0.2
#: copies that are worth a word, as a number and as a share of the runs, and digits of losses that differ by chance
LEAST_COPIES, COPIED, DIGITS = 3, 0.05, 5
#: rows beyond which a random part is looked at
MOST_ROWS = 20_000
#: names of what is tuned and not scaled, whole or as a part
_TUNED = re.compile(
    r"lr|eta|learningrate|bs|batch|batchsize|wd|weightdecay|warmup\w*|dropout|momentum|beta[12]|epochs?|"
    r"\w*(learningrate|batchsize|weightdecay|epochs)"
)
_STEPS = re.compile(r"\w*(steps?|iters?|iterations?|checkpoints?|ckpt)\w*")
_REPEATS = re.compile(r"\w*(seed|trial|replica)\w*|runs?|run_?(id|name|nr|no)|rep|repeats?|repetition")
_EVALUATION = re.compile(r"eval(s|uation)?(id|nr|no|number|index|step|run)?")
_ACTIVE = re.compile(r"(?!\w*inactive)\w*active\w*|\w*activated\w*")
_EXPERTS = re.compile(r"\w*experts|expertcount")


def _is(pattern: re.Pattern[str], name: str) -> bool:
    """Whether a header, or a word of it, is what the pattern says."""
    return any(pattern.fullmatch(word) for word in [plain(name), *re.split(r"[^a-z0-9]+", name.lower())])


@dataclass(frozen=True)
class Pooling:
    """Why the rows of a table are not one run each of one family.

    ``kind`` is ``checkpoints``, ``repeated``, ``copies``, ``evaluations``, ``sweep``, ``families``, ``appended``,
    ``unfinished`` or ``experts``; ``columns`` those that tell; ``words`` say what was seen and what to do.
    """

    kind: str
    columns: tuple[str, ...]
    words: str


def find_pooling(fit: Fit, table: pd.DataFrame | None = None) -> list[Pooling]:
    r"""What in the runs of a fit speaks against one law for all of them.

    * *Checkpoints*: no column names the run, and most sizes have many numbers of tokens, equally spaced as the points
      of a training curve are; or a few close together, in all runs at the same distances, as the last checkpoints have.
    * *Repeated tokens*: more than a fifth of the runs read their tokens more than four times, up to which repeated ones
      are nearly as good as new (Muennighoff et al. 2023).
    * *Copies*: many runs have the parameters, the tokens and the loss of another to the last of five digits or more.
    * *Evaluations*: rows of one size and number of tokens differ far less than a law misses them, and no column of
      seeds or trials says that they are runs of their own.
    * *A sweep*: runs of one size and number of tokens differ, and a column that is tuned explains how; or, without such
      a column, they differ far more than the best of each differ from a law of their own.
    * *Families*: a column of few levels explains the residuals of the pooled law, or how they rise with size or length.
    * *Appended*: without such a column, the residuals step once in the order of the file, or lie at two heights in any
      order, five times as far apart as they stray, and no size, length or compute tells the two apart.
    * *Unfinished*: a column of planned lengths says that some runs ended early, and these lie above the law.
    * *Experts*: fewer parameters are active than are counted.

    A column of L levels explains n residuals by the ratio of variances of their ranks,

    .. math:: F = \frac{\sum_l n_l (\bar r_l - \bar r)^2 / (L - 1)}{\sum_l \sum_{i \in l} (r_i - \bar r_l)^2 / (n - L)},

    at a level of 0.2 % for all columns together, and a fifth of the variance at least. Columns whose levels order the
    sizes, the tokens or the compute of the runs are these under another name, and are not asked.

    Parameters
    ----------
    fit : Fit
        Of :func:`~scaling.fit.fit_parametric`, whatever its status.
    table : DataFrame, optional
        The rows in which curves are looked for, by default those of the fit.

    Returns
    -------
    list of Pooling
        Empty for a table whose rows are runs of one family. Only *checkpoints* where these are seen, and only *experts*
        where a column has the active parameters.
    """
    table = fit.runs if table is None else table
    mapping = {each["name"]: each["column"] for each in table.attrs.get("reading", {}).get("mapping", [])}
    if (curves := _checkpoints(table, mapping)) is not None:
        return [curves]
    used = np.flatnonzero(fit.weights > 0)
    if len(used) > MOST_ROWS:
        used = np.sort(np.random.default_rng(0).choice(used, MOST_ROWS, replace=False))
    runs, residuals = fit.runs.iloc[used].reset_index(drop=True), fit.residuals[used]
    copies, experts = _copies(runs), _experts(runs, mapping.get("params", ""))
    if experts is not None and _is(_ACTIVE, experts.columns[0]):
        return [experts]  # whether anything else is pooled shows with the sizes that count
    if (early := _unfinished(_labelled(fit.runs, table).iloc[used], residuals, mapping)) is not None:
        return [early]  # what explains the others shows without these
    sweep, evaluations = _sweep(runs), None
    if sweep is None or not sweep.columns:
        chosen = {"params", "tokens"} <= set(table.attrs.get("best_of", ()))
        rest, left = runs, residuals
        if (evaluations := _evaluations(fit, runs, residuals)) is not None:
            design = designs_of(runs, share=EXACT)
            rest = runs.iloc[np.unique(design, return_index=True)[1]]
            left = np.bincount(design, residuals) / np.bincount(design)
        sweep = _families(rest, left, chosen) or sweep or _appended(_labelled(fit.runs, table).iloc[used], residuals)
    epochs = sweep is not None and any("epoch" in plain(name) for name in sweep.columns)
    read_from = table.attrs.get("reading", {}).get("mapping", [])
    if (repeated := _repeated(runs, read_from, 0.0 if epochs else OFTEN)) is not None and epochs:
        sweep = None  # it is the repeats that differ
    return [each for each in (repeated, copies, experts, evaluations, sweep) if each is not None]


def swept_columns(runs: pd.DataFrame) -> tuple[str, ...]:
    """The columns that explain how runs of one size and number of tokens differ, the strongest first."""
    found = _sweep(runs)
    return () if found is None else found.columns


def is_tuned(name: str) -> bool:
    """Whether a header names what is tuned and not scaled, as a learning rate."""
    return _is(_TUNED, name)


def _carried(runs: pd.DataFrame) -> Iterator[tuple[str, pd.Series]]:
    """Columns that are no quantity and no label of ours."""
    for place, name in enumerate(runs.columns):
        if name not in (*LIMITS, *LABELS, STANDS_FOR):
            yield str(name), runs.iloc[:, place]


def _levels(name: str, column: pd.Series) -> np.ndarray | None:
    """The level of each row as whole numbers, 0 for rare ones together; None for a column that is no label.

    Words and flags, numbers of few values, and of those that are tuned any, cut where they have many.
    """
    filled = column[column.notna()]
    words = not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column)
    distinct = filled.astype(str).nunique() if words else filled.nunique()
    if distinct < 2:
        return None
    if distinct > MOST_LEVELS:
        if words or not _is(_TUNED, name):
            return None
        order = column.rank(method="average", pct=True).fillna(0.0).to_numpy(dtype=float)
        return np.minimum(np.ceil(order * PARTS), PARTS).astype(int)
    codes = pd.factorize(column.astype(str).where(column.notna()))[0] + 1
    counts = np.bincount(codes)
    return np.where(counts[codes] >= LEAST_ROWS, codes, 0)


def _share(values: np.ndarray, levels: np.ndarray, lost: int = 0) -> tuple[float, float]:
    """The share of the variance of ranks that levels explain, and the chance of as much; ``lost`` means are known."""
    ranks = pd.Series(values).rank().to_numpy()
    ranks = ranks - ranks.mean()
    codes = np.unique(levels, return_inverse=True)[1]
    counts = np.bincount(codes)
    between = float((np.bincount(codes, ranks) ** 2 / counts).sum())
    total, groups = float((ranks**2).sum()), len(counts)
    freedom = len(values) - groups - lost
    if groups < 2 or freedom < 1 or total <= 0:
        return 0.0, 1.0
    ratio = between / (groups - 1) / max((total - between) / freedom, 1e-12 * total)
    return between / total, float(scipy.special.fdtrc(groups - 1, freedom, ratio))


def _explaining(columns: dict[str, np.ndarray], values: np.ndarray, lost: int = 0) -> list[tuple[str, float]]:
    """The columns that explain values beyond chance, with their share, the strongest first."""
    found = []
    for name, levels in columns.items():
        share, chance = _share(values, levels, lost)
        if share >= EXPLAINED and chance < LEVEL / len(columns):
            found.append((name, share))
    return sorted(found, key=lambda each: -each[1])


# -- repeated tokens


def _repeated(runs: pd.DataFrame, read_from: list[dict[str, str]], share: float) -> Pooling | None:
    """More than a share of the runs read their tokens so often that these are worth far less than new ones."""
    often = often_read(runs)
    if often.sum() <= share * len(runs):
        return None
    most = float(np.nanmax(np.asarray(epochs_of(runs))))
    seen = f"{int(often.sum()):,} of {len(runs):,} runs read their tokens more than four times, up to {most:.3g} times"
    why = "a law of params and tokens takes repeated tokens for new ones, which are worth more"
    if often.all():
        return Pooling("repeated", (), f"{seen}: {why}; no run reads its tokens at most four times: {_NEW}")
    keep = condition(runs, read_from) or "--where with a column of epochs, which has to be added,"
    return Pooling("repeated", (), f"{seen}: {why}. {keep} keeps the {int((~often).sum()):,} runs of four at most")


_NEW = "runs on new tokens are needed"


# -- copies


def _copies(runs: pd.DataFrame) -> Pooling | None:
    """Runs that stand there more than once."""
    again = repeated_rows(runs, ["params", "tokens", "loss"])
    if again.sum() < max(LEAST_COPIES, COPIED * len(runs)) or STANDS_FOR in runs:
        return None
    digits = [len(f"{loss:.12g}".replace(".", "").strip("0")) for loss in runs.loc[again, "loss"]]
    if np.median(digits) < DIGITS:  # losses so rounded agree by chance
        return None
    words = f"{int(again.sum()):,} of {len(runs):,} runs are copies of others, to the last digit of their losses"
    return Pooling("copies", (), f"{words}: counted twice they make all intervals too narrow: --drop copies")


# -- checkpoints


def _checkpoints(table: pd.DataFrame, read_from: Mapping[str, str]) -> Pooling | None:
    """Curves whose runs have no name."""
    named = "run" in table and not table["run"].duplicated().any()
    if named or runs_of(table) is not None or STANDS_FOR in table:
        return None
    stepped = any(_is(_STEPS, name) for name, _ in _carried(table))
    pairs = table[["params", "tokens"]].drop_duplicates().sort_values(["params", "tokens"])
    rows = table["params"].value_counts()
    shared = pairs["tokens"].duplicated(keep=False)
    long = pairs.assign(shared=shared)[pairs.groupby("params")["tokens"].transform("size") >= STEPPED]
    curved = [
        size
        for size, points in long.groupby("params")
        if _is_curve(points["tokens"].to_numpy(), float(points["shared"].mean()), stepped)
    ]
    if rows.reindex(curved).sum() < MOST * len(table):
        return _last_checkpoints(table, read_from)
    most = int(pairs.groupby("params").size().max())
    seen = f"no column names the run, and one size has up to {most} numbers of tokens, as checkpoints of a run have"
    few = len(table) // STEPPED
    columns = {name: len(set(column)) for name, column in _carried(table.astype(str)) if 1 < len(set(column)) <= few}
    key: tuple[str, ...] = ()
    if (name := _run_names(table, columns)) is not None:
        key, hint = (name,), f"{name!r} tells {columns[name]} runs apart: --run {_typed([name])} takes it"
    elif key := _key(table, list(columns)[:MOST_LEVELS], few):
        told, size = " and ".join(["params", *map(repr, key)]), read_from.get("params", "params")
        many = table.groupby(["params", *key], dropna=False).ngroups
        hint = f"{told} together tell {many} runs apart: --run {_typed([size, *key])} takes them as the name of a run"
    else:
        hint = "add a column that names the run of each row, and --run COLUMN takes it"
    why = "points before the end of a run are not what a shorter run reaches, and not independent of each other"
    return Pooling("checkpoints", key, f"{seen}: {why}. {hint}")


def _last_checkpoints(table: pd.DataFrame, read_from: Mapping[str, str]) -> Pooling | None:
    """A few last checkpoints of every run: numbers of tokens close together, in all runs at the same distances."""
    end = designs_of(table, share=CLOSE, most=CLOSE_ALL)
    exact = designs_of(table, share=EXACT)
    pairs = pd.DataFrame({"end": end, "exact": exact, "tokens": table["tokens"]}).drop_duplicates("exact")
    tokens = pairs.sort_values(["end", "tokens"]).groupby("end")["tokens"].agg(np.array)
    many = tokens.map(len)
    usual = int(many[many > 1].mode().max()) if (many > 1).any() else 0
    alike = tokens[many == usual]
    if usual < 2 or len(alike) < LEAST_ENDS or np.isin(end, alike.index).sum() < MOST * len(table):
        return None
    points = np.stack(alike.tolist())
    if not (_same_gaps(np.diff(np.log(points))) or _same_gaps(np.diff(points))) or _other_runs(table, end):
        return None
    seen = f"no column names the run, and {len(alike)} times {usual} numbers of tokens of one size lie close together, "
    seen += "as the last checkpoints of a run have: they are not independent of each other"
    few = len(table) // 2
    size = read_from.get("params", "params")
    for name, column in _carried(table.astype(str)):
        key = [name] if table.groupby(name, dropna=False)["params"].nunique().max() == 1 else ["params", name]
        groups = pd.Series(end).groupby([table[each].to_numpy() for each in key], dropna=False)
        if column.nunique() > 1 and groups.ngroups <= few and groups.nunique().max() == 1:
            told = _typed([size if each == "params" else each for each in key])
            return Pooling("checkpoints", (name,), f"{seen}. --run {told} takes what tells the runs apart")
    hint = "add a column that names the run of each row, and --run COLUMN takes it"
    if designs_of(table).max() == end.max():
        hint = f"{_ONE}; or {hint}"
    return Pooling("checkpoints", (), f"{seen}. {hint}")


def _same_gaps(gaps: np.ndarray) -> bool:
    """Whether most rows have the gaps that are usual, to a tenth."""
    usual = np.median(gaps, axis=0)
    return bool((np.abs(gaps - usual) <= 0.1 * usual).all(axis=1).mean() >= MOST)


def _other_runs(table: pd.DataFrame, end: np.ndarray) -> bool:
    """Whether a setting, a seed or a label differs among rows close together, which so are runs of their own."""
    if _told_apart(table, end):
        return True
    several = (np.bincount(end) > 1)[end]
    codes = np.unique(end[several], return_inverse=True)[1]
    words = [name for name, column in _carried(table) if not pd.api.types.is_numeric_dtype(column)]
    few = [name for name in words if not _is(_STEPS, name) and 1 < table[name].nunique() <= MOST_LEVELS]
    return any(_varies(pd.factorize(table.loc[several, name])[0], codes) for name in few)


def _is_curve(tokens: np.ndarray, shared: float, stepped: bool) -> bool:
    """Whether the sorted numbers of tokens of one size are points of curves, not lengths of runs.

    Few of them are if equally spaced; many also if equally spaced in logarithms, or if other sizes have the same.
    """
    if len(tokens) >= MANY and (shared >= MOST or _evenness(np.log(tokens)) >= MOST):
        return True
    return (len(tokens) >= SPACED or stepped) and _evenness(tokens) >= MOST


def _evenness(points: np.ndarray) -> float:
    """The share of gaps between sorted points that are as wide as the one before, to a twentieth."""
    gaps = np.diff(points)
    return float(np.mean(np.abs(np.diff(gaps)) <= 0.05 * gaps[1:]))


def _run_names(table: pd.DataFrame, columns: dict[str, int]) -> str | None:
    """The column of most levels that belong to one size each, and have no number of tokens twice."""
    for name in sorted(columns, key=lambda each: -columns[each]):
        sizes = table.groupby(name, dropna=False)["params"].nunique()
        if sizes.max() == 1 and not table.duplicated([name, "tokens"]).any():
            return name
    return None


def _key(table: pd.DataFrame, columns: list[str], few: int) -> tuple[str, ...]:
    """The fewest columns that, with params, leave no number of tokens twice in a run, and the fewest runs."""
    for many in range(4):
        keys = [key for key in combinations(columns, many) if not table.duplicated(["params", "tokens", *key]).any()]
        runs = [table.groupby(["params", *key], dropna=False).ngroups for key in keys]
        if runs and min(runs) <= few:
            return keys[int(np.argmin(runs))]
    return ()


# -- sweeps


def _sweep(runs: pd.DataFrame) -> Pooling | None:
    """Repeats of one design that differ by more than luck."""
    design = designs_of(runs)
    counts = np.bincount(design)
    many = counts[design] > 1
    if many.sum() < 8:
        return None
    rows, codes = runs[many], np.unique(design[many], return_inverse=True)[1]
    log = np.log(rows["loss"].to_numpy())
    away = log - (np.bincount(codes, log) / np.bincount(codes))[codes]
    designs = codes.max() + 1
    spread = float(np.sqrt((away**2).sum() / (len(away) - designs)))
    if spread < MATTERS:
        return None
    each = {name: levels for name, column in _carried(rows) if (levels := _levels(name, column)) is not None}
    within = {name: levels for name, levels in each.items() if _varies(levels, codes)}
    found = _explaining(within, away, designs)
    seen = f"{len(away):,} rows share params and tokens with others and differ by {spread:.1%} in loss"
    if found:
        names = tuple(name for name, _ in found)
        numbers = all(pd.api.types.is_numeric_dtype(rows[name]) for name in names if name in rows)
        return _named(names, seen, within=True, numbers=numbers, multiplied="unique_tokens" in rows)
    if spread > WIDE and _far_beyond(rows, spread):
        words = f"{seen}, far more than the best of each differ from a law: they are no repeats of one run"
        return Pooling("sweep", (), f"{words}. {_BEST}")
    return None


_CHOOSE = "The rows have to be chosen first"
_BEST = f"{_CHOOSE}: --best-of params,tokens keeps the one of least loss of each"


def _varies(levels: np.ndarray, codes: np.ndarray) -> bool:
    """Whether levels differ within most groups."""
    groups = codes.max() + 1
    low, high = np.full(groups, levels.max()), np.zeros(groups, dtype=int)
    np.minimum.at(low, codes, levels)
    np.maximum.at(high, codes, levels)
    return bool((high > low).mean() >= 0.5)


def _far_beyond(runs: pd.DataFrame, spread: float) -> bool:
    """Whether the least losses of all designs follow their law far closer than normal noise of this spread would."""
    least = runs.loc[runs.groupby(designs_of(runs))["loss"].idxmin()]
    try:
        best = fit_parametric(least)
    except FitError:
        return False
    freedom = len(least) - len(best.candidate.constants)
    if freedom < LEAST_FREEDOM or best.status == "not_identified":
        return False
    scatter = float(np.sqrt((best.residuals**2).sum() / freedom))
    # the least of k normal draws spreads by 1 / (1 + 0.3 ln k) of one, to 2 % for up to ten of them
    return spread > CLOSER * scatter * (1 + 0.3 * np.log(len(runs) / len(least)))


# -- evaluations


def _evaluations(fit: Fit, runs: pd.DataFrame, residuals: np.ndarray) -> Pooling | None:
    """Rows of one design that differ far less than the law misses them, and that nothing names as runs."""
    design = designs_of(runs, share=EXACT)
    counts = np.bincount(design)
    many, freedom = counts[design] > 1, len(counts) - len(fit.candidate.constants)
    if many.sum() < max(LEAST_REPEATS, len(runs) / 2) or len(counts) < LEAST_DESIGNS or freedom < 1:
        return None
    log = np.log(runs["loss"].to_numpy())
    away = log - (np.bincount(design, log) / counts)[design]
    spread = float(np.sqrt((away**2).sum() / (len(log) - len(counts))))
    misses = float(np.sqrt(((np.bincount(design, residuals) / counts) ** 2).sum() / freedom))
    if not 0 < spread < EVALUATED or misses < FURTHER * spread or _told_apart(runs, design):
        return None
    seen = f"{int(many.sum()):,} rows share params and tokens with others and differ by {100 * spread:.1g}% in loss"
    ask = f"where one law misses them by {100 * misses:.1g}%: are they several evaluations of one run?"
    return Pooling("evaluations", (), f"{seen}, {ask} {_ONE}; if they are runs of their own, a column 'seed' says so")


_ONE = "--best-of params,tokens keeps one of each"


def _told_apart(runs: pd.DataFrame, design: np.ndarray) -> bool:
    """Whether a column of seeds, of trials or of what is tuned differs within most designs of several rows."""
    several = (np.bincount(design) > 1)[design]
    codes = np.unique(design[several], return_inverse=True)[1]
    for place, name in enumerate(runs.columns):
        tells = _is(_REPEATS, str(name)) or (name not in (*LIMITS, *LABELS) and _is(_TUNED, str(name)))
        if tells and _varies(pd.factorize(runs.iloc[several, place])[0], codes):
            return True
    return False


# -- families and experts


def _families(runs: pd.DataFrame, residuals: np.ndarray, chosen: bool) -> Pooling | None:
    """A label that explains what one law for all leaves; ``chosen`` says that the best of each design was kept."""
    sizes, lengths = np.log(runs["params"].to_numpy()), np.log(runs["tokens"].to_numpy())
    scales = (sizes, lengths, sizes + lengths, lengths - sizes)
    each = {
        name: levels
        for name, column in _carried(runs)
        if not _EVALUATION.fullmatch(plain(name))
        and not _is(_STEPS, name)
        and (levels := _levels(name, column)) is not None
        and max(_share(x, levels)[0] for x in scales) < SAME
    }
    apart = {name: levels for name, levels in each.items() if max(_share(x, levels)[0] for x in scales) < APART}
    found = _explaining(each, residuals) or _tilting(apart, residuals, sizes, lengths)
    if not found:
        return None
    seen = f"one law for all {len(runs):,} runs leaves residuals"
    told = dict(multiplied="unique_tokens" in runs, single=len(np.unique(designs_of(runs))) == len(runs))
    return _named(tuple(name for name, _ in found), seen, chosen=chosen, **told)


def _tilting(
    columns: dict[str, np.ndarray], residuals: np.ndarray, sizes: np.ndarray, lengths: np.ndarray
) -> list[tuple[str, float]]:
    """The columns within whose levels residuals rise or fall with size or length: families of other exponents.

    By the ratio of variances of a plane of its own for each level to one for all, of residuals cut at three robust
    deviations; as :func:`_explaining` otherwise.
    """
    edge = 3 * float(robust_deviation(residuals - np.median(residuals)))
    cut = np.clip(residuals - np.median(residuals), -edge, edge)
    plane = np.column_stack([np.ones_like(cut), sizes - sizes.mean(), lengths - lengths.mean()])
    whole, found = _left(plane, cut), []
    for name, levels in columns.items():
        codes = np.unique(levels, return_inverse=True)[1]
        groups = codes.max() + 1
        if (counts := np.bincount(codes)).min() < LEAST_TILTED:
            continue
        left = sum(_left(plane[codes == k], cut[codes == k]) for k in range(groups))
        more, freedom = 3 * (groups - 1), int(counts.sum()) - 3 * groups
        if more < 1 or freedom < 1 or whole <= 0:
            continue
        chance = float(scipy.special.fdtrc(more, freedom, (whole - left) / more / max(left / freedom, 1e-12 * whole)))
        if (share := 1 - left / whole) >= EXPLAINED and chance < LEVEL / len(columns):
            found.append((name, share))
    return sorted(found, key=lambda each: -each[1])


def _left(plane: np.ndarray, values: np.ndarray) -> float:
    """The sum of squares that a plane leaves of values."""
    return float(((values - plane @ np.linalg.lstsq(plane, values, rcond=None)[0]) ** 2).sum())


def _appended(runs: pd.DataFrame, residuals: np.ndarray) -> Pooling | None:
    """Two tables below each other that no column tells apart."""
    step = find_step(residuals, runs)
    if step is None:
        return _two_heights(runs, residuals)
    noun = runs.index.name or "row"
    off = f"{abs(np.expm1(step.height)):.1%} {'above' if step.height > 0 else 'below'} the law of those before"
    seen = f"from {noun} {step.after} on, losses lie {off}, and stray by {step.spread:.2%} on either side"
    why = "two tables below each other, with another unit, data set or way of counting? One law is that of neither"
    hint = "add a column that tells them apart, and --group COLUMN fits the rows of each by themselves"
    return Pooling("appended", (), f"{seen}: {why}. {_CHOOSE}: {hint}, --where chooses those of one")


def _two_heights(runs: pd.DataFrame, residuals: np.ndarray) -> Pooling | None:
    """Two groups of rows, in whatever order, that no column tells apart."""
    found = find_heights(residuals, runs)
    if found is None:
        return None
    few, height, spread = found
    off = f"{abs(np.expm1(height)):.1%} {'above' if height > 0 else 'below'} the law of the others"
    seen = (
        f"{few.sum()} of {len(runs)} rows ({name_rows(runs.index, few)}) lie {off}, and all stray by {spread:.2%} only"
    )
    why = "two families, with another unit, data set or way of counting? One law is that of neither"
    hint = "add a column that tells them apart, and --group COLUMN fits the rows of each by themselves"
    return Pooling("appended", (), f"{seen}: {why}. {_CHOOSE}: {hint}, --where chooses those of one")


def _unfinished(runs: pd.DataFrame, residuals: np.ndarray, read_from: Mapping[str, str]) -> Pooling | None:
    """Runs that ended before their planned length, and for that lie above the law."""
    found = unfinished(runs)
    if found is None:
        return None
    name, share = found
    early = share < ENDED
    rest = residuals[~early]
    above = float(np.median(residuals[early]) - np.median(rest))
    if above < max(MATTERS, 2 * float(robust_deviation(rest - np.median(rest)))):
        return None
    part = " to ".join(dict.fromkeys(f"{each:.0%}" for each in (share[early].min(), share[early].max())))
    seen = f"{name_rows(runs.index, early)}: ended at {part} of {name!r}, and {above:.1%} above the law of the others"
    why = "a run cut short is not what a run of that length reaches"
    if "run" in runs:
        names = ", ".join(json.dumps(each, default=str) for each in runs.loc[early, "run"].tolist())
        told = f"{_quoted(read_from.get('run', 'run'))} not in ({names})"
        hint = f"--where {shlex.quote(told)}" if early.sum() <= MOST_LEVELS else "--where"
    else:
        hint = f"--drop {','.join(map(str, runs.index[early]))}" if early.sum() <= MOST_LEVELS else "--where"
    return Pooling("unfinished", (name,), f"{seen}: {why}. {hint} leaves these out")


def _quoted(name: str) -> str:
    return name if name.isidentifier() else f"`{name}`"


def _labelled(runs: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """The runs of a fit, labelled as in the table whose last points they are."""
    ends = last_points(table)
    return runs.set_axis(ends.index) if len(ends) == len(runs) else runs


def _named(
    names: tuple[str, ...],
    seen: str,
    within: bool = False,
    numbers: bool = False,
    chosen: bool = False,
    multiplied: bool = False,
    single: bool = False,
) -> Pooling:
    """What to say of columns that explain differences among rows, the strongest first.

    ``within`` says that rows of one size and length differ in them, ``numbers`` that they hold numbers, ``chosen``
    that the best of each design was kept, ``multiplied`` that tokens are counted with every repetition,
    ``single`` that no two rows are of one size and length.
    """
    words = f"{seen}, which {' and '.join(map(repr, names[:3]))} explain{'s' * (len(names) == 1)}"
    if epochs := [name for name in names if "epoch" in plain(name)]:
        if multiplied:
            why = "a token that is read again is worth less than a new one"
            keep = f"--where {shlex.quote(f'{_quoted(epochs[0])} <= 1')} keeps the runs on new tokens"
            return Pooling("sweep", names, f"{words}: {why}. {keep}, --group {_typed(epochs[:1])} fits each by itself")
        told = "tokens has to be what was trained on, with every repetition: multiply it, or keep one number of epochs"
        return Pooling("sweep", names, f"{words}: {told}")
    if any(_is(_TUNED, name) for name in names) and chosen:
        why = "the best of each design was kept, but not all designs came as near to their best"
        return Pooling(
            "sweep", names, f"{words}: {why}. {_CHOOSE}: --where leaves out those that were tried with too few settings"
        )
    if single and any(_is(_TUNED, name) for name in names):
        why = "not all runs were tuned alike, and those that were tuned badly lie above the law of the others"
        return Pooling("sweep", names, f"{words}: {why}. {_CHOOSE}: --where chooses those with settings near the best")
    if any(_is(_TUNED, name) for name in names):
        return Pooling("sweep", names, f"{words}: a sweep, not one run of each size and number of tokens. {_BEST}")
    if within and numbers:
        asked = f"a setting that was tuned? --best-of params,tokens --over {_typed(names)} keeps the best of each"
        return Pooling(
            "sweep", names, f"{words}: {asked}. Or families? --group {_typed(names[:1])} fits each by itself"
        )
    choose = f"--group {_typed(names[:1])} fits the rows of each by themselves, --where chooses those of one"
    return Pooling("families", names, f"{words}: several families or data sets are pooled. {_CHOOSE}: {choose}")


def _typed(names: Sequence[str]) -> str:
    """Names of columns as they are typed in a shell."""
    return shlex.quote(",".join(names))


def _experts(runs: pd.DataFrame, read_from: str) -> Pooling | None:
    """Models of which a part is active, counted whole."""
    if _is(_ACTIVE, read_from):
        return None
    total = runs["params"].to_numpy()
    for name, column in _carried(runs):
        if _is(_ACTIVE, name) and pd.api.types.is_numeric_dtype(column):
            with np.errstate(invalid="ignore"):
                ratio = column.to_numpy(dtype=float, na_value=np.nan) / total
                sparse = (ratio > 1e-4) & (ratio < ALL_ACTIVE)
            if sparse.any():
                seen = (
                    f"{name!r} is below params in {sparse.sum():,} of {len(runs):,} rows: a mixture of experts, whose"
                )
                words = f"compute is 6 times active parameters times tokens. --column params={name!r} takes these"
                return Pooling("experts", (name,), f"{seen} {words}")
    for name, column in _carried(runs):
        if _is(_EXPERTS, name) and pd.api.types.is_numeric_dtype(column) and (column > 1).any():
            seen = f"{name!r} is above 1 in {int((column > 1).sum()):,} of {len(runs):,} rows: a mixture of experts"
            words = "whose compute follows the active parameters: add a column of these"
            return Pooling("experts", (name,), f"{seen}, {words}, and --column params=COLUMN takes it")
    return None
