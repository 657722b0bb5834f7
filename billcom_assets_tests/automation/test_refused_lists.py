"""One list that BILL refuses costs that list: the others are fetched, and the run says what is missing."""

from __future__ import annotations

import json

import dagster as dg
import pytest
from sqlalchemy import select

from billcom_assets.assets.refused_lists import RefusedLists
from billcom_assets.bill.errors import BillUnavailable
from billcom_assets.entities.catalog import CATALOG
from billcom_assets.entities.plan import ALIGNMENT, BOOKS, DOCUMENTS, sync_plan
from billcom_assets.environment import open_database
from billcom_assets.job_runner import open_instance
from billcom_assets.sandbox import SandboxServer
from billcom_assets.sandbox.errors import Refusal
from billcom_assets.sync.lists import WalkStuck
from billcom_assets.warehouse.tables import sync_runs
from billcom_assets_tests.automation.companies import KEY
from billcom_assets_tests.cli.commands import billcom_command

SYNC = [step.name for step in sync_plan(CATALOG) if step.name != DOCUMENTS]
"""Without files, which nobody wants here."""
FORBIDDEN = Refusal(403, None, "You are not permitted to do this.")
BANKS = "GET /v3/funding-accounts/banks"

pytestmark = pytest.mark.usefixtures("home")


def materialized() -> set[str]:
    """The assets that the newest run brought up to date."""
    with open_instance() as instance:
        (run,) = instance.get_runs(limit=1)
        assert run.status is dg.DagsterRunStatus.FAILURE
        records = instance.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION).records
    return {str(record.asset_key.to_user_string()) for record in records if record.asset_key}


def errors_kept() -> dict[str, str]:
    """What the database says of failed pulls, by entity."""
    warehouse = open_database()
    t = sync_runs.c
    with warehouse.read() as connection:
        found = connection.execute(select(t.entity, t.error).where(t.status == "failed"))
        kept = {row.entity: row.error for row in found}
    warehouse.close()
    return kept


def test_a_refused_list_stops_no_other_and_is_named_at_the_end(server: SandboxServer) -> None:
    server.sandbox.refused[BANKS] = FORBIDDEN
    done = billcom_command("sync", KEY)
    assert done.code == 1
    # Books without their money accounts would hold payments for no reason.
    assert materialized() == set(SYNC) - {"funding_accounts", *BOOKS}
    said = " ".join(done.err.split())
    assert f"{KEY}: not everything could be fetched; the rest is up to date. Failed: funding accounts." in said
    assert "BILL refused the call at GET /v3/funding-accounts/banks (HTTP 403): You are not permitted" in said
    assert "Have a BILL administrator widen its role" in said
    assert list(errors_kept()) == ["funding_accounts"]
    assert "You are not permitted" in errors_kept()["funding_accounts"]


def test_the_summary_shows_what_was_fetched_and_what_was_not(server: SandboxServer) -> None:
    server.sandbox.refused[BANKS] = FORBIDDEN
    server.sandbox.refused["GET /v3/vendor-credits"] = FORBIDDEN
    shown = billcom_command("sync", KEY).err
    table = {line.split("  ")[0].strip() for line in shown.splitlines()}
    assert {"bills", "roles"} <= {word.split()[0] for word in table if word}
    document = billcom_command("sync", KEY, "--json").document
    assert (document["ok"], document["error"]["exit_code"]) == (False, 1)
    failed = {one["entity"]: one["error"] for one in document["pulls"] if one["status"] == "failed"}
    assert list(failed) == ["funding_accounts", "vendor_credits"]
    assert document["failed"] == failed
    # The aging of payables would be wrong without the credits; that of receivables does not look at them.
    assert materialized() == set(SYNC) - {*failed, "ap_aging", *BOOKS}
    assert "Failed: funding accounts, vendor credits." in document["error"]["message"]


@pytest.mark.parametrize("needed", ["vendors", "accounts"])
def test_without_the_lists_that_the_gate_needs_no_document_is_fetched(needed: str, server: SandboxServer) -> None:
    server.sandbox.refused[f"GET {CATALOG[needed].path}"] = FORBIDDEN
    done = billcom_command("sync", KEY)
    assert done.code == 1
    gated = {entity.name for entity in CATALOG if entity.gated}
    # A plan of a chart that is not up to date would be wrong.
    unplanned = {ALIGNMENT} if needed == "accounts" else set()
    assert materialized() == set(SYNC) - gated - unplanned - {needed, "ap_aging", "ar_aging", *BOOKS}
    said = " ".join(done.err.split())
    held_back = ", ".join(entity.name.replace("_", " ") for entity in CATALOG if entity.gated)
    assert f"because {needed} failed in this run and are needed first: {held_back}." in said


def test_what_concerns_every_list_still_ends_the_run_at_once(server: SandboxServer) -> None:
    server.sandbox.change_settings(requests_per_hour=3)
    try:
        done = billcom_command("sync", KEY, "--json")
    finally:
        server.sandbox.change_settings(requests_per_hour=20_000)
    assert done.code == 1
    assert "hourly limit" in json.dumps(done.document["error"])
    assert len([one for one in done.document["pulls"] if one["status"] == "failed"]) == 1


@pytest.mark.parametrize("message", ["Unauthorized", ""])
def test_a_401_without_a_code_costs_one_sign_in_and_its_own_list(message: str, server: SandboxServer) -> None:
    # Other tests may have ended the session of the home that this one was copied from.
    assert billcom_command("validate", KEY).code == 0
    server.sandbox.refused[BANKS] = Refusal(401, None, message)
    logins = server.sandbox.stats.logins
    done = billcom_command("sync", KEY)
    assert done.code == 1
    assert server.sandbox.stats.logins - logins == 1
    # Books without their money accounts would hold payments for no reason.
    assert materialized() == set(SYNC) - {"funding_accounts", *BOOKS}
    assert "Failed: funding accounts." in done.err


def test_three_lists_without_a_response_in_a_row_mean_that_bill_is_away() -> None:
    refused = RefusedLists(KEY)
    for name in ("vendors", "funding_accounts"):
        refused.add(name, BillUnavailable("HTTP 503"))
    refused.note_success()
    for name in ("accounts", "items"):
        refused.add(name, BillUnavailable("HTTP 503"))
    assert not refused.is_bill_away
    refused.add("customers", WalkStuck("no end"))
    refused.add("departments", BillUnavailable("HTTP 503"))
    assert not refused.is_bill_away
    for name in ("jobs", "locations"):
        refused.add(name, BillUnavailable("HTTP 503"))
    assert refused.is_bill_away
