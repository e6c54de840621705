"""A process that does not outlive the one for which it works, in whatever way that one ends."""

from __future__ import annotations

import os
import select
import threading
import time
from functools import cache

__all__ = ["end_with"]

#: seconds between two looks at a process, where the system does not tell of its end
LOOK = 1.0


@cache
def end_with(process: int) -> None:
    """End this process at once when that one, by its number, has ended; what runs here is not asked."""
    threading.Thread(target=_watch, args=(process,), name="end with parent", daemon=True).start()


def _watch(process: int) -> None:
    try:
        handle = os.pidfd_open(process)
    except ProcessLookupError:
        os._exit(1)
    except (AttributeError, OSError):  # other systems than Linux, or a forbidden call
        _look_for(process)
    else:
        select.select([handle], [], [])
    os._exit(1)


def _look_for(process: int) -> None:
    while True:
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return
        except PermissionError:
            pass
        time.sleep(LOOK)
