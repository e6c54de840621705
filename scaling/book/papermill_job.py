"""Executes one notebook in its folder: ``python papermill_job.py FOLDER``; started by ``chapters`` as a process.

The folder holds ``before.ipynb`` and ``parameters.json``; ``after.ipynb`` or ``error.json`` is written there. It
imports nothing of the package, which would cost a second or two for each chapter.
"""

import json
import sys
from pathlib import Path

#: seconds that one cell may take
PATIENCE = 900


def main(folder: Path) -> None:
    import papermill
    from papermill.exceptions import PapermillExecutionError

    try:
        papermill.execute_notebook(
            str(folder / "before.ipynb"),
            str(folder / "after.ipynb"),
            parameters=json.loads((folder / "parameters.json").read_text(encoding="utf-8")),
            cwd=str(folder),
            kernel_name="python3",
            progress_bar=False,
            execution_timeout=PATIENCE,
        )
        return
    except PapermillExecutionError as error:
        story = {"cell": error.exec_count, "source": error.source, "error": error.ename, "message": error.evalue}
        story["traceback"] = "\n".join(error.traceback)
    except Exception as error:  # a kernel that died, or a cell that took too long
        story = {"cell": None, "source": "", "error": type(error).__name__, "message": str(error)[-2000:]}
        story["traceback"] = ""
    (folder / "error.json").write_text(json.dumps(story), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
