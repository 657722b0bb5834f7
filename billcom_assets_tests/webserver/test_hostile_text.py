"""Whatever BILL and its users write, whoever opens the Dagster UI sees text, and nothing else happens.

A simulated BILL full of payloads, real Dagster runs on it, and the real UI in a real browser.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from dagster._core.test_utils import create_run_for_test

from billcom_assets.job_runner import open_instance
from billcom_assets.redaction.excerpt import excerpt
from billcom_assets.sandbox import SandboxServer, Settings
from billcom_assets_tests.automation.companies import KEY
from billcom_assets_tests.webserver.browser import CHROMIUM, DRIVER, Browser, browser, is_installed
from billcom_assets_tests.webserver.command import billcom_ui
from billcom_assets_tests.webserver.hostile_bill import make_runs, plant
from billcom_assets_tests.webserver.payloads import EVIL, payloads

PAGES = (
    "/assets/accounts?view=overview",
    "/assets/items?view=overview",
    "/assets/departments?view=overview",
    "/assets/items?view=events",
    f"/assets/items?view=partitions&partition={KEY}",
    "/assets/gate?view=checks&checkDetail=company_attached",
    "/assets/accounts?view=checks&checkDetail=data_quality",
    "/assets/items?view=checks&checkDetail=data_quality",
    "/runs/{seeded}",
    "/runs/{stopped}",
    "/runs/{refused}",
)
"""Where texts of BILL's come to."""


@pytest.fixture
def chromium(tmp_path: Path) -> Iterator[Browser]:
    if not is_installed():
        pytest.skip(f"needs {CHROMIUM} and {DRIVER}: apt-get install chromium chromium-driver")
    with browser(tmp_path / "profile") as opened:
        yield opened


def run_ids() -> set[str]:
    with open_instance() as instance:
        return {run.run_id for run in instance.get_runs()}


def is_planted(value: str) -> bool:
    """An address or a script that came out of a payload."""
    address = value.strip().lower()
    return EVIL in address or "deletepipelinerun" in address or address.startswith(("javascript:", "data:text"))


def test_nothing_that_bill_says_acts_in_the_browser_of_whoever_opens_the_ui(home: Path, chromium: Browser) -> None:
    with open_instance() as instance:
        # The run that the payloads try to delete.
        victim = create_run_for_test(instance).run_id
    texts = payloads(victim)
    with SandboxServer(Settings(bills=40, orgs=2)) as server:
        plant(server, texts)
        runs = make_runs(server, texts)
    before = run_ids()
    shown = [excerpt(text, limit=80) for text in texts]
    planted, everything = {}, ""

    with billcom_ui(home, "--no-daemon") as ui:
        for page in PAGES:
            path = page.format_map(runs)
            chromium.open(ui.url + path)
            chromium.wait_until(
                lambda: (
                    any(text[:40] in chromium.text() for text in shown) or any(map(is_planted, chromium.addresses()))
                )
            )
            planted[path] = [address for address in chromium.addresses() if is_planted(address)]
            everything += chromium.text()
        asked = chromium.requests()

    assert {path: found for path, found in planted.items() if found} == {}
    assert [text for text in shown if text not in everything] == [], "every payload was there to be seen"
    assert {one.authority for one in asked if one.authority} == {urlsplit(ui.url).netloc}
    assert [one for one in asked if one.method == "GET" and "/graphql" in one.url] == []
    assert [one for one in asked if '"query":"mutation' in one.body] == []
    assert run_ids() == before
