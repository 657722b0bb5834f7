"""From a fresh database to a synced organization, as a user types it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import func, select

from billcom_assets.entities.catalog import CATALOG
from billcom_assets.environment import open_database, seal_for
from billcom_assets.sandbox import Organization, SandboxServer, Settings, World
from billcom_assets.warehouse.bill_access import SealedSessions
from billcom_assets_tests import readme
from billcom_assets_tests.cli.commands import Answered, Desk
from billcom_assets_tests.sync.truth import objects

KEY = "harbor-pine"


@dataclass
class Walk:
    """Every command of one setup in order, with what it answered: the README's, and some between them."""

    desk: Desk
    shell: readme.Shell
    organization: Organization
    """What the simulated BILL has."""
    answers: dict[str, Answered] = field(default_factory=dict)
    shown: str = ""
    """The README's commands with what it shows of their output."""
    bills_when_refused: int = 0

    def step(self, name: str, *arguments: str) -> None:
        self.answers[name] = self.desk.run(*arguments)

    def typed(self, name: str, command: str) -> None:
        """A command of the README."""
        self.shown += self.shell.show(command)
        if (result := self.shell.result) is not None:
            self.answers[name] = Answered(result.exit_code, result.stdout, result.stderr)

    def __getitem__(self, name: str) -> Answered:
        return self.answers[name]

    @property
    def codes(self) -> dict[str, int]:
        return {name: answered.code for name, answered in self.answers.items()}


def count(table: str) -> int:
    warehouse = open_database()
    with warehouse.read() as connection:
        found = connection.scalar(select(func.count()).select_from(warehouse.mirror.table(table)))
    warehouse.close()
    assert found is not None
    return found


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory, simulated_bill: SandboxServer) -> Iterator[Walk]:
    folder = tmp_path_factory.mktemp("walk")
    with pytest.MonkeyPatch.context() as patch, readme.Shell(folder) as shell:
        for variable in ("BILLCOM_DATABASE_URL", "BILLCOM_SECRET_KEY", "BILLCOM_DAGSTER_DATABASE_URL"):
            patch.delenv(variable, raising=False)
        patch.setenv("DAGSTER_HOME", str(folder / readme.HOME))
        patch.setenv("OTHER_PASSWORD", "a-password-from-the-environment")
        organization = World(Settings(bills=120)).organizations[0]
        walk = Walk(Desk(folder / readme.HOME, simulated_bill), shell, organization)
        _go(walk)
        yield walk


def _go(walk: Walk) -> None:
    setup, books, *alignment = readme.session_commands()
    serve, connect, seed, early_sync, code, variable, ledger, accept, sync = setup
    here = ("connect", KEY, "--company", "Harbor", "--base-url", walk.desk.bill.base_url)
    walk.step("wrong password", *here, *walk.desk.credentials(password="a-wrong-password"), "--debug")
    wrong_key = walk.desk.credentials(password="env:OTHER_PASSWORD", dev_key="a-wrong-dev-key")
    walk.step("other password", *here, *wrong_key)
    walk.typed("serve", serve)
    walk.typed("connect", connect)
    walk.typed("seed", seed)
    walk.typed("early sync", early_sync)
    walk.typed("early sync", code)
    walk.step("early sync as json", "sync", KEY, "--json")
    walk.bills_when_refused = count("bills")
    walk.typed("early sync", variable)
    walk.typed("ledger", ledger)
    walk.step("suggest", "mappings", "suggest", KEY, "--json")
    walk.typed("accept", accept)
    walk.typed("sync", sync)
    for command in chain(books, *alignment):
        walk.typed(" ".join(command.split()[1:4]), command)
    walk.step("second sync", "sync", KEY, "--json")
    walk.step("refresh", "sync", KEY, "--full-refresh", "--confirm-deletions", "--only", "accounts", "--json")
    walk.step("status", "status", KEY)
    walk.step("status as json", "status", KEY, "--json")
    walk.step("mappings", "mappings", "show", KEY, "--json")


def test_the_readme_shows_what_its_commands_print(walk: Walk) -> None:
    assert readme.comparable(walk.shown) == readme.comparable("".join(readme.session_blocks())), readme.STALE


def test_every_step_ends_with_its_exit_code(walk: Walk) -> None:
    assert walk.codes == {
        "wrong password": 1,
        "other password": 1,
        "connect": 0,
        "seed": 0,
        "early sync": 3,
        "early sync as json": 3,
        "ledger": 0,
        "suggest": 0,
        "accept": 0,
        "sync": 0,
        "books harbor-pine show": 0,
        "books harbor-pine trace": 0,
        "second sync": 0,
        "refresh": 0,
        "status": 0,
        "status as json": 0,
        "mappings": 0,
        "align harbor-pine plan": 0,
        "align harbor-pine approve": 0,
        "align harbor-pine apply": 0,
        "align harbor-pine undo": 0,
    }


def test_a_seed_shows_what_it_pulled_and_what_setup_still_needs(walk: Walk) -> None:
    out = walk["seed"].out
    header = next(line for line in out.splitlines() if "Fetched" in line)
    assert header.split() == ["Entity", "How", "Fetched", "Inserted", "Seconds"]
    vendors = len(walk.organization.rows("vendors"))
    row = next(line for line in out.splitlines() if line.strip().startswith("vendors"))
    assert row.split()[:5] == ["vendors", "first", "pull", str(vendors), str(vendors)]
    assert "Before everything can be synced, setup needs:" in out
    assert "Dagster run: /runs/" in out
    assert "in the Dagster UI, which billcom ui serves" in out
    assert f"billcom ledger import {KEY} --vendors vendors.csv" in out
    # Plain lines of progress, as standard error is no terminal here.
    assert f"vendors (first pull): {vendors} fetched, {vendors} written" in walk["seed"].err


def test_a_sync_before_setup_is_complete_is_refused_with_every_open_point(walk: Walk) -> None:
    err = walk["early sync"].err
    assert f"{KEY}: setup not completed. What is missing:" in err
    for title in ("Vendor mapping", "Account mapping", "Bank or credit card account", "Expense account"):
        assert f"- {title}: 0 of " in err
    assert "Authentication" not in err.split("What is missing:")[1]
    assert walk.bills_when_refused == 0


def test_the_refusal_as_json_lists_the_open_points_with_their_fixes(walk: Walk) -> None:
    document = walk["early sync as json"].document
    assert (document["ok"], document["integration"], document["error"]["exit_code"]) == (False, KEY, 3)
    missing = {one["prerequisite"]: one for one in document["missing"]}
    assert set(missing) == {
        "vendors_mapped",
        "accounts_mapped",
        "payment_account_mapped",
        "expense_account_mapped",
        "income_account_mapped",
    }
    assert all(one["fix"].startswith(f"billcom ledger import {KEY}") for one in missing.values())
    assert "bills" not in {pull["entity"] for pull in document["pulls"]}


def test_the_steps_between_lead_from_one_to_the_next(walk: Walk) -> None:
    assert walk["connect"].out.rstrip().endswith(f"Next: billcom seed {KEY}")
    assert walk["ledger"].out.rstrip().endswith(f"Next: billcom mappings suggest {KEY} --accept exact")
    assert walk["suggest"].document["next_step"] == f"billcom mappings suggest {KEY} --accept exact"
    assert f"Next: billcom mappings suggest {KEY} --accept likely" in walk["accept"].out
    assert walk["accept"].out.rstrip().endswith(f"Syncing may run already: billcom sync {KEY}")
    held = walk["status as json"].document["held_documents"]
    done = f"Everything asked for is up to date; {held} documents are held out of the books. "
    assert walk["sync"].out.rstrip().endswith(f"{done}Next: billcom errors {KEY}")


def test_a_complete_setup_syncs_every_object_of_the_organization(walk: Walk) -> None:
    organization = walk.organization
    entities = {one["entity"]: one for one in walk["status as json"].document["entities"]}
    expected = {entity.name: len(objects(organization, entity)) for entity in CATALOG}
    # One was created by a plan; undoing that has archived it.
    expected["accounts"] += 1
    assert {name: one["rows"] for name, one in entities.items()} == expected
    assert expected["bills"] == 120


def test_a_sync_without_changes_writes_nothing(walk: Walk) -> None:
    document = walk["second sync"].document
    assert {pull["entity"] for pull in document["pulls"]} == set(CATALOG.names())
    assert sum(pull["inserted"] + pull["updated"] + pull["deleted"] for pull in document["pulls"]) == 0
    assert sum(pull["logins"] for pull in document["pulls"]) == 0
    assert document["missing"] == []


def test_a_refresh_of_one_entity_reads_that_one_alone(walk: Walk) -> None:
    pulls = walk["refresh"].document["pulls"]
    accounts = 1 + len(walk.organization.rows("classifications/chart-of-accounts"))
    assert [(pull["entity"], pull["kind"], pull["fetched"]) for pull in pulls] == [("accounts", "sweep", accounts)]


def test_every_run_is_known_to_dagster_with_its_job_and_partition(walk: Walk) -> None:
    with dg.DagsterInstance.get() as instance:
        runs = instance.get_runs()
        seen = [(run.job_name, run.tags["dagster/partition"], run.status.value) for run in reversed(runs)]
        assert instance.get_dynamic_partitions("integration") == [KEY]
        refused = [run.tags.get("billcom/outcome") == "refused: setup not completed" for run in reversed(runs)]
    assert seen == [
        ("initial_seed", KEY, "SUCCESS"),
        ("full_sync", KEY, "SUCCESS"),
        ("full_sync", KEY, "SUCCESS"),
        ("full_sync", KEY, "SUCCESS"),
        ("align_chart_of_accounts", KEY, "SUCCESS"),
        ("align_chart_of_accounts", KEY, "SUCCESS"),
        ("full_sync", KEY, "SUCCESS"),
        ("full_refresh", KEY, "SUCCESS"),
    ]
    assert [place for place, is_refused in enumerate(refused) if is_refused] == [1, 2]
    assert walk["second sync"].document["run_id"] in {run.run_id for run in runs}


def test_status_tells_the_whole_story(walk: Walk) -> None:
    out = walk["status"].out
    assert "Setup is complete." not in out
    assert "Syncing may run, but" in out
    assert "cannot be posted: objects that they use are not mapped." in out
    assert not any(line.lstrip().startswith("MISSING") for line in out.splitlines())
    assert f"documents are held. See: billcom errors {KEY}" in " ".join(out.split())
    document = walk["status as json"].document
    # The sync has brought customers, and counterparts of them were looked for.
    assert (document["ready"], document["next_step"]) == (True, f"billcom mappings suggest {KEY} --accept exact")
    assert {one["kind"] for one in document["unpostable"]} >= {"bills", "vendor_payments"}
    # The newest five; before them the gate has refused two.
    assert [run["status"] for run in document["runs"]] == ["complete"] * 5
    vendors = next(one for one in document["mappings"] if one["kind"] == "vendors")
    assert vendors["mapped"] > 0
    assert sum(vendors[name] for name in ("mapped", "stale", "suggested", "unmapped")) <= len(
        walk.organization.rows("vendors")
    )


def test_no_secret_is_in_any_output_or_in_any_file_of_the_home_folder(walk: Walk) -> None:
    warehouse = open_database()
    session = SealedSessions(warehouse, seal_for(warehouse), KEY).load()
    warehouse.close()
    assert session is not None
    secrets = [
        walk.organization.token.password,
        "sandbox-dev-key",
        "a-wrong-password",
        "a-wrong-dev-key",
        "a-password-from-the-environment",
        session.session_id,
    ]
    printed = "".join(answered.everything for answered in walk.answers.values())
    files = [path for path in walk.desk.home.rglob("*") if path.is_file()]
    assert {"billcom.db", "dagster.yaml"} <= {path.name for path in files}
    for secret in secrets:
        assert secret not in printed
        assert [path for path in files if secret.encode() in path.read_bytes()] == []


def test_the_ledgers_chart_is_written_in_the_form_of_bills_import(walk: Walk, tmp_path: Path) -> None:
    shown = walk.desk.run("ledger", "export", KEY, "--chart-of-accounts")
    file = tmp_path / "chart.csv"
    kept = walk.desk.run("ledger", "export", KEY, "--chart-of-accounts", "--output", str(file), "--json")

    rows = list(csv.DictReader(io.StringIO(shown.out)))
    assert {row["Name"] for row in rows} >= {"Rent", "Operating Checking"}
    assert file.read_text(encoding="utf-8-sig") == shown.out
    assert (kept.document["accounts"], kept.document["file"]) == (len(rows), str(file))


def test_mappings_go_out_to_a_spreadsheet_and_decisions_come_back(walk: Walk, tmp_path: Path) -> None:
    file = tmp_path / "mappings.csv"
    walk.desk.run("mappings", "export", KEY, "--kind", "vendors", "--output", str(file))
    with file.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    chosen = next(row for row in rows if row["state"] == "mapped")
    chosen |= {"ledger_id": "none", "ledger_name": ""}
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)

    answered = walk.desk.run("mappings", "import", KEY, str(file), "--json")

    assert (answered.code, answered.document["unmapped"], answered.document["mapped"]) == (0, 1, 0)
    after = walk.desk.run("mappings", "show", KEY, "--kind", "vendors", "--json").document["rows"]
    decided = next(row for row in after if row["bill_id"] == chosen["bill_id"])
    assert (decided["state"], decided["method"]) == ("unmapped", "manual")
    assert decided["decided_by"]


def test_a_file_with_a_wrong_line_is_refused_whole(walk: Walk, tmp_path: Path) -> None:
    file = tmp_path / "accounts.csv"
    file.write_text("Number,Name,Type\n1000,Checking,Bank\n6000,Rent,Sorcery\n")
    before = walk.desk.run("ledger", "export", KEY, "--chart-of-accounts").out

    answered = walk.desk.run("ledger", "import", KEY, "--accounts", str(file))

    assert answered.code == 2
    assert "Nothing was imported; 1 problem:" in answered.err
    assert "accounts.csv line 3:" in answered.err
    assert walk.desk.run("ledger", "export", KEY, "--chart-of-accounts").out == before


def test_a_file_that_cannot_be_written_is_named(walk: Walk, tmp_path: Path) -> None:
    answered = walk.desk.run("mappings", "export", KEY, "--output", str(tmp_path / "no" / "folder.csv"))

    assert answered.code == 2
    assert f"cannot be written: there is no folder {tmp_path / 'no'}." in answered.err
