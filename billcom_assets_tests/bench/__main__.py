"""``make bench``: speed and memory beside dlt, printed as one table.

Every contender is a process of its own, measured from start to end; the simulated BILL and PostgreSQL run in others. On
a machine that does other things, the CPU seconds are steadier than the seconds.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.table import Table
from sqlalchemy import create_engine, make_url, text

from billcom_assets.automation.asking import requests_for_each
from billcom_assets.entities.catalog import CATALOG
from billcom_assets.sandbox import SandboxServer, Settings
from billcom_assets.warehouse.engine import open_warehouse
from billcom_assets_tests import peers
from billcom_assets_tests.automation.companies import KEY, prepare
from billcom_assets_tests.bench import postgres
from billcom_assets_tests.bench.processes import Measured, measured, sandbox
from billcom_assets_tests.bench.reader import reading
from billcom_assets_tests.mapping.labelled import generated, judged, labelled

COMPANIES = [sys.executable, "-m", "billcom_assets_tests.bench.companies"]
OURS = [sys.executable, "-m", "billcom_assets_tests.bench.ours"]
EMPTY_RUN = [sys.executable, "-m", "billcom_assets_tests.bench.empty_run"]
SYNC = [sys.executable, "-m", "billcom_assets.cli", "sync", KEY, "--json"]
POSTING = [sys.executable, "-m", "billcom_assets_tests.bench.posting"]
SUGGESTIONS = [sys.executable, "-m", "billcom_assets_tests.bench.suggestions"]
UPGRADE = [sys.executable, "-m", "billcom_assets_tests.bench.upgrade"]
THEIRS = Path(__file__).with_name("theirs.py")
BILLS = 11_050
"""Gives 30,000 objects with 53,000 child rows."""
SMALL = 120
"""Bills of a small company."""
LARGE = 200_000
"""Bills of a large company."""
STEPS: tuple[tuple[str, dict[str, bool]], ...] = (("first sync", {}), ("quiet sync", {}), ("sweep", {"refresh": True}))
LATENCY_MS = 250
QUIET_LATENCY_MS = 150
AT_ONCE = 3
VENDORS = 5_000
GENERATED = 300
POSTED = 100_000
"""Bills that are posted, with their payments."""
MIRRORED = 2_000
"""Those of them that are mirrored; the others are copies."""
PEAK_MB = 300
PARTS = ("speed", "latency", "quiet", "process", "memory", "suggestions", "posting", "scale", "companies")
SLOW = ("scale", "companies")
"""Parts that take a quarter of an hour each."""
COMPANIES_OF_A_KEY = 100
"""So that each can sign in within the first hour: BILL allows 200 logins an hour and key."""
ALL_COMPANIES = 1_000
CORES = 2
_WIDTH = 120


@dataclass
class Bench:
    """Measures and collects what there is to say about it."""

    new_database: Callable[[], str]
    scale: float
    console: Console
    rows: list[tuple[str, ...]] = field(default_factory=list)

    def speed(self, latency_ms: int, rounds: int) -> None:
        """A first load of everything, beside dlt's."""
        title = f"first load, {latency_ms} ms a page"
        with sandbox(bills=self._bills(), latency_ms=latency_ms) as bill:
            self.console.print(f"{title}: {bill['objects']:,} objects with {bill['children']:,} child rows")
            whole: list[Measured] = []
            ours: list[Measured] = []
            theirs: list[Measured] = []
            # In turn, so that whatever else the machine does meets both.
            for _ in range(rounds):
                # What dlt is told to read: v3's lists.
                ours.append(self._ours(bill | {"v2": False}, title))
                theirs.append(self._theirs(bill, title))
                whole.append(self._ours(bill, f"{title}, with v2"))
        seconds, their_seconds = _seconds(ours), _seconds(theirs)
        self._row(title, "seconds", seconds, "dlt", their_seconds, "at most 0.5" if not latency_ms else "")
        self._row(title, "CPU seconds", _cpu(ours), "dlt", _cpu(theirs))
        self._row(title, "peak MB", _peak(ours), "dlt", _peak(theirs))
        self._row("the same and what v2 adds", "seconds", _seconds(whole), "without v2", seconds)
        self._alone("", "requests to v2", whole[0].said["v2_requests"])
        if latency_ms:
            floor = bill["pages"] / AT_ONCE * latency_ms / 1000
            self._row(title, "seconds", seconds, "pages / 3 x latency", floor, "at most 1.2")

    def quiet(self, rounds: int) -> None:
        """An everyday sync that finds nothing new: every list is asked, and what is not final is read again."""
        title = f"sync with nothing new, {QUIET_LATENCY_MS} ms a page"
        with sandbox(bills=self._bills(), latency_ms=QUIET_LATENCY_MS) as bill:
            given = bill | {"database_url": self.new_database()}
            measured(OURS, given)
            runs = [self._told(title, "billcom", measured(OURS, given)) for _ in range(rounds)]
        requests = runs[0].said["requests"]
        pulls = statistics.median(run.said["pull_seconds"] for run in runs)
        one_by_one = requests * QUIET_LATENCY_MS / 1000
        self._row(title, "seconds", pulls, f"{requests} requests one by one", one_by_one, "at most 0.5")
        self._alone("", "whole process", _seconds(runs))
        self._alone("", "CPU seconds", _cpu(runs))

    def process(self, rounds: int) -> None:
        """The CPU time of a whole ``billcom sync`` that finds nothing new, beside what importing Dagster takes."""
        with (
            tempfile.TemporaryDirectory(prefix="billcom-bench-") as home,
            pytest.MonkeyPatch.context() as patch,
            SandboxServer(Settings(bills=SMALL, orgs=1)) as server,
        ):
            patch.setenv("DAGSTER_HOME", home)
            patch.delenv("BILLCOM_DATABASE_URL", raising=False)
            prepare(server, Path(home))
            measured(SYNC, {})
            syncs = [self._told("a sync with nothing new", "billcom", measured(SYNC, {})) for _ in range(rounds)]
            empty = [measured(EMPTY_RUN, {}) for _ in range(rounds)]
        imports = [measured([sys.executable, "-c", "import dagster; print('{}')"], {}) for _ in range(rounds)]
        title = "billcom sync, nothing new"
        self._row(title, "CPU seconds", _cpu(syncs), "import dagster", _cpu(imports))
        self._row(title, "CPU seconds", _cpu(syncs), "a run of one empty asset", _cpu(empty))

    def companies(self) -> None:
        """An hour of many companies of which none has news, as the daemon spends it."""
        number = max(10, int(ALL_COMPANIES * self.scale))
        title = f"an hour of {number:,} quiet companies"
        keys = [f"bench-dev-key-{one}" for one in range(-(-number // COMPANIES_OF_A_KEY))]
        with sandbox(bills=3, orgs=number, dev_keys=keys) as bill:
            self.console.print(f"{title} ...")
            found = measured(COMPANIES, bill | {"database_url": self.new_database(), "dev_keys": keys})
        said = found.said
        self._alone(title, "CPU seconds", said["cpu_seconds"])
        self._alone("", f"% of {CORES} cores", said["cpu_seconds"] / 36 / CORES, "below 30")
        self._alone("", "requests", said["requests"], f"at most {requests_for_each(number) * number:,}")
        self._alone("", "sign-ins", said["logins"])
        self._alone("", "runs", said["runs"], "0")
        self._alone("", "longest tick, s", said["longest_tick_seconds"], "below 60")

    def memory(self) -> None:
        """Peak memory for the data and for ten times the data."""
        peaks = []
        for times in (1, 10):
            with sandbox(bills=self._bills() * times) as bill:
                title = f"{bill['objects']:,} objects"
                peaks.append(self._ours(bill, title).peak_mb)
        self._row("ten times the data", "peak MB", peaks[1], "the data", peaks[0], f"about 1, below {PEAK_MB} MB")

    def suggestions(self) -> None:
        """Suggesting a ledger vendor for every BILL vendor."""
        vendors = max(10, int(VENDORS * self.scale))
        title = f"suggestions, {vendors:,} against {vendors:,} vendors"
        self.console.print(f"{title} ...")
        found = measured(SUGGESTIONS, {"database_url": self.new_database(), "vendors": vendors})
        self._alone(title, "seconds", found.said["suggest_seconds"])
        self._alone("", "through the spreadsheet, s", found.said["round_trip_seconds"], "below 10")
        for name, pairs in (("labelled", labelled()), ("generated", generated(GENERATED))):
            verdict = judged(pairs, together=True)
            title = f"suggestions, {len(pairs):,} {name} pairs"
            self._alone(title, f"wrong of {verdict.certain} certain", len(verdict.wrong_certain), "0")
            self._alone("", "found, %", verdict.recall * 100, "at least 90")
            self._alone("", "of these right, %", verdict.precision * 100, "at least 85")

    def posting(self, rounds: int) -> None:
        """Posting into the books: everything, nothing, and what has changed; and proving that the books are right."""
        wanted = max(20, int(POSTED * self.scale))
        mirrored = min(wanted, MIRRORED)
        copies = wanted // mirrored - 1
        bills = mirrored * (copies + 1)
        url = self.new_database()
        with sandbox(bills=mirrored) as bill:
            mirroring = self._told(
                f"mirroring {mirrored:,} bills", "billcom", measured(OURS, bill | {"database_url": url})
            )

        def step(name: str, **options: int) -> Measured:
            found = measured(POSTING, {"database_url": url, "step": name, **options})
            return self._told(f"{bills:,} bills, {name}", "billcom", found)

        step("fill", copies=copies)
        first = step("post")
        quiet = step("post nothing", rounds=rounds)
        step("change")
        changed, proof = step("post"), step("reconcile")
        seconds, documents = first.said["seconds"], first.said["looked_at"]
        self._alone(f"posting {bills:,} bills", "seconds", seconds, "below 60" if bills == POSTED else "")
        self._alone(f"{documents:,} documents in all", "bills a second", bills / seconds)
        a_hundred = mirroring.said["pull_seconds"] / mirroring.said["rows"] * 100_000
        self._row("", "ms per 100 documents", seconds / documents * 100_000, "mirroring 100", a_hundred)
        self._row("", "peak MB", first.peak_mb, "posting nothing", quiet.peak_mb)
        self._alone("posting nothing new", "seconds", statistics.median(quiet.said["seconds"]), "below 1")
        count = changed.said["posted"]["bills"]
        self._row(f"posting {count:,} changed bills", "seconds", changed.said["seconds"], "posting all", seconds)
        self._row("identities 1 to 8", "seconds", proof.said["seconds"], "posting all", seconds)
        self._row("identity 9, books from scratch", "seconds", proof.said["costly_seconds"], "posting all", seconds)

    def large(self) -> None:
        """A large company's first sync, a sync with nothing new, a sweep and an upgrade, while somebody reads."""
        bills = max(500, int(LARGE * self.scale))
        url = self.new_database()
        open_warehouse(url).close()
        with sandbox(bills=bills) as bill:
            self.console.print(f"{bills:,} bills: {bill['objects']:,} objects with {bill['children']:,} child rows")
            for title, options in STEPS:
                with reading(url) as waits:
                    found = self._told(
                        title, "billcom", measured(OURS, bill | options | {"database_url": url, "checks": True})
                    )
                self._alone(f"{bills:,} bills, {title}", "seconds", found.seconds)
                self._alone("", "of them in checks", found.said["check_seconds"])
                self._alone("", "requests", found.said["requests"])
                self._alone("", "peak MB", found.peak_mb)
                self._alone("", "longest read, s", max(waits))
            self._alone("", "database MB", _megabytes(url))
        upgrade = self._told(
            "upgrade", "billcom", measured(UPGRADE, {"database_url": self.new_database(), "bills": bills})
        )
        self._alone(f"{bills:,} bills, a new column", "seconds", upgrade.said["upgrade_seconds"])
        self._alone("", "peak MB", upgrade.peak_mb)
        self._alone("", "longest read, s", upgrade.said["longest_read_seconds"])

    def table(self) -> Table:
        """Everything measured."""
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        for heading in ("What", "Measure", "billcom", "Beside", "", "Ratio", "To reach"):
            table.add_column(heading, justify="right" if heading in ("billcom", "", "Ratio") else "left", no_wrap=True)
        for row in self.rows:
            table.add_row(*row)
        return table

    def _bills(self) -> int:
        return max(20, int(BILLS * self.scale))

    def _ours(self, bill: dict[str, Any], title: str) -> Measured:
        return self._told(title, "billcom", measured(OURS, bill | {"database_url": self.new_database()}))

    def _theirs(self, bill: dict[str, Any], title: str) -> Measured:
        with tempfile.TemporaryDirectory(prefix="billcom-bench-") as folder:
            given = bill | {
                "database_url": self.new_database(),
                "folder": folder,
                "paths": [entity.path for entity in CATALOG if not entity.is_of_v2],
            }
            return self._told(title, "dlt", measured([peers.python(), THEIRS], given, env=peers.ENVIRONMENT))

    def _told(self, title: str, who: str, found: Measured) -> Measured:
        self.console.print(
            f"{title}: {who} {found.seconds:.1f} s, {found.cpu_seconds:.1f} s of CPU, {found.peak_mb:.0f} MB"
        )
        return found

    def _alone(self, title: str, measure: str, ours: float, goal: str = "") -> None:
        self.rows.append((title, measure, f"{ours:,.1f}", "", "", "", goal))

    def _row(self, title: str, measure: str, ours: float, who: str, theirs: float, goal: str = "") -> None:
        self.rows.append((title, measure, f"{ours:.1f}", who, f"{theirs:.1f}", f"{ours / theirs:.2f}", goal))


def _seconds(runs: list[Measured]) -> float:
    return statistics.median(run.seconds for run in runs)


def _cpu(runs: list[Measured]) -> float:
    return statistics.median(run.cpu_seconds for run in runs)


def _megabytes(url: str) -> float:
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    with engine.connect() as connection:
        size = connection.scalar(text("SELECT pg_database_size(current_database()) / 1e6"))
    engine.dispose()
    return float(size or 0)


def _peak(runs: list[Measured]) -> float:
    return statistics.median(run.peak_mb for run in runs)


def main() -> None:
    """Measure everything but what takes a quarter of an hour, or what ``--only`` names."""
    parser = argparse.ArgumentParser(prog="python -m billcom_assets_tests.bench", description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the data; 0.1 for a quick look")
    parser.add_argument(
        "--rounds", type=int, default=3, help="how often each contender runs at zero latency; medians are shown"
    )
    parser.add_argument("--only", choices=PARTS, help="one part alone")
    asked = parser.parse_args()
    console = Console(width=_WIDTH)
    with postgres.server() as new_database:
        bench = Bench(new_database, asked.scale, console)
        parts: dict[str, Callable[[], None]] = {
            "speed": lambda: bench.speed(0, asked.rounds),
            "latency": lambda: bench.speed(LATENCY_MS, rounds=1),
            "quiet": lambda: bench.quiet(asked.rounds),
            "process": lambda: bench.process(asked.rounds),
            "memory": bench.memory,
            "suggestions": bench.suggestions,
            "posting": lambda: bench.posting(asked.rounds),
            "scale": bench.large,
            "companies": bench.companies,
        }
        for name in [asked.only] if asked.only else [name for name in parts if name not in SLOW]:
            parts[name]()
    console.print()
    console.print(bench.table())


if __name__ == "__main__":
    main()
