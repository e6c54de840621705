"""Pages opened in a browser that can reach nothing but them, and what goes wrong there."""

import os
import shutil
import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import sync_playwright

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SWITCHES = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
SWITCHES += ["--disable-component-update", "--disable-sync", "--no-first-run"]
# it finds no other machine; to look at each request before it is sent would cost a quarter of the time of a page
SWITCHES += ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--no-proxy-server"]
#: milliseconds after which something is broken, and not only slow
PATIENCE = 900_000
NARROW, DESK, WIDE = {"width": 400, "height": 900}, {"width": 1280, "height": 900}, {"width": 1400, "height": 900}


@contextmanager
def chromium():
    """A browser; skipped without one, unless the environment says that there has to be one."""
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        message = f"no browser: none of {', '.join(BROWSERS)} is on the path"
        if os.environ.get("SCALING_REQUIRE_BROWSER"):
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=SWITCHES)
        yield browser
        browser.close()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@contextmanager
def served(folder):
    """Address of a server of a folder on this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def pages_of(html):
    """Every page, relative to the folder of the pages; index.html only sends the reader on."""
    pages = (path.relative_to(html) for path in html.rglob("*.html"))
    return sorted(page for page in pages if not page.parts[0].startswith("_") and page.name != "index.html")


class Visit:
    """A browser page that writes down every fault, among them what it asks of others than `base`."""

    def __init__(self, browser, base, size=WIDE):
        self.base, self.faults, self.loaded = base, [], []
        self.context = browser.new_context(viewport=size)
        self.context.set_default_timeout(PATIENCE)
        self.context.on("request", lambda request: self.is_local(request.url) or self.note(f"not local: {request.url}"))
        self.page = self.context.new_page()
        self.page.on("console", lambda message: message.type in {"error", "warning"} and self.note(message.text))
        self.page.on("pageerror", lambda error: self.note(str(error)))
        self.page.on("requestfailed", self.note_failure)
        self.page.on("response", lambda response: response.status >= 400 and self.note(f"missing: {response.url}"))
        self.page.on("requestfinished", lambda request: self.loaded.append(request))

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.context.close()

    def is_local(self, url):
        return url.startswith((self.base, "data:", "blob:", "about:"))

    def note_failure(self, request):
        if not request.url.endswith("favicon.svg"):  # given up when the next page is opened
            self.note(f"failed: {request.url}")

    def note(self, fault):
        self.faults.append(fault)

    def told(self):
        """The faults that were noted since this was asked for the last time."""
        faults, self.faults[:] = list(self.faults), []
        return faults

    def open(self, path):
        self.loaded.clear()
        self.page.goto(f"{self.base}/{path}")

    def theme(self, theme):
        self.page.evaluate("theme => Object.assign(document.documentElement.dataset, {theme, mode: theme})", theme)
