"""The built book, its server and a visit to its pages, for the tests of the house."""

import io
from contextlib import redirect_stderr

import build_book
import pytest
from executed import executing
from visits import Visit, served


@pytest.fixture(scope="session")
def html(tmp_path_factory):
    """The pages, built as by the command that `make book` uses; a warning or a failing cell fails here."""
    folder = tmp_path_factory.mktemp("book")
    with redirect_stderr(io.StringIO()) as told:
        code = build_book.main(["--output", str(folder)], executing)
    assert code == 0, told.getvalue()[-2000:]
    return folder / "_build" / "html"


@pytest.fixture(scope="session")
def site(html):
    """Address of a server of the pages on this machine."""
    with served(html) as address:
        yield address


@pytest.fixture
def visit(browser, site):
    with Visit(browser, site) as visit:
        yield visit


@pytest.fixture(scope="session")
def asked(browser, html, site):
    """What is wrong with the pages, by kind."""
    from asked import every_page

    return every_page(browser, html, site)
