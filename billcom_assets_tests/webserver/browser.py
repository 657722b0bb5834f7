"""Debian's Chromium without a screen, driven through its own chromedriver, and what it asked for."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from selenium import webdriver

CHROMIUM, DRIVER = "chromium", "chromedriver"
_PATIENCE_SECONDS = 120
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # High, because the UI only makes the rows of a log that are in sight.
    "--window-size=1600,6000",
    # Nothing leaves this machine; what tries is in the log of requests all the same.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
_ADDRESSES = """
const names = /^(href|xlink:href|src|srcset|action|formaction|poster|data|srcdoc|background|style|on.*)$/i;
return [...document.querySelectorAll('*')].flatMap(element =>
    [...element.attributes].filter(one => names.test(one.name)).map(one => one.value));
"""
_OPEN_DIALOGS = """
[...document.querySelectorAll('button, a, span, div')]
    .filter(element => !element.children.length && element.textContent.startsWith('[Show Markdown'))
    .forEach(element => element.click());
"""


def is_installed() -> bool:
    return all(map(shutil.which, (CHROMIUM, DRIVER)))


@dataclass(frozen=True)
class Request:
    """A request that a page made or tried to make."""

    method: str
    url: str
    body: str

    @property
    def authority(self) -> str:
        """Whom it went to; empty for what needs no network, such as ``data:`` and the browser's own pages."""
        parts = urlsplit(self.url)
        return parts.netloc if parts.scheme in ("http", "https", "ws", "wss") else ""


@dataclass(frozen=True)
class Browser:
    """A browser with one page."""

    driver: webdriver.Chrome

    def open(self, url: str) -> None:
        self.driver.get(url)

    def wait_until(self, holds: Callable[[], bool]) -> None:
        """Waits; Markdown that the UI keeps behind a click is opened on the way."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not holds():
            if time.monotonic() > deadline:
                raise AssertionError(f"never came, at {self.driver.current_url}:\n{self.text()[:4_000]}")
            self.driver.execute_script(_OPEN_DIALOGS)
            time.sleep(0.2)

    def text(self) -> str:
        """What stands in the page, scrolled out of sight or not."""
        return str(self.driver.execute_script("return document.body ? document.body.innerText : ''"))

    def addresses(self) -> list[str]:
        """Values of everything in the page that can name an address or a script."""
        return [str(value) for value in self.driver.execute_script(_ADDRESSES)]

    def requests(self) -> list[Request]:
        """Everything that was asked for since the last call."""
        return [request for entry in self.driver.get_log("performance") for request in _requests(entry)]


def _requests(entry: dict[str, Any]) -> Iterator[Request]:
    message = json.loads(entry["message"])["message"]
    if message["method"] == "Network.requestWillBeSent":
        request = message["params"]["request"]
        yield Request(request["method"], request["url"], request.get("postData", ""))
    elif message["method"] == "Network.webSocketCreated":
        yield Request("WEBSOCKET", message["params"]["url"], "")


@contextmanager
def browser(profile: Path) -> Iterator[Browser]:
    """A fresh browser, closed at the end."""
    options = webdriver.ChromeOptions()
    options.binary_location = str(shutil.which(CHROMIUM))
    for flag in (*_FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.page_load_strategy = "eager"
    options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(str(shutil.which(DRIVER))))
    try:
        yield Browser(driver)
    finally:
        driver.quit()
