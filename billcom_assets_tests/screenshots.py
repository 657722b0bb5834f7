"""The README's screenshots, of the demo beside a company that is not ready: ``make screenshots``.

Needs Chromium and its driver: apt-get install chromium chromium-driver
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from billcom_assets.assets.integrations import integrations
from billcom_assets.job_runner import open_instance
from billcom_assets.resources import Billcom
from billcom_assets.sandbox import SandboxServer, Settings
from billcom_assets_tests.webserver.browser import Browser, browser, is_installed
from billcom_assets_tests.webserver.command import billcom_ui

_SETTLES_SECONDS = 2.0
"""For what a page draws after its texts."""
FOLDER = Path(__file__).parents[1] / "docs"
DEMO = "demo"
WAITING = "meridian"
"""A company whose setup is not complete."""


@dataclass(frozen=True)
class Shot:
    """A page and what it is kept as."""

    name: str
    path: str
    shows: str
    """Text that is there once the page is complete."""
    width: int = 1600
    """Of the window, in pixels."""


def shots(run_id: str) -> list[Shot]:
    return [
        Shot("asset-graph", "/asset-groups", "receivables"),
        Shot("gate", "/assets/gate?view=checks&checkDetail=vendors_mapped", "how_to_fix"),
        Shot("integrations", "/assets/integrations?view=overview", WAITING),
        Shot("run", f"/runs/{run_id}", "RUN_SUCCESS"),
        Shot("held-documents", "/assets/held_documents?view=overview", "home amount", width=1900),
        Shot("alignment", "/assets/account_alignment?view=overview", "plan_number", width=1900),
        Shot("aging", "/assets/ap_aging?view=overview", "over_90"),
        Shot("data-quality", "/assets/accounts?view=checks&checkDetail=data_quality", "unique numbers"),
    ]


def billcom(*arguments: str) -> int:
    return subprocess.run([sys.executable, "-m", "billcom_assets.cli", *arguments], check=False).returncode


def prepare() -> str:
    """A demo with an incremental sync, a refused company, and the line of both; the id of the newest run."""
    billcom("demo")
    billcom("demo", "--again")
    with SandboxServer(Settings(bills=120, orgs=2)) as server:
        company = server.world.organizations[1]
        where = ("--organization-id", company.id, "--base-url", server.base_url, "--v2-base-url", server.v2_base_url)
        who = ("--username", company.token.username, "--password", company.token.password)
        billcom("connect", WAITING, "--company", company.name, *where, *who, "--dev-key", "sandbox-dev-key")
        # Otherwise the daemon would, once the simulated BILL has stopped.
        billcom("seed", WAITING)
        billcom("sync", WAITING)
    with open_instance() as instance:
        dg.materialize([integrations], resources={"billcom": Billcom()}, instance=instance)
        (newest,) = instance.get_runs(dg.RunsFilter(job_name="full_sync", tags={"dagster/partition": DEMO}), limit=1)
    return newest.run_id


def take(page: Browser, url: str, shot: Shot) -> None:
    page.driver.set_window_size(shot.width, 1000)
    page.open(f"{url}{shot.path}")
    page.wait_until(lambda: shot.shows.lower() in page.text().lower() and "fetching" not in page.text())
    time.sleep(_SETTLES_SECONDS)
    target = FOLDER / f"{shot.name}.png"
    page.driver.save_screenshot(str(target))
    sys.stdout.write(f"{target}\n")


def main() -> None:
    if not is_installed():
        sys.exit("Chromium and its driver are needed: apt-get install chromium chromium-driver")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DAGSTER_HOME"] = folder
        run_id = prepare()
        with billcom_ui(Path(folder)) as ui, browser(Path(folder) / "profile") as page:
            for shot in shots(run_id):
                take(page, ui.url, shot)


if __name__ == "__main__":
    main()
