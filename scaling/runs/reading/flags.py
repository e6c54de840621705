"""Columns that say which runs failed: ``failed``, ``ok``, ``outcome``, ``diverged``; and the words of a status."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
import pandas as pd

from ..._words import name_rows, plain

#: words in cells for how a run ended (``finished``, ``failed``, ``yes``, ``no``), and words in headers (``says ...``)
_WORDS = {
    "finished": "completed complete done succeeded success successful ok okay converged good fine passed pass normal "
    "stable valid fertig beendet abgeschlossen erfolgreich termine terminee reussi terminado completado "
    "finalizado exitoso concluido 完成 已完成 成功 正常 完了 正常終了 완료 성공 завершен завершено успешно ✓ ✔ ☑ ✅",
    "failed": "failed fail failure crashed crash diverged divergence diverging killed aborted abort oom nan inf error "
    "errored exploded unstable timeout timedout preempted cancelled canceled stopped interrupted incomplete "
    "unfinished invalid bad broken spiked running pending queued fehlgeschlagen abgebrochen divergiert "
    "abgesturzt echoue echec diverge interrompu fallido fallo divergio falhou divergiu cancelado 失败 失敗 "
    "发散 発散 崩溃 中断 异常 エラー 실패 발산 중단 ✗ ✘ ❌",
    "says failed": "failed fail failure diverged divergence divergent crashed crash aborted killed exploded unstable "
    "isnan hasnan nanloss nan invalid excluded exclude discard discarded broken bad oom interrupted incomplete "
    "unfinished error errors exception failurereason fehlgeschlagen abgebrochen divergiert echoue fallido "
    "falhou 失败 失敗 发散 発散 실패 발산",
    "says finished": "finished finish completed complete done ok okay success succeeded successful converged valid "
    "good usable use used keep include included passed stable fertig beendet abgeschlossen erfolgreich termine "
    "reussi terminado completado exito 完成 已完成 成功 正常 完了 완료 성공",
    "says out": "outlier outliers ignore ignored skip skipped drop dropped",
    "says by number": "exitcode returncode exitstatus rc",
    "says how": "status state outcome result runstate runstatus runoutcome runresult trainingstatus trainstatus "
    "jobstatus jobstate exitstatus finalstatus finalstate ergebnis zustand ausgang statut etat resultat resultado "
    "estado stato esito 状态 結果 状態 结果 상태 결과",
    "no run": "extrapolated extrapolation predicted projected forecast forecasted planned todo "
    "vorhergesagt extrapoliert geplant predit prevu extrapole previsto planeado 预测 外推 計画 予測",
    "yes": "true yes y t 1 10 x ja oui si sim da wahr vrai verdadero 是 はい 예 ✓ ✔ ☑ ✅",
    "no": "false no n f 0 00 nein non nao niet falsch faux falso 否 いいえ 아니오 ✗ ✘ ☐ ❌",
    "remarks": "note notes comment comments remark remarks bemerkung bemerkungen remarque nota notas 备注 備考 비고",
}
FINISHED, _FAILED, _SAYS_FAILED, _SAYS_FINISHED, _SAYS_OUT, _BY_NUMBER, _SAYS_HOW, _NO_RUN, _YES, _NO, _NOTES = (
    (frozenset(map(plain, words.split())) | frozenset(words.split())) - {""} for words in _WORDS.values()
)
#: most different words of a column that says which rows are runs
MOST_KINDS = 6
_MARKS = str.maketrans("", "", " .")


def failed_runs(frame: pd.DataFrame, taken: set[int]) -> tuple[pd.Series | None, list[str]]:
    """For each row the word that says that it failed, "" for others (None where none did), and notes on columns."""
    words: pd.Series | None = None
    notes: list[str] = []
    for place, header in enumerate(frame.columns):
        if place in taken:
            continue
        said, what = _said(str(header), frame.iloc[:, place]), "which runs failed"
        what = "which runs are to be left out" if _name(str(header)) in _SAYS_OUT | {"use", "used"} else what
        if said is None:
            said, what = _foretold(frame.iloc[:, place]), "which rows are no runs, but foretold or planned"
        if said is not None and (said != "").any():
            notes.append(f"column {header!r} says {what}")
            words = said if words is None else words.where(words != "", said)
        elif plain(re.split(r"[./]", str(header))[-1]) in _NOTES:
            notes += _remarked(str(header), frame.iloc[:, place])
    return words, notes


def _foretold(column: pd.Series) -> pd.Series | None:
    """The word for each row that is a prediction or a plan and no run, "" for others; None where none or all are."""
    if pd.api.types.is_numeric_dtype(column) or (cells := column.astype("str")).nunique() > MOST_KINDS:
        return None
    cells = cells.str.strip().fillna("")
    hit = cells.map(plain).isin(_NO_RUN).to_numpy(dtype=bool)
    return pd.Series(np.where(hit, cells.str.slice(0, 30), ""), index=column.index) if 0 < hit.mean() < 1 else None


def _remarked(header: str, column: pd.Series) -> list[str]:
    """Remarks that begin with a word for a failure; the rows are kept, for a remark may say anything."""
    cells = column.dropna().astype("str").str.strip()
    hit = cells[[plain(cell.split(" ")[0]) in _FAILED for cell in cells]]
    if not len(hit):
        return []
    where = name_rows(hit.index, np.ones(len(hit), dtype=bool))
    return [f"{where}: {hit.iloc[0][:30]!r} in column {header!r}; kept: remove the row if that run failed"]


def known_state(column: pd.Series) -> bool:
    """Whether any word of a column is one for how a run ended."""
    return any(
        as_word(cell) in FINISHED | _FAILED | {"finished"} for cell in column.dropna().astype("str").unique()[:1000]
    )


def as_word(cell: str) -> str:
    """A cell without case and punctuation, or the sign that it holds."""
    return plain(cell) or cell.translate(_MARKS)


def is_flag(header: str) -> bool:
    """Whether a header is one of columns that say which runs failed, if its cells do."""
    return _name(header) in _SAYS_FAILED | _SAYS_FINISHED | _SAYS_OUT | _BY_NUMBER | _SAYS_HOW


def says_failed(header: str, column: pd.Series) -> bool:
    """Whether a column is one of these, by its header and its cells."""
    return _said(header, column) is not None


def _name(header: str) -> str:
    name = plain(re.split(r"[./]", header)[-1])
    return name if name in _SAYS_HOW else re.sub(r"^(is|has|did|was|run|training|train|job)(?=.)", "", name)


def _said(header: str, column: pd.Series) -> pd.Series | None:
    """Why each run failed, as one column has it, "" for the others; None for a column of something else."""
    if not is_flag(header):
        return None
    name = _name(header)
    blank = column.isna().to_numpy(dtype=bool)
    cells = column.astype("str").str.strip().str.casefold().fillna("")
    blank = blank | cells.isin(["", "-", "--", "none", "null", "n/a", "<na>"]).to_numpy(dtype=bool)
    if name in _BY_NUMBER and ((codes := pd.to_numeric(column, errors="coerce")) == 0).any():
        return pd.Series(np.where(codes.fillna(0) != 0, header, ""), index=column.index)
    plainly = cells.map(as_word)
    yes, no = (plainly.isin(known).to_numpy(dtype=bool) & ~blank for known in (_YES, _NO))
    if (yes | no | blank).all() and name not in _SAYS_HOW:
        out = name in _SAYS_FAILED | _SAYS_OUT
        failed = yes if out else (no if no.any() else blank & yes.any())
        return pd.Series(np.where(failed, header if out else f"not {header}", ""), index=column.index)
    if pd.api.types.is_numeric_dtype(column) or name in _SAYS_OUT:
        return None
    good, bad = (plainly.isin(known).to_numpy(dtype=bool) & ~blank for known in (FINISHED | {"finished"}, _FAILED))
    if name in _SAYS_FAILED:
        failed = ~blank & ~no & ~good
        mostly = failed.mean() <= 0.9 and not pd.to_numeric(cells[failed], errors="coerce").notna().any()
        return pd.Series(np.where(failed, header, ""), index=column.index) if mostly else None
    if not (good | bad).any():
        return None
    failed = ~(good | blank) if good.any() else bad
    return pd.Series(np.where(failed, cells.str.slice(0, 30), ""), index=column.index)


def translate_status(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Other words for a finished run become ``finished``."""
    if "status" not in frame:
        return frame, []
    word = frame["status"].astype("str").map(as_word, na_action="ignore")
    other = word.isin(FINISHED).to_numpy(dtype=bool)
    if not other.any():
        return frame, []
    status = frame["status"].astype(object).where(~other, "finished")
    return frame.assign(status=status), [finished_note(set(word[other]), int(other.sum()))]


def finished_note(words: Iterable[str], rows: int) -> str:
    """What is said of other words for a finished run."""
    return f"status {', '.join(sorted(map(repr, words)))} taken as 'finished' ({rows} rows)"


def with_failures(frame: pd.DataFrame, failed: pd.Series | None) -> pd.DataFrame:
    """The table with a status that says which runs failed, where columns of another name do."""
    if failed is None:
        return frame
    status = frame["status"].astype(object) if "status" in frame else pd.Series("finished", frame.index, dtype=object)
    return frame.assign(status=status.where(failed == "", failed))


def is_finished(frame: pd.DataFrame) -> np.ndarray:
    """Which rows have a status that says that the run finished."""
    return (frame["status"].astype("str").str.strip().str.lower() == "finished").to_numpy(dtype=bool)
