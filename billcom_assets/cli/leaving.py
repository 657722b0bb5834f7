"""``billcom disconnect`` and ``billcom forget``: the ways out."""

from __future__ import annotations

import click
from rich.console import Console

from billcom_assets.bill.errors import BillError
from billcom_assets.bill.retry import RetryPolicy
from billcom_assets.bill.ways import Way
from billcom_assets.cli import lazy_dagster
from billcom_assets.cli.app import BillcomCommand
from billcom_assets.cli.database import opened
from billcom_assets.cli.failures import CommandFailed, ExitCode
from billcom_assets.cli.options import acting, as_option, key_argument
from billcom_assets.cli.output import Output, pass_output
from billcom_assets.clock import utc_now
from billcom_assets.environment import document_files, seal_for
from billcom_assets.redaction.counted import counted
from billcom_assets.warehouse import leaving
from billcom_assets.warehouse.bill_access import SealedSessions
from billcom_assets.warehouse.bill_clients import bill_client
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.errors import WarehouseError
from billcom_assets.warehouse.integrations import Disconnected, Integrations
from billcom_assets.warehouse.known_integrations import require_integration

_TRIES_ONCE = RetryPolicy(attempts=1)
_SECONDS = (5, 10)
"""To connect, and to wait for a part of the response: leaving does not wait for a BILL that is down."""


@click.command(cls=BillcomCommand, examples=("billcom disconnect acme-us",))
@key_argument
@as_option
@pass_output
def disconnect(output: Output, key: str, as_name: str | None) -> None:
    """Forgets the credentials and the session of an integration, and keeps its data.

    No schedule or sensor launches anything for it any more. To go on with the data that is there: billcom connect
    """
    warehouse = opened()
    with warehouse.read() as connection:
        require_integration(connection, key)
    with leaving.alone(warehouse, key):
        session = _sign_out(warehouse, key)
        with warehouse.write() as connection:
            leaving.disconnect(connection, key, acting(as_name), utc_now())
    warehouse.discard_deleted(rewrite=False)
    document = {
        "integration": key,
        "status": "disconnected",
        "session_at_bill": session,
        "next_step": f"billcom connect {key}",
    }

    def render(console: Console) -> None:
        console.print(f"{key} is disconnected: its credentials were forgotten. Session at BILL: {session}.")
        console.print(f"Its data is kept. To go on with it: billcom connect {key}")
        console.print(f"To delete it: billcom forget {key}")

    output.result(document, render)


def _sign_out(warehouse: Warehouse, key: str) -> str:
    """Ends the stored session at BILL if that is possible; what became of it."""
    try:
        seal = seal_for(warehouse)
        session = SealedSessions(warehouse, seal, key).load()
        if session is None or not session.usable_at(utc_now()):
            return "none was open"
        with warehouse.read() as connection:
            integration = Integrations(seal).get(connection, key)
        if integration.sources.way is Way.OAUTH:
            return "an access token, which ends by itself; to end it at once delete the app in BILL"
        # Without a single login: a session that has ended needs no ending.
        with bill_client(warehouse, seal, integration, max_logins=0, retry=_TRIES_ONCE, timeout=_SECONDS) as client:
            client.logout()
    except Disconnected:
        return "none was open"
    except (BillError, WarehouseError):
        return "could not be ended; BILL ends it when it is idle, after 35 minutes (48 hours with a sync token)"
    return "ended"


@click.command(cls=BillcomCommand, examples=("billcom forget acme-us", "billcom forget acme-us --yes"))
@key_argument
@click.option("--yes", "confirmed", is_flag=True, help="Delete it; without this the command only says what it would.")
@as_option
@pass_output
def forget(output: Output, key: str, confirmed: bool, as_name: str | None) -> None:
    """Deletes everything of an integration for good: every row, its credentials, its runs and samples in Dagster.

    BILL itself is not touched. The audit log keeps who decided when, and loses what it was about. When the command is
    interrupted, run it again: it goes on.
    """
    warehouse = opened()
    with warehouse.read() as connection:
        rows = leaving.contents(warehouse, connection, key)
    kept = lazy_dagster.kept_by_dagster(warehouse, key)
    if not rows and not kept.runs and not kept.is_partition:
        with warehouse.read() as connection:
            require_integration(connection, key)
    if not confirmed:
        raise _refused(key, rows, kept.runs)
    with leaving.alone(warehouse, key):
        forgotten, elsewhere, is_clean = _forget(warehouse, key, as_name)
    remains = [*_REMAINS, *([] if is_clean else [leaving.remains_in_free_space(warehouse)])]
    document = {
        "integration": key,
        "rows": forgotten.rows,
        **elsewhere,
        "audit_entries_erased": forgotten.audit_entries,
        "remains": remains,
    }

    def render(console: Console) -> None:
        rows, tables = sum(forgotten.rows.values()), len(forgotten.rows)
        deleted = f"{counted(rows, 'row', 'rows')} in {counted(tables, 'table', 'tables')}"
        runs = counted(elsewhere["dagster_runs"], "Dagster run", "Dagster runs")
        files = counted(elsewhere["files"], "attached file", "attached files")
        console.print(f"{key} is forgotten. Deleted: {deleted}, {files} and {runs}.")
        console.print("What remains, because this command cannot or must not delete it:")
        for line in remains:
            console.print(f"  - {line}", soft_wrap=True)

    output.result(document, render)


def _forget(warehouse: Warehouse, key: str, as_name: str | None) -> tuple[leaving.Forgotten, dict[str, int], bool]:
    _refuse_while_running(warehouse, key)
    actor = acting(as_name)
    _sign_out(warehouse, key)
    leaving.begin_forgetting(warehouse, key, actor, utc_now())
    # Once more: until the integration was marked a sensor could launch a run.
    _refuse_while_running(warehouse, key)
    elsewhere: dict[str, int] = {}

    def in_dagster() -> dict[str, int]:
        elsewhere.update(lazy_dagster.delete_from_dagster(key))
        elsewhere["files"] = document_files().forget(key)
        return elsewhere

    forgotten = leaving.forget(warehouse, key, actor, utc_now(), elsewhere=in_dagster)
    return forgotten, elsewhere, warehouse.discard_deleted(rewrite=True)


def _refuse_while_running(warehouse: Warehouse, key: str) -> None:
    running = lazy_dagster.kept_by_dagster(warehouse, key).unfinished
    if running:
        raise CommandFailed(
            f"{key}: its Dagster run {running[0]} has not ended, so nothing more is deleted. Wait for its end or "
            f"cancel it in the Dagster UI, then: billcom forget {key} --yes",
            integration=key,
            runs=list(running),
        )


def _refused(key: str, rows: dict[str, int], runs: int) -> CommandFailed:
    listed = "\n".join(f"  {name}: {number:,}" for name, number in rows.items())
    return CommandFailed(
        f"Nothing was deleted yet. This would delete everything of {key} for good: "
        f"{counted(sum(rows.values()), 'row', 'rows')}, its credentials and session, "
        f"{counted(runs, 'Dagster run', 'Dagster runs')} with all events, logs and samples, and its partition.\n"
        f"{listed}\nTo do it: billcom forget {key} --yes",
        ExitCode.WRONG_USE,
        integration=key,
        would_delete={"rows": rows, "dagster_runs": runs},
    )


_REMAINS = (
    "backups of the database and of Dagster's folder, and files that you exported: delete them yourself",
    "the audit log's entries, with what they were about erased, and one that says who forgot it and when "
    "(billcom audit --verify still proves them)",
    "lines of Dagster's own that name the integration: ticks of schedules and sensors (keep them for fewer days with "
    "retention in dagster.yaml), backfills, the process logs of webserver and daemon",
)
