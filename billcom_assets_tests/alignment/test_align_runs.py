"""Plans are written by Dagster runs: launched by the command, or by the sensor that sees the approval."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from billcom_assets.assets.evaluations import last_of
from billcom_assets.automation.sensors import LAUNCH_SENSORS
from billcom_assets.cli.demo_ledger import write_ledger
from billcom_assets.clock import utc_now
from billcom_assets.environment import open_database
from billcom_assets.job_runner import open_instance
from billcom_assets.sandbox import SandboxServer, Settings
from billcom_assets.warehouse import audit
from billcom_assets.warehouse.audit import What
from billcom_assets_tests.cli.commands import DEV_KEY, Answered, Desk

KEY = "harbor-pine"
NEW = "Coffee and tea"


@pytest.fixture
def desk(tmp_path: Path, migrated_file: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A machine on which a company is connected, set up and synced; the ledger has an account more than BILL."""
    for variable in ("BILLCOM_DATABASE_URL", "BILLCOM_SECRET_KEY", "BILLCOM_DAGSTER_DATABASE_URL"):
        monkeypatch.delenv(variable, raising=False)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    shutil.copy(migrated_file, home / "billcom.db")
    with SandboxServer(Settings(bills=20, orgs=1, dev_keys=(DEV_KEY,))) as server:
        found = Desk(home, server)
        organization = server.world.organization()
        paths = write_ledger(organization, tmp_path)
        chart = Path(paths["accounts"])
        lines = chart.read_text().splitlines()
        number, name = lines[1].split(",")[:2]
        chart.write_text("\n".join([*lines, lines[1].replace(number, "6999").replace(name, NEW)]) + "\n")
        done(found.connect(KEY, v2_base_url=server.v2_base_url))
        done(found.run("seed", KEY))
        done(
            found.run("ledger", "import", KEY, *(word for kind, path in paths.items() for word in (f"--{kind}", path)))
        )
        done(found.run("mappings", "suggest", KEY, "--accept", "exact"))
        done(found.run("sync", KEY))
        yield found


def done(answered: Answered) -> Answered:
    assert answered.code == 0, answered.everything
    return answered


def names(desk: Desk) -> list[str]:
    return [doc["name"] for doc in desk.bill.world.organization().rows("classifications/chart-of-accounts")]


def written(desk: Desk) -> int:
    return len(desk.bill.sandbox.stats.writes)


def test_an_approved_plan_is_launched_by_the_sensor_or_the_command_and_taken_back(desk: Desk) -> None:
    refused = desk.run("align", KEY, "apply")
    assert refused.code == 1
    assert "There is no approved plan" in refused.everything
    done(desk.run("align", KEY, "plan"))
    done(desk.run("connect", KEY, "--alignment", "apply"))
    assert look() == []
    done(desk.run("align", KEY, "approve"))
    (request,) = look()
    assert (request.partition_key, request.tags["billcom/reason"]) == (KEY, "alignment")
    done(desk.run("connect", KEY, "--alignment", "plan"))
    assert look() == []
    unmeant = desk.run("align", KEY, "apply", "--no-other-sync")
    assert unmeant.code == 1
    assert "--production" in unmeant.everything
    assert written(desk) == 0
    options = ("--production", "--approver", approver(), "--no-other-sync")
    applied = done(desk.run("align", KEY, "apply", *options, "--json")).document
    assert applied["status"] == "applied"
    assert NEW in names(desk)
    assert written(desk) == len([one for one in applied["changes"] if one["status"] == "done"])
    runs = runs_of("align_chart_of_accounts")
    assert {run.tags["dagster/partition"] for run in runs} == {KEY}
    assert runs[0].run_id == applied["run_id"]
    assert (last_check().passed, is_of_newest(last_check())) == (True, True)
    undone = done(desk.run("align", KEY, "undo"))
    assert (last_check().passed, is_of_newest(last_check())) == (False, True)
    assert "is undone" in undone.out
    chart = desk.bill.world.organization().rows("classifications/chart-of-accounts")
    assert [doc["archived"] for doc in chart if doc["name"] == NEW] == [True]
    what = [one.what for one in entries()]
    assert what.count(What.ALIGNMENT_APPLIED) == what.count(What.ALIGNMENT_UNDONE) == 1


def last_check() -> dg.AssetCheckEvaluation:
    with open_instance() as instance:
        found = last_of(instance, dg.AssetCheckKey(dg.AssetKey("account_alignment"), "chart_of_accounts_aligned"), KEY)
    assert found is not None
    return found


def is_of_newest(evaluation: dg.AssetCheckEvaluation) -> bool:
    wanted = dg.AssetRecordsFilter(evaluation.asset_key, asset_partitions=[KEY])
    with open_instance() as instance:
        newest = instance.fetch_materializations(wanted, limit=1).records[0]
    target = evaluation.target_materialization_data
    return target is not None and target.storage_id == newest.storage_id


def look() -> list[dg.RunRequest]:
    sensor = next(one for one in LAUNCH_SENSORS if one.name == "approved_plans")
    warehouse = open_database()
    with open_instance() as instance:
        found = sensor.evaluate(instance, warehouse, utc_now(), None, lambda _line: None)
    warehouse.close()
    return list(found.run_requests or [])


def runs_of(job: str) -> list[dg.DagsterRun]:
    with open_instance() as instance:
        return list(instance.get_runs(dg.RunsFilter(job_name=job)))


def entries() -> list[audit.Entry]:
    warehouse = open_database()
    with warehouse.read() as connection:
        found = audit.entries(connection, KEY, limit=1_000)
    warehouse.close()
    return found


def approver() -> str:
    return next(one.user_name for one in entries() if one.what == What.ALIGNMENT_APPROVED)
