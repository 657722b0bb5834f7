"""Runs of our jobs against the simulated BILL: their order, the gate, and nobody held up by another."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.partition_status_cache import get_and_update_asset_status_cache_value
from sqlalchemy import delete, func, select, update

from billcom_assets.assets.pulls import PULLS, pulls
from billcom_assets.definitions import defs
from billcom_assets.entities.catalog import CATALOG
from billcom_assets.entities.plan import DOCUMENTS, seed_plan, sync_plan
from billcom_assets.environment import open_database
from billcom_assets.job_runner import Launched, launch, open_instance
from billcom_assets.ledger.account_types import EXPENSE_TYPES, INCOME_TYPES, PAYMENT_TYPES
from billcom_assets.partitions import INTEGRATIONS
from billcom_assets.resources import Billcom
from billcom_assets.sandbox import SandboxServer
from billcom_assets.setup.prerequisites import PREREQUISITES
from billcom_assets.warehouse import audit
from billcom_assets.warehouse.audit import What
from billcom_assets.warehouse.ledger_tables import mapping_suggestions, mappings
from billcom_assets.warehouse.tables import sync_runs, sync_state
from billcom_assets_tests.automation.companies import KEY, Breakage, connect

SYNC = [step.name for step in sync_plan(CATALOG) if step.name != DOCUMENTS]
"""Without files, which nobody wants here."""
SEED = list(seed_plan(CATALOG))
FROM_BILLS_ON = [name for name in SYNC[SYNC.index("bills") :] if name in CATALOG]
BEYOND_THE_SEED = [name for name in FROM_BILLS_ON if name not in SEED]
OF_ACCOUNTS = ("payment_account_mapped", "expense_account_mapped", "income_account_mapped")
BREAKAGES = [
    Breakage("company_attached"),
    Breakage("vendors_pulled", also=("vendors_mapped",)),
    Breakage("vendors_mapped"),
    Breakage("accounts_pulled", also=("accounts_mapped", *OF_ACCOUNTS)),
    Breakage("accounts_mapped", also=OF_ACCOUNTS),
    Breakage("payment_account_mapped", types=PAYMENT_TYPES),
    Breakage("expense_account_mapped", types=EXPENSE_TYPES),
    Breakage("income_account_mapped", types=INCOME_TYPES),
]


def materialized(run_id: str) -> list[str]:
    """The assets of a run in the order in which the event log has them."""
    with open_instance() as instance:
        records = instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION).records
    return [str(record.asset_key.to_user_string()) for record in records if record.asset_key]


def verdicts(run_id: str) -> dict[str, tuple[bool, str | None]]:
    """Prerequisites that the run evaluated for the integration: whether it holds, and what the user reads."""
    names = {one.name for one in PREREQUISITES}
    return {one.check_name: (one.passed, one.description) for one in evaluations(run_id) if one.check_name in names}


def evaluations(run_id: str) -> list[dg.AssetCheckEvaluation]:
    """The check results of a run, all of them the integration's."""
    with open_instance() as instance:
        records = instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION).records
    found = [record.event_log_entry.dagster_event.event_specific_data for record in records]
    assert {one.partition for one in found} <= {KEY}
    return found


def rows(table: str, key: str = KEY) -> int:
    warehouse = open_database()
    t = warehouse.mirror.table(table)
    with warehouse.read() as connection:
        count = connection.scalar(select(func.count()).select_from(t).where(t.c.integration == key))
    warehouse.close()
    return count or 0


def pulls_of(run_id: str) -> set[str]:
    warehouse = open_database()
    with warehouse.read() as connection:
        mine = (sync_runs.c.run_id == run_id, sync_runs.c.status != "refused")
        found = set(connection.scalars(select(sync_runs.c.entity).where(*mine)))
    warehouse.close()
    return found


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("job", "selection", "expected"),
    [
        ("full_sync", ["customers", "bills", "vendors"], ["vendors", "bills", "customers"]),
        ("full_sync", ["roles", "employees", "items", "accounts"], ["accounts", "items", "employees", "roles"]),
        ("initial_seed", None, SEED),
        ("full_sync", None, SYNC),
        ("full_refresh", None, SYNC),
    ],
    ids=["a gap around the gate", "several gaps", "seed", "full sync", "full refresh"],
)
def test_the_order_holds_for_every_selection(job: str, selection: list[str] | None, expected: list[str]) -> None:
    launched = launch(job, KEY, entities=selection)
    assert launched.success, launched.error
    assert materialized(launched.run_id) == expected


def quality_of(run_id: str, entity: str) -> dict[str, str]:
    """What the run found about the entity, by measure."""
    (found,) = [
        one
        for one in evaluations(run_id)
        if (one.asset_key.to_user_string(), one.check_name) == (entity, "data_quality")
    ]
    records = found.metadata["measures"].value.records
    return {str(record.data["measure"]): str(record.data["found"]) for record in records}


@pytest.mark.usefixtures("home")
def test_results_are_of_what_the_run_has_materialized() -> None:
    """The UI shows no others by partition."""
    launched = launch("full_sync", KEY)
    of_pulls = {"data_quality", "chart_of_accounts_aligned"}
    found = [one for one in evaluations(launched.run_id) if one.check_name in of_pulls]
    assert {one.check_name for one in found} == of_pulls
    targets = [one.target_materialization_data for one in found]
    assert {target.run_id if target else None for target in targets} == {launched.run_id}


@pytest.mark.usefixtures("home")
def test_a_broken_reference_is_told_by_every_sync_until_it_is_put_right(server: SandboxServer) -> None:
    organization = server.world.organizations[0]
    live = {vendor["id"] for vendor in organization.rows("/v3/vendors") if not vendor["archived"]}
    bill = next(one for one in organization.rows("/v3/bills") if one["vendorId"] in live)
    before = quality_of(launch("full_sync", KEY).run_id, "bills")["references"]
    warehouse = open_database()
    vendors, state = warehouse.mirror.table("vendors"), sync_state.c
    gone = update(vendors).where(vendors.c.id == bill["vendorId"])
    with warehouse.write() as connection:
        connection.execute(gone.values(archived=True))
        connection.execute(update(sync_state).where(state.entity == "bills").values(checked_at=None))
    broken = quality_of(launch("full_sync", KEY).run_id, "bills")["references"]
    assert broken.endswith(" objects that bills refer to are missing, deleted or archived")
    assert broken != before
    assert quality_of(launch("full_sync", KEY).run_id, "bills")["references"] == broken
    with warehouse.write() as connection:
        connection.execute(gone.values(archived=False))
    warehouse.close()
    assert quality_of(launch("full_sync", KEY).run_id, "bills")["references"] == before


@pytest.mark.usefixtures("home")
def test_what_bills_use_is_looked_at_when_the_bills_of_the_same_run_are_there() -> None:
    warehouse = open_database()
    m = mappings.c
    with warehouse.write() as connection:
        kept = connection.scalar(select(func.min(m.bill_id)).where(m.kind == "vendors"))
        connection.execute(delete(mappings).where(m.kind == "vendors", m.bill_id != kept))
    warehouse.close()
    found = quality_of(launch("full_sync", KEY).run_id, "bills")["vendors mapped"]
    assert re.search(r" vendors that bills refer to are not mapped: \d+ bills of .* cannot be posted", found)


@pytest.mark.usefixtures("home")
def test_what_a_pull_brings_gets_suggestions_by_itself_and_no_more() -> None:
    warehouse = open_database()
    m, s = mappings.c, mapping_suggestions.c
    with warehouse.write() as connection:
        bill_id, ledger_id = connection.execute(select(m.bill_id, m.ledger_id).where(m.kind == "vendors")).first() or ()
        connection.execute(delete(mappings).where(m.kind == "vendors", m.bill_id == bill_id))
        connection.execute(delete(mapping_suggestions))
    launched = launch("full_refresh", KEY, entities=["vendors"], refresh=True)
    assert launched.success, launched.error
    with warehouse.read() as connection:
        query = select(s.ledger_id, s.certainty).where(s.kind == "vendors", s.bill_id == bill_id, s.rank == 1)
        assert connection.execute(query).all() == [(ledger_id, "exact")]
        assert bill_id not in set(connection.scalars(select(m.bill_id)))
    warehouse.close()


@pytest.mark.parametrize("broken", BREAKAGES, ids=lambda one: one.name)
def test_each_prerequisite_stops_a_full_sync_by_itself(broken: Breakage, home: Path, server: SandboxServer) -> None:
    warehouse = open_database()
    with warehouse.write() as connection:
        broken.apply(connection)
    warehouse.close()

    launched = launch("full_sync", KEY)

    assert not launched.success
    _reads_what_is_missing(launched, broken)
    told = verdicts(launched.run_id)
    assert {name for name, (passed, _) in told.items() if not passed} == broken.failing
    assert told.keys() == {one.name for one in PREREQUISITES}
    assert set(materialized(launched.run_id)) <= {*SYNC[: SYNC.index("bills")]}
    assert pulls_of(launched.run_id) <= {"vendors", "funding_accounts", "accounts"}
    assert [name for name in BEYOND_THE_SEED if rows(name)] == []
    asked = {route.split()[1] for route in server.sandbox.stats.paths}
    assert [CATALOG[name].path for name in FROM_BILLS_ON if CATALOG[name].path in asked] == []


def _reads_what_is_missing(launched: Launched, broken: Breakage) -> None:
    assert launched.error is not None
    assert launched.setup_missing is not None, launched.error
    assert f"{KEY}: setup not completed" in launched.error
    assert {one.prerequisite.name for one in launched.setup_missing.findings} == broken.failing
    for finding in launched.setup_missing.findings:
        assert finding.prerequisite.title in launched.error
        assert finding.found in launched.error
        assert finding.fix in launched.error
        assert "billcom " in finding.fix


def test_the_table_breaks_every_prerequisite() -> None:
    # A failed login does not stop a sync: it signs in again and tells what BILL answers (below).
    assert [one.name for one in BREAKAGES] == [one.name for one in PREREQUISITES if one.name != "authenticated"]


@pytest.mark.usefixtures("home")
def test_selecting_around_the_checks_does_not_open_the_gate() -> None:
    warehouse = open_database()
    with warehouse.write() as connection:
        Breakage("vendors_mapped").apply(connection)
    warehouse.close()
    launched = launch("full_sync", KEY, entities=["bills", "invoices"])
    assert launched.setup_missing is not None
    assert materialized(launched.run_id) == []


@pytest.mark.usefixtures("home")
def test_a_refused_run_skips_what_is_behind_the_gate_and_fails_no_asset() -> None:
    warehouse = open_database()
    with warehouse.write() as connection:
        Breakage("vendors_mapped").apply(connection)
    warehouse.close()
    launched = launch("full_sync", KEY)
    with open_instance() as instance:
        run = instance.get_run_by_id(launched.run_id)
        found = {
            name: get_and_update_asset_status_cache_value(instance, dg.AssetKey(name), INTEGRATIONS) for name in SYNC
        }
        (observed,) = instance.get_records_for_run(
            launched.run_id, of_type=dg.DagsterEventType.ASSET_OBSERVATION
        ).records
    assert run is not None
    assert (run.status, run.tags["billcom/outcome"]) == (dg.DagsterRunStatus.SUCCESS, "refused: setup not completed")
    failed = {name: one.deserialize_failed_partition_subsets(INTEGRATIONS) for name, one in found.items() if one}
    assert {name for name, subset in failed.items() if not subset.is_empty} == set()
    told = [one for one in evaluations(launched.run_id) if one.asset_key == dg.AssetKey("gate")]
    # An error of one integration would show the gate as failed for all.
    assert {one.severity for one in told} == {dg.AssetCheckSeverity.WARN}
    observation = observed.event_log_entry.dagster_event.event_specific_data.asset_observation
    assert observation.asset_key == dg.AssetKey("gate")
    assert [record.data["prerequisite"] for record in observation.metadata["missing"].records] == ["Vendor mapping"]


@pytest.mark.usefixtures("home")
def test_steps_of_other_ops_in_the_same_run_begin_when_what_they_wait_for_is_there() -> None:
    @dg.asset(deps=["roles"], partitions_def=INTEGRATIONS)
    def beside_roles() -> dg.MaterializeResult[None]:
        return dg.MaterializeResult(metadata={"rows": rows("roles")})

    with open_instance() as instance:
        done = dg.materialize(
            [pulls, beside_roles],
            selection=["users", "roles", "beside_roles"],
            partition_key=KEY,
            resources={"billcom": Billcom()},
            instance=instance,
        )
    made = {one.asset_key.to_user_string(): one.materialization for one in done.get_asset_materialization_events()}
    assert made.keys() == {"users", "roles", "beside_roles"}
    assert made["beside_roles"].metadata["rows"].value > 0
    assert made["users"].description.startswith("users (first pull): ")


def test_a_failing_integration_holds_up_no_other(home: Path, server: SandboxServer) -> None:
    warehouse = open_database()
    connect(warehouse, server, "other-inc", 1)
    warehouse.close()
    other = launch("full_sync", "other-inc")
    assert other.setup_missing is not None
    assert rows("bills", "other-inc") == 0
    ours = launch("full_sync", KEY)
    assert ours.success, ours.error
    assert rows("bills") == len(server.world.organizations[0].rows("bills"))


def test_refused_credentials_are_told_and_nothing_else_is_touched(home: Path, server: SandboxServer) -> None:
    server.sandbox.sessions.end_all(None)
    organization = server.world.organizations[0]
    secret = organization.token.password
    warehouse = open_database()
    with warehouse.write() as connection:
        connection.exec_driver_sql("DELETE FROM bill_sessions")
    warehouse.close()
    organization.locked = True
    try:
        launched = launch("full_sync", KEY)
    finally:
        organization.locked = False
    assert not launched.success
    assert launched.error is not None
    assert KEY in launched.error
    assert secret not in json.dumps(launched.error)
    assert materialized(launched.run_id) == []


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("confirm", [True, False])
def test_deletions_confirmed_in_the_ui_are_recorded(confirm: bool) -> None:
    config = {"ops": {PULLS: {"config": {"refresh": True, "confirm_deletions": confirm}}}}
    with open_instance() as instance:
        job = defs.resolve_job_def("full_refresh")
        run = job.execute_in_process(
            run_config=config, partition_key=KEY, instance=instance, asset_selection=[dg.AssetKey("roles")]
        )
    assert run.success
    warehouse = open_database()
    with warehouse.read() as connection:
        last = audit.entries(connection, KEY, limit=1)[0]
    warehouse.close()
    assert (last.what == What.DELETIONS_CONFIRMED.value) is confirm
    if confirm:
        assert (last.how, last.subject, last.user_id) == ("ui", "roles", os.getuid())
