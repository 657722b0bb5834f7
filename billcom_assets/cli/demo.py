"""``billcom demo``: everything at once, on the simulated BILL, by the same steps that a user takes."""

from __future__ import annotations

import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from billcom_assets.books.summary import states, total
from billcom_assets.cli import lazy_dagster
from billcom_assets.cli.app import BillcomCommand
from billcom_assets.cli.database import opened
from billcom_assets.cli.demo_bill import BILLS, DemoBill, DemoCompany, demo_bill
from billcom_assets.cli.demo_ledger import write_ledger
from billcom_assets.cli.failures import CommandFailed, ExitCode
from billcom_assets.cli.ledger import import_files
from billcom_assets.cli.mappings import suggest_and_accept
from billcom_assets.cli.options import acting
from billcom_assets.cli.output import Output, pass_output, table, words
from billcom_assets.cli.runs import Finished, run_job
from billcom_assets.cli.ui_address import served_at
from billcom_assets.cli.ui_server import PORT, ui_server
from billcom_assets.environment import dagster_home
from billcom_assets.mapping.coverage import Coverage
from billcom_assets.mapping.suggestions import Accept
from billcom_assets.redaction.counted import counted
from billcom_assets.sandbox import Change
from billcom_assets.setup.connecting import ConnectionSettings, connect_integration
from billcom_assets.status.entities import EntityStatus, entity_statuses
from billcom_assets.status.integrations import entity_states
from billcom_assets.status.runs import PullStatus
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.integrations import CredentialSources
from billcom_assets.webserver.interrupts import hear_once

_HAPPENS = {
    "edit a bill": "A bill was corrected",
    "void a payment": "A payment was voided",
    "archive a vendor": "A vendor was archived",
}
"""What the simulated BILL calls what happens between the first act and the second, and how we say it."""


@click.command(cls=BillcomCommand, examples=("billcom demo", "billcom demo --again", "billcom demo --ui"))
@click.option(
    "--bills",
    type=click.IntRange(min=20),
    default=BILLS,
    show_default=True,
    help="Size of the simulated company, in bills.",
)
@click.option("--again", is_flag=True, help="Change something in the simulated BILL, and sync what changed.")
@click.option(
    "--ui",
    is_flag=True,
    help="Serve the Dagster UI with the simulated BILL beside it until you press Ctrl-C; makes the data where there are"
    " none.",
)
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=PORT, show_default=True, help="Port of --ui; 0 for any free one."
)
@click.option(
    "--serve-only",
    is_flag=True,
    help="Only run the simulated BILL, for syncs of the demo that you launch yourself, until you press Ctrl-C.",
)
@pass_output
def demo(output: Output, /, bills: int, *, again: bool, ui: bool, port: int, serve_only: bool) -> None:
    """Shows everything at once, on a simulated BILL that needs no account and no network.

    It connects the simulated organization, fetches its lists, loads the company's own ledger, maps the two, and syncs
    everything into a database.

    With --again you see an incremental sync: a bill is changed in the simulated BILL, a payment voided and a vendor
    archived, and only that is written. With --ui you see the same data in Dagster. While that runs, billcom demo and
    billcom demo --again use the simulated BILL beside it.
    """
    if again + ui + serve_only > 1:
        raise click.UsageError("Choose one of --again, --ui and --serve-only.")
    if ui or serve_only:
        hear_once()
    company = DemoCompany.of_size(bills)
    with ui_server(port=port) if ui else nullcontext() as server, ExitStack() as alone:
        warehouse = opened(make=not again)
        if again and not _was_shown(warehouse, company):
            raise CommandFailed(
                f"There is nothing to bring up to date yet. Begin with: {company.command}", ExitCode.WRONG_USE
            )
        # A BILL that ends with its command would end in the midst of another's sync; one that goes on is for all.
        alone.enter_context(warehouse.exclusive("the demo"))
        with demo_bill(warehouse, company) as bill:
            if serve_only and not bill.is_own:
                raise CommandFailed(f"The demo's simulated BILL runs already, at {bill.base_url}.", ExitCode.WRONG_USE)
            shown = _Show(output, warehouse, bill, company)
            shown.connect()
            if again:
                _show_changes(output, shown, shown.change_bill(), shown.sync())
            elif not serve_only and not (ui and _was_shown(warehouse, company)):
                _show_everything(output, shown, ends=not ui)
            alone.close()
            if server is not None:
                server.serve(output)
                output.note("Stopped.")
            elif serve_only:
                _serve_until_stopped(output, bill)


class _Show:
    """The steps of the demo, each the same as a user's command."""

    def __init__(self, output: Output, warehouse: Warehouse, bill: DemoBill, company: DemoCompany) -> None:
        self.output = output
        self.warehouse = warehouse
        self.bill = bill
        self.company = company
        self.organization = bill.organization
        self.coverage: list[Coverage] = []

    def connect(self) -> None:
        verb = "runs" if self.bill.is_own else "runs already"
        self._say(f"A simulated BILL {verb} at {self.bill.base_url}: {self.organization.name}.")
        token = self.organization.token
        dev_key = self.company.settings.dev_keys[0]
        connect_integration(
            self.warehouse,
            self.company.key,
            self.organization.id,
            CredentialSources(token.username, token.password, dev_key),
            ConnectionSettings(
                company=self.company.name, base_url=self.bill.base_url, v2_base_url=self.bill.v2_base_url
            ),
            actor=acting(),
            on_new=lazy_dagster.add_partition,
        )
        self._say(f"Connected as {self.company.key} with a sync token.")

    def seed(self) -> list[Finished]:
        """Fetches the lists, the first time."""
        with self.warehouse.read() as connection:
            last_list = entity_states(connection, self.company.key).get("employees")
        if last_list is not None and last_list.synced_at is not None:
            return []
        self._say("Fetching BILL's lists (billcom seed):")
        title = f"Seeding {self.company.key}"
        return [run_job(self.output, self.warehouse, "initial_seed", self.company.key, title=title)]

    def prepare_and_sync(self) -> list[Finished]:
        """Loads the ledger, maps it, and fetches everything."""
        with tempfile.TemporaryDirectory(prefix="billcom-demo-") as folder:
            files = write_ledger(self.organization, Path(folder))
            report = import_files(self.warehouse, self.company.key, files)
        changed = sum(one.inserted + one.updated for one in report.tables)
        records = counted(changed, "record", "records")
        self._say(f"Loaded the company's own ledger: {records} new or changed (billcom ledger import).")
        self._map()
        self._say("Syncing everything (billcom sync):")
        finished = [self.sync()]
        # What a seed does not fetch, customers above all, is there to be mapped only now.
        if self._map():
            self._say("Posting what waited for that (billcom sync):")
            finished.append(self.sync())
        return finished

    def sync(self) -> Finished:
        """Fetches what is new."""
        key = self.company.key
        return run_job(self.output, self.warehouse, "full_sync", key, title=f"Syncing {key}")

    def change_bill(self) -> list[Change]:
        """Lets something happen in the simulated BILL."""
        return [one for what in _HAPPENS for one in self.bill.change(what)]

    def _map(self) -> int:
        """Maps what matches for certain, and counts it."""
        matched = suggest_and_accept(self.warehouse, self.company.key, Accept.EXACT)
        self.coverage = matched.coverage
        if matched.accepted_total:
            self._say(
                f"Mapped {matched.accepted_total:,} BILL objects that match for certain (billcom mappings suggest)."
            )
        return matched.accepted_total

    def _say(self, text: str) -> None:
        self.output.note(text)


def _was_shown(warehouse: Warehouse, company: DemoCompany) -> bool:
    with warehouse.read() as connection:
        bills = entity_states(connection, company.key).get("bills")
    return bills is not None and bills.first_pulled_at is not None


def _show_everything(output: Output, shown: _Show, *, ends: bool) -> None:
    home = dagster_home()
    started = time.monotonic()
    finished = [*shown.seed(), *shown.prepare_and_sync()]
    _summarize(output, shown, finished, time.monotonic() - started, home, ends=ends and shown.bill.is_own)


def _show_changes(output: Output, shown: _Show, changes: Sequence[Change], finished: Finished) -> None:
    """What happened in BILL, and what the incremental sync wrote of it."""
    names = ("fetched", "inserted", "updated", "unchanged")
    totals: dict[str, Counter[str]] = {}
    for pull in finished.pulls:
        totals.setdefault(pull.entity, Counter()).update({name: getattr(pull, name) for name in names})
    lines = [{"entity": entity, **{name: found[name] for name in names}} for entity, found in totals.items()]
    document = {
        "integration": shown.company.key,
        "changes": [asdict(one) for one in changes],
        "entities": lines,
        "runs": [finished.run_id],
    }

    def render(console: Console) -> None:
        console.print("What happened in BILL:")
        for one in changes:
            console.print(f"  - {_HAPPENS[one.what]}: {one.id}")
        console.print("\nWhat the sync read and wrote:")
        rows = [tuple(line.values()) for line in lines if line["fetched"]]
        total = ("total", *(sum(found[name] for found in totals.values()) for name in names))
        shown_rows = [(words(str(row[0])), *row[1:]) for row in rows]
        console.print(table(("Entity", "Fetched", "Inserted", "Updated", "Unchanged"), [*shown_rows, total]))

    output.result(document, render)


def _summarize(
    output: Output, shown: _Show, runs: Sequence[Finished], seconds: float, home: Path, *, ends: bool
) -> None:
    key = shown.company.key
    with shown.warehouse.read() as connection:
        entities, documents = entity_statuses(shown.warehouse, connection, key), states(connection, key)
    posted, held = (total(documents, state)[0] for state in ("imported", "held"))
    pulls = [pull for run in runs for pull in run.pulls]
    lines = _lines(entities, pulls)
    database = shown.warehouse.file
    ui = served_at() or _ui_command(home)
    document = {
        "integration": key,
        "organization": shown.organization.name,
        "entities": lines,
        "rows": sum(line["rows"] for line in lines),
        "requests": sum(line["requests"] for line in lines),
        "seconds": round(seconds, 1),
        "mappings": [asdict(one) for one in shown.coverage],
        "documents": {"posted": posted, "held": held},
        "runs": [run.run_id for run in runs],
        "database": str(database or shown.warehouse.description),
        "dagster_home": str(home),
        "ui": ui,
    }

    def render(console: Console) -> None:
        columns = ("Entity", "Rows", "Fetched", "Written", "Requests")
        names = ("rows", "fetched", "written", "requests")
        rows = [(words(line["entity"]), *(line[name] for name in names)) for line in lines]
        rows.append(("total", *(sum(line[name] for line in lines) for name in names)))
        console.print(table(columns, rows))
        console.print(
            f"\n{document['rows']:,} rows with {document['requests']:,} requests in {seconds:.0f} seconds.\n"
            f"Documents in the books: {posted:,} (billcom books {key} show); held: {held:,} (billcom errors {key})\n"
            f"Database: {document['database']}\n"
            f"Dagster UI on this data: {ui}\n"
            f"What an incremental sync writes: {shown.company.command} --again\n"
            f"More: billcom status {key}",
            soft_wrap=True,
        )
        if ends:
            console.print(f"The simulated BILL has stopped; {ui} starts it again.", soft_wrap=True)

    output.result(document, render)


def _lines(entities: Sequence[EntityStatus], pulls: Sequence[PullStatus]) -> list[dict[str, Any]]:
    fetched: Counter[str] = Counter()
    written: Counter[str] = Counter()
    requests: Counter[str] = Counter()
    for pull in pulls:
        fetched[pull.entity] += pull.fetched
        written[pull.entity] += pull.inserted + pull.updated
        requests[pull.entity] += pull.requests
    return [
        {
            "entity": one.entity,
            "rows": one.rows,
            "fetched": fetched[one.entity],
            "written": written[one.entity],
            "requests": requests[one.entity],
        }
        for one in entities
    ]


def _ui_command(home: Path) -> str:
    if Path("Makefile").exists():
        return "make dev"
    return f"DAGSTER_HOME={home} billcom demo --ui"


def _serve_until_stopped(output: Output, bill: DemoBill) -> None:
    output.note(f"The simulated BILL serves at {bill.base_url} until you press Ctrl-C.")
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        output.note("Stopped.")
