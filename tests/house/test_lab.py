"""The notebooks in JupyterLab, with the extension for their Markdown that the environment brings."""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest
from visits import DESK, Visit

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
#: seconds in which a server has answered
PATIENCE = 120
RAW = re.compile(r"\{(?:cite|numref|eq|ref|doc|prf)[\w:]*\}|^(?::::|```)\s*\{|^\([\w-]+\)=", flags=re.MULTILINE)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Address of a JupyterLab on the notebooks' folder, whose settings are its own."""
    place = tmp_path_factory.mktemp("lab")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    names = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    names += ("JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR")
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}"]
    command += ["--IdentityProvider.token=", f"--ServerApp.root_dir={ROOT}", "--LabApp.news_url="]
    command += ["--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    environment = os.environ | {name: str(place / name) for name in names}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        address, end = f"http://127.0.0.1:{port}", time.monotonic() + PATIENCE
        while time.monotonic() < end and server.poll() is None:
            try:
                urllib.request.urlopen(f"{address}/api", timeout=5)
                break
            except (urllib.error.URLError, TimeoutError):
                time.sleep(0.2)
        yield address
        server.terminate()


#: named only in the body of a directive that JupyterLab shows as it is typed, folded
UNREAD = {"fig-isoflop-drift"}


@contextmanager
def opened(browser, lab, name):
    """The notebook of a chapter, once its last cell is there."""
    with Visit(browser, lab, DESK) as visit:
        visit.page.goto(f"{lab}/lab/tree/notebooks/{name}.ipynb?reset")
        notebook = visit.page.locator(".jp-Notebook")
        notebook.locator("a[href*='references.md']").first.wait_for(state="attached")
        yield notebook


@pytest.mark.parametrize("name", ["06_isoflop", "07_parametric_loss"])
def test_papers_and_figures_are_named_by_their_keys(browser, lab, name):
    """Nothing there numbers figures or knows the list of references; a key that says what it is stands in its place."""
    sources = [cell["source"] for cell in nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", 4).cells]
    keys = set(re.findall(r"\{(?:cite(?::\w+)?|numref)\}`([\w-]+)`", "\n".join(sources)))
    assert len(keys) > 1
    with opened(browser, lab, name) as notebook:
        said = " ".join(notebook.locator(".jp-MarkdownCell .myst").all_text_contents())
        assert {key for key in keys if not re.search(rf"(?<!`){key}(?!`)", said)} <= UNREAD


@pytest.mark.xfail(reason="jupyterlab-myst reads no captions and no alternative text from the metadata of cells")
@pytest.mark.parametrize("what", ["caption", "alternative text"])
def test_figures_have_what_their_pages_give_them(browser, lab, what):
    """A reader of a page has both; in JupyterLab a picture stands alone, and its cell's metadata hold them."""
    with opened(browser, lab, "07_parametric_loss") as notebook:
        pictures = notebook.locator(".jp-OutputArea-output img[src^='data:image/png']")
        pictures.first.wait_for(state="attached")
        assert (notebook.locator("figcaption") if what == "caption" else notebook.locator("img[alt]")).count()


@pytest.mark.parametrize("name", ["06_isoflop", "07_parametric_loss"])
def test_a_notebook_reads_as_its_page_does(browser, lab, name):
    """Links to chapters, equations and exercises are links; no role, directive or label stands there as it is typed."""
    with opened(browser, lab, name) as notebook:
        texts = notebook.locator(".jp-MarkdownCell").all_inner_texts()
        assert len(texts) > 10
        assert not [text for text in texts if RAW.search(text)]
        assert notebook.locator("h1").count() == 1
        assert notebook.locator("a[href*='.ipynb']").count()
        assert notebook.locator("a[title='Link to this Exercise']").count() > 1
        assert notebook.locator("a[title='Link to this Equation']").count()
        assert notebook.locator(".jp-OutputArea-output img[src^='data:image/png']").count()
