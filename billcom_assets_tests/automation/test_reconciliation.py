"""The identities of the books as checks: after syncs that post, and by the job ``reconcile``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster import DagsterEventType
from sqlalchemy import Connection, select, text, update

from billcom_assets.assets import book_checks, reconciliation
from billcom_assets.assets.pulls import checks_of
from billcom_assets.assets.reconciliation import RECONCILIATION
from billcom_assets.books.identities.catalog import IDENTITIES
from billcom_assets.books.identities.findings import Finding
from billcom_assets.books.identities.reversals import REVERSALS
from billcom_assets.books.run import Run
from billcom_assets.definitions import defs
from billcom_assets.environment import open_database
from billcom_assets.job_runner import launch, open_instance
from billcom_assets.sandbox import SandboxServer
from billcom_assets.sync.run import lock_name
from billcom_assets.warehouse.tables import integrations
from billcom_assets_tests.automation.companies import KEY
from billcom_assets_tests.books.identities.seeds import open_journal
from billcom_assets_tests.books.identities.test_seeded_errors import SEEDS, drop_what_is_owed

NAMES = {one.name for one in IDENTITIES}
QUICK = {one.name for one in IDENTITIES if not one.is_costly}
IN_BILL = "documents_in_bill"
Evaluations = dict[str, dg.AssetCheckEvaluation]


def events(run_id: str, type_: DagsterEventType) -> list[Any]:
    with open_instance() as instance:
        records = instance.get_records_for_run(run_id, of_type=type_).records
    return [record.event_log_entry.dagster_event.event_specific_data for record in records]


def evaluated(run_id: str) -> Evaluations:
    """The books' checks that the run evaluated, by name."""
    found = events(run_id, DagsterEventType.ASSET_CHECK_EVALUATION)
    assert {one.partition for one in found} <= {KEY}
    return {one.check_name: one for one in found if one.check_name in {*NAMES, IN_BILL}}


def planned(run_id: str) -> set[str]:
    return {one.check_name for one in events(run_id, DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED)}


def reconcile(**config: bool) -> tuple[bool, Evaluations]:
    """Whether a run of the job ended well, and what it evaluated."""
    with open_instance() as instance:
        run = defs.resolve_job_def("reconcile").execute_in_process(
            run_config={"ops": {RECONCILIATION: {"config": config}}},
            partition_key=KEY,
            instance=instance,
            raise_on_error=False,
        )
    return run.success, evaluated(run.run_id)


def failing(found: Evaluations) -> set[str]:
    return {name for name, one in found.items() if not one.passed}


def changed(change: Callable[[Connection], Any]) -> Any:
    warehouse = open_database()
    with warehouse.write() as connection:
        made = change(connection)
    warehouse.close()
    return made


def rows(evaluation: dg.AssetCheckEvaluation, name: str) -> list[dict[str, Any]]:
    table = evaluation.metadata[name]
    assert isinstance(table, dg.TableMetadataValue)
    return [dict(record.data) for record in table.records]


def broken(connection: Connection, _run: Run) -> Finding:
    connection.execute(text("SELECT secret_of_ann FROM nowhere"))
    raise AssertionError("the database has refused")


def seed(connection: Connection) -> Any:
    """Returns the bill of whose entry a line is gone."""
    open_journal(connection)
    return drop_what_is_owed(connection)


def tampered(module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets one identity meet an error of the database."""
    known = tuple(replace(one, look=broken) if one is REVERSALS else one for one in IDENTITIES)
    monkeypatch.setattr(module, "IDENTITIES", known)


def of_run(found: Evaluations) -> set[str]:
    """Runs whose materializations the results are of."""
    return {one.target_materialization_data.run_id for one in found.values() if one.target_materialization_data}


def looked_at(found: Evaluations) -> dict[str, object]:
    return {name: one.metadata["looked_at"].value for name, one in found.items()}


@pytest.mark.usefixtures("home")
def test_a_sync_that_posts_looks_at_the_quick_identities() -> None:
    launched = launch("full_sync", KEY)
    found = evaluated(launched.run_id)
    assert (set(found), failing(found), of_run(found)) == (QUICK, set(), {launched.run_id})
    assert found["imported_bills"].metadata["compared"].value > 0


@pytest.mark.usefixtures("synced_home")
def test_a_quiet_sync_looks_at_none_and_keeps_what_was_found() -> None:
    changed(seed)
    _, before = reconcile()
    launched = launch("full_sync", KEY)
    after = evaluated(launched.run_id)
    assert failing(after) == failing(before) == SEEDS[drop_what_is_owed]
    # Dagster would show nothing of what is of an earlier materialization.
    assert (looked_at(after), of_run(after)) == (looked_at(before), {launched.run_id})
    assert rows(after["entries_balance"], "first_differences") == rows(before["entries_balance"], "first_differences")


@pytest.mark.usefixtures("synced_home")
def test_no_sync_plans_to_look() -> None:
    """What was planned and not looked at would hide what was found before."""
    assets = {dg.AssetKey(name) for name in ("bills", "ledger_bills", "journal", "trial_balance", "held_documents")}
    with open_instance() as instance:
        job = defs.resolve_job_def("full_sync")
        some = job.get_subset(asset_selection=assets, asset_check_selection=set(checks_of(assets)))
        runs = [one.execute_in_process(partition_key=KEY, instance=instance) for one in (job, some)]
    assert [planned(run.run_id) & NAMES for run in runs] == [set(), set()]
    assert planned(runs[1].run_id) == {"data_quality"}


@pytest.mark.usefixtures("home")
def test_an_identity_that_cannot_be_looked_at_fails_its_check_and_not_the_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    tampered(book_checks, monkeypatch)
    launched = launch("full_sync", KEY)
    assert launched.success, launched.error
    found = evaluated(launched.run_id)
    assert (set(found), failing(found)) == (QUICK, {"reversals"})
    assert found["reversals"].description == "could not be looked at, which says nothing about the books"
    assert "secret_of_ann" not in str(found["reversals"].metadata["error"].value)


def test_the_job_looks_at_all_nine_and_asks_bill_nothing(synced_home: Path, server: SandboxServer) -> None:
    succeeded, found = reconcile()
    assert (succeeded, set(found), failing(found)) == (True, NAMES, set())
    assert {one.severity for one in found.values()} == {dg.AssetCheckSeverity.ERROR}
    assert "not applicable" in str(found["clearing"].description)
    assert not server.sandbox.stats.paths


@pytest.mark.usefixtures("synced_home")
def test_an_error_fails_the_checks_that_can_see_it_with_its_document_and_not_the_run() -> None:
    bill = changed(seed)
    succeeded, found = reconcile()
    assert (succeeded, failing(found)) == (True, SEEDS[drop_what_is_owed])
    unbalanced = found["entries_balance"]
    assert unbalanced.description == f"Entries balance: {unbalanced.metadata['compared'].value} compared, 1 differs"
    (difference,) = rows(unbalanced, "first_differences")
    assert difference.keys() == {"of", "debits", "credits", "documents"}
    assert difference["documents"] == f"bills:{bill.id}"
    assert "billcom reconcile acme-us" in str(unbalanced.metadata["how_to_fix"].value)


@pytest.mark.usefixtures("synced_home")
def test_a_run_that_could_not_look_at_something_has_failed_but_for_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    tampered(reconciliation, monkeypatch)
    succeeded, found = reconcile()
    assert (succeeded, set(found), failing(found)) == (False, NAMES, {"reversals"})


def test_bills_lists_are_read_where_that_is_wanted(synced_home: Path, server: SandboxServer) -> None:
    succeeded, found = reconcile(against_bill=True)
    assert (succeeded, set(found), failing(found)) == (True, {*NAMES, IN_BILL}, set())
    assert found[IN_BILL].metadata["compared"].value >= len(server.world.organizations[0].rows("bills"))
    assert {row["documents"] for row in rows(found[IN_BILL], "by_year_and_status")} >= {"bills", "vendor payments"}


@pytest.mark.usefixtures("synced_home")
def test_what_the_mirror_has_otherwise_than_bill_fails_that_check() -> None:
    def tamper(connection: Connection) -> str:
        t = open_database().mirror.table("bills")
        bill = connection.scalars(select(t.c.id).order_by(t.c.id)).first()
        connection.execute(update(t).where(t.c.id == bill).values(amount=t.c.amount + 1))
        return str(bill)

    bill = changed(tamper)
    _, found = reconcile(against_bill=True)
    assert IN_BILL in failing(found)
    (difference,) = rows(found[IN_BILL], "first_differences")
    assert difference["documents"] == f"bills:{bill}"


@pytest.mark.usefixtures("synced_home")
def test_lists_that_cannot_be_read_say_so_beside_what_was_looked_at() -> None:
    changed(lambda connection: connection.execute(update(integrations).values(status="disconnected", credentials=None)))
    succeeded, found = reconcile(against_bill=True)
    assert (succeeded, set(found), failing(found)) == (False, {*NAMES, IN_BILL}, {IN_BILL})
    assert "acme-us" in str(found[IN_BILL].metadata["error"].value)


@pytest.mark.usefixtures("synced_home")
def test_books_that_are_being_synced_wait_for_another_time() -> None:
    warehouse = open_database()
    with warehouse.exclusive(lock_name(KEY)):
        assert reconcile() == (False, {})
    warehouse.close()
