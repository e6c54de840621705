"""Which tests go to one process: those of a file, which share what they build, but for some that stand alone."""

#: long tests that share nothing with the others of their file: each goes to whichever process is free
ALONE = (
    "tests/book/test_interruption.py",
    "tests/book/test_rerun.py::test_every_chapter_takes_every_kind_of_table",
    "tests/house/test_notebooks.py::test_runs_with",
    "tests/house/test_project.py::test_commands_run_as_printed",
)
#: tests that share the executed chapters and the book that is built of them, and so go to one process: the longest way
BUILT = (
    "tests/course/test_checks.py::test_solutions",
    "tests/house/test_book",
    "tests/house/test_notebooks.py::test_runs_as_it_is",
)
#: files that share what the papers' claims rest on
PAPERS = "tests/papers/"


def by_file(config, log):
    """The scheduler of ``--dist loadfile``, with these exceptions."""
    from xdist.scheduler import LoadFileScheduling  # the package is also tested without pytest-xdist

    class ByFile(LoadFileScheduling):
        def _split_scope(self, nodeid):
            if nodeid.startswith(BUILT):
                return BUILT[0]
            if nodeid.startswith(PAPERS):
                return PAPERS
            return nodeid if nodeid.startswith(ALONE) else super()._split_scope(nodeid)

    return ByFile(config, log)
