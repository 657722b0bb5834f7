from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import insert

from billcom_assets.status.runs import last_runs, pulls_of
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.tables import sync_runs

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def pull(warehouse: Warehouse, id_: str, run_id: str | None, entity: str, hour: int, **values: object) -> None:
    row = {
        "id": id_,
        "run_id": run_id,
        "integration": "acme",
        "entity": entity,
        "kind": "incremental",
        "status": "complete",
        "started_at": NOON.replace(hour=hour),
        "finished_at": NOON.replace(hour=hour, minute=1),
        **values,
    }
    with warehouse.write() as connection:
        connection.execute(insert(sync_runs).values(row))


def test_the_pulls_of_a_run_are_counted_together_and_the_newest_run_first(warehouse: Warehouse) -> None:
    pull(warehouse, "1", "run-a", "vendors", 8, fetched=5, inserted=5, requests=2)
    pull(warehouse, "2", "run-a", "accounts", 9, fetched=7, updated=3, requests=1, status="failed")
    pull(warehouse, "3", "run-b", "vendors", 10, finished_at=None, status="running")
    pull(warehouse, "4", None, "vendors", 7)

    with warehouse.read() as connection:
        runs = last_runs(connection, "acme")
        pulls = pulls_of(connection, "run-a")

    assert [(run.run_id, run.status, run.entities) for run in runs] == [
        ("run-b", "running", 1),
        ("run-a", "failed", 2),
        ("4", "complete", 1),
    ]
    assert (runs[1].fetched, runs[1].written, runs[1].requests) == (12, 8, 3)
    assert runs[1].started_at == NOON.replace(hour=8)
    assert [one.entity for one in pulls] == ["vendors", "accounts"]
    assert all(type(number) is int for number in (runs[1].fetched, runs[1].written, runs[1].requests))
