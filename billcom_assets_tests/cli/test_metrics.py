"""``billcom metrics``: what Prometheus reads."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import urllib.request
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import func, insert, select, update

import billcom_assets
from billcom_assets.bill.credentials import Environment
from billcom_assets.bill.quotas import LOGINS_PER_HOUR, REQUESTS_PER_HOUR, hour_of
from billcom_assets.clock import utc_now
from billcom_assets.status.metrics import Metrics
from billcom_assets.warehouse.books_tables import ledger_documents
from billcom_assets.warehouse.engine import open_warehouse
from billcom_assets.warehouse.integrations import CredentialSources, Integration, Integrations
from billcom_assets.warehouse.keys import find_seal, make_key
from billcom_assets.warehouse.tables import integration_errors, integrations, request_budget, sync_state
from billcom_assets_tests.books.held_company import HeldCompany
from billcom_assets_tests.cli.commands import Answered, billcom_command
from billcom_assets_tests.sync.company import INTEGRATION

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture
def company(held: HeldCompany, monkeypatch: pytest.MonkeyPatch) -> HeldCompany:
    monkeypatch.setenv("BILLCOM_DATABASE_URL", held.url)
    monkeypatch.setenv("BILLCOM_SECRET_KEY", make_key())
    sources = CredentialSources("a-token", "its value", "a developer key")
    stage = Environment.STAGE
    one = Integration(INTEGRATION, "Company", "008", stage, None, None, sources, None, None)
    with held.warehouse.write() as connection:
        stored = Integrations(find_seal(held.warehouse.engine.url))
        stored.save(connection, one, utc_now())
        stored.signed_in(connection, INTEGRATION, utc_now())
    return held


def samples(text: str) -> Samples:
    """As Prometheus reads them, whose own parser refuses what is not in its format."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def printed() -> tuple[Answered, Samples]:
    answered = billcom_command("metrics")
    assert answered.code == 0, answered.err
    return answered, samples(answered.out)


def named(found: Samples, name: str) -> dict[str, float]:
    """By the values of the labels but the integration."""
    return {
        "/".join(value for label, value in sorted(labels) if label != "integration"): number
        for (each, labels), number in found.items()
        if each == name
    }


def test_how_recent_every_entity_is(company: HeldCompany) -> None:
    _, found = printed()
    with company.warehouse.read() as connection:
        stored = connection.execute(select(sync_state.c.entity, sync_state.c.synced_at, sync_state.c.probed_at)).all()
    expected = {row.entity: max(at for at in row[1:] if at).timestamp() for row in stored if any(row[1:])}
    assert len(expected) > 10
    assert named(found, "billcom_entity_up_to_date_timestamp_seconds") == expected
    assert found["billcom_up", frozenset()] == 1


def test_how_the_last_run_ended(company: HeldCompany) -> None:
    _, found = printed()
    assert named(found, "billcom_last_run_status") == {"complete": 1, "failed": 0, "refused": 0, "running": 0}
    assert named(found, "billcom_last_run_end_timestamp_seconds")[""] > 0
    assert named(found, "billcom_integration_connected") == {"": 1}
    with company.warehouse.write() as connection:
        connection.execute(update(integrations).values(status="error"))
    assert named(printed()[1], "billcom_integration_connected") == {"": 0}


def test_what_is_held_and_what_is_wrong(company: HeldCompany) -> None:
    with company.warehouse.write() as connection:
        row = {
            "integration": INTEGRATION,
            "entity": "bills",
            "record_id": "1",
            "code": "UNREADABLE",
            "message": "m",
            "next_step": "n",
            "status": "open",
            "first_seen_at": utc_now(),
            "last_seen_at": utc_now(),
        }
        connection.execute(insert(integration_errors).values(row))
        held = connection.scalar(select(func.count()).where(ledger_documents.c.state == "held")) or 0
        e = integration_errors.c
        unmapped = connection.scalar(select(func.count()).where(e.code == "VENDOR_UNMAPPED", e.status == "open"))
    _, found = printed()
    by_reason = named(found, "billcom_held_documents")
    assert by_reason["VENDOR_UNMAPPED"] == unmapped
    assert sum(by_reason.values()) >= held > 0
    assert named(found, "billcom_integration_errors") == {"UNREADABLE": 1}


def test_what_is_left_of_the_hour(company: HeldCompany) -> None:
    now = utc_now()
    digest = "0123456789abcdef" * 4
    with company.warehouse.write() as connection:
        row = {"developer_key": digest, "hour": hour_of(now), "requests": 150, "logins": 3}
        connection.execute(insert(request_budget).values(row))

    def left(at: float) -> list[float]:
        collector = Metrics(lambda: open_warehouse(company.url), lambda: now + timedelta(hours=at))
        return [
            sample.value
            for family in collector.collect()
            if family.name.endswith("_left")
            for sample in family.samples
            if sample.labels["developer_key"] == digest[:12]
        ]

    assert left(0) == [REQUESTS_PER_HOUR - 150, LOGINS_PER_HOUR - 3]
    assert left(1) == [REQUESTS_PER_HOUR, LOGINS_PER_HOUR]
    assert digest not in billcom_command("metrics").out


def test_a_database_that_cannot_be_read_is_a_figure(tmp_path: Path) -> None:
    (tmp_path / "billcom.db").write_text("no database")
    families = list(Metrics(lambda: open_warehouse(f"sqlite:///{tmp_path}/billcom.db")).collect())
    assert [(one.name, one.samples[0].value) for one in families] == [("billcom_up", 0)]


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_serving_them(company: HeldCompany) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        free_port = taken.getsockname()[1]
    command = [sys.executable, "-m", "billcom_assets.cli", "metrics", "--port", str(free_port)]
    server = subprocess.Popen(command, stderr=subprocess.PIPE)
    try:
        assert server.stderr is not None
        assert b"Serving http://127.0.0.1" in server.stderr.readline()
        with closing(urllib.request.urlopen(f"http://127.0.0.1:{free_port}/metrics")) as response:
            found = samples(response.read().decode())
        assert found["billcom_up", frozenset()] == 1
    finally:
        server.terminate()
        server.wait()


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_as_json(company: HeldCompany) -> None:
    document = billcom_command("metrics", "--json").document
    (up,) = [one for one in document["metrics"] if one["name"] == "billcom_up"]
    assert up["samples"] == [{"labels": {}, "value": 1}]


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_the_documentation_names_every_figure_and_no_other(company: HeldCompany) -> None:
    text = (Path(billcom_assets.__file__).parents[1] / "docs" / "operating.md").read_text(encoding="utf-8")
    collected = {one.name for one in Metrics(lambda: open_warehouse(company.url)).collect()}
    written = set(re.findall(r"\bbillcom_[a-z_]+", text)) - {"billcom_assets", "billcom_assets_tests", "billcom_owner"}
    assert written == collected
    table = text.partition("| gauge |")[2].partition("### ")[0]
    assert set(re.findall(r"\bbillcom_[a-z_]+", table)) == collected
