"""Executes the notebook of the folder in which it runs; started by ``processes`` as a process.

The folder holds ``before.ipynb`` and ``parameters.json``; ``after.ipynb`` or ``error.json`` is written there. They are
named without the folder, because papermill takes braces in a path for places to fill.
"""

import json
import sys
from pathlib import Path

#: seconds that one cell may take
PATIENCE = 900
#: packages with which jsonschema would compile the grammars of addresses: a second
GRAMMARS = ("rfc3987_syntax", "rfc3986_validator")


def main() -> None:
    import papermill
    from papermill.exceptions import PapermillExecutionError

    try:
        papermill.execute_notebook(
            "before.ipynb",
            "after.ipynb",
            parameters=json.loads(Path("parameters.json").read_text(encoding="utf-8")),
            kernel_name="python3",
            progress_bar=False,
            execution_timeout=PATIENCE,
            request_save_on_cell_execute=False,  # nobody reads the pieces, and the whole is written at the end
        )
        return
    except PapermillExecutionError as error:
        story = {"cell": error.exec_count, "source": error.source, "error": error.ename, "message": error.evalue}
        story["traceback"] = "\n".join(error.traceback)
    except Exception as error:  # a kernel that died, or a cell that took too long
        story = {"cell": None, "source": "", "error": type(error).__name__, "message": str(error)[-2000:]}
        story["traceback"] = ""
    Path("error.json").write_text(json.dumps(story), encoding="utf-8")


if __name__ == "__main__":
    from scaling._parallel.parent import end_with

    end_with(int(sys.argv[1]))
    sys.modules |= dict.fromkeys(GRAMMARS)  # type: ignore[arg-type]
    main()
