"""kill -9 anywhere in a posting leaves nothing of it, and a plain re-run ends in the books of an undisturbed one."""

from __future__ import annotations

import multiprocessing
import random
import re
import signal
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select

from billcom_assets.sandbox import SandboxServer, Settings
from billcom_assets.warehouse.books_tables import (
    ledger_applications,
    ledger_documents,
    ledger_entries,
    ledger_lines,
    opening_applications,
    opening_documents,
    posting_policies,
    posting_state,
)
from billcom_assets.warehouse.engine import Warehouse, open_warehouse
from billcom_assets.warehouse.ledger_tables import mappings
from billcom_assets.warehouse.tables import integration_errors
from billcom_assets_tests.books.comparison import follow
from billcom_assets_tests.books.ledger import POLICY, map_to, mirror_ledger, register, set_policy
from billcom_assets_tests.books.reference import ReferenceBooks
from billcom_assets_tests.sync import victim
from billcom_assets_tests.sync.company import INTEGRATION, Company, let_business_happen

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload([victim.__name__])
_WRITTEN = (
    *(ledger_documents, ledger_entries, ledger_lines, ledger_applications, integration_errors),
    *(opening_documents, opening_applications, posting_policies, posting_state),
)
"""Tables that postings write."""
_VARYING = {posting_state.c.basis, integration_errors.c.id}
"""A digest of when BILL was synced, and numbers that PostgreSQL does not take back."""
_PHASES = {
    "staging": r"INSERT INTO work_(documents|lines|parts|objects)\b",
    "decisions": r"UPDATE work_documents\b|INSERT INTO work_reasons\b",
    "exchange": r"(INSERT INTO work_(valued|differences)|UPDATE work_parts)\b",
    "entries": r"INSERT INTO (\w+\.)?(work_entry_lines|ledger_entries|ledger_lines)\b",
    "documents": r"INSERT INTO (\w+\.)?(ledger_documents|ledger_applications)\b",
    "queue": r"(INSERT INTO|UPDATE) (\w+\.)?integration_errors\b",
    "opening documents": r"(INSERT INTO|DELETE FROM) (\w+\.)?opening_",
    "state": r"INSERT INTO (\w+\.)?posting_state\b",
    "commit": r"COMMIT",
}
"""What posting does one after the other, by the statements that do it."""
_OF_FIRST_POSTING = 4
"""Phases of the first posting that are killed; of the one after it all are."""


@pytest.fixture(scope="module")
def company() -> Iterator[Company]:
    with SandboxServer(Settings(bills=60, orgs=1)) as server:
        yield Company(server)


def books(warehouse: Warehouse) -> dict[str, list[tuple[Any, ...]]]:
    found = {}
    with warehouse.read() as connection:
        for table in _WRITTEN:
            query = select(*(column for column in table.columns if column not in _VARYING))
            found[table.name] = sorted((tuple(row) for row in connection.execute(query)), key=str)
    return found


def one_of_each(phases: Collection[str], steps: Sequence[str], dice: random.Random) -> dict[str, int]:
    """A step of each of the phases, by its number."""
    numbers: dict[str, list[int]] = defaultdict(list)
    for number, step in enumerate(steps):
        for phase, pattern in _PHASES.items():
            if re.match(pattern, step):
                numbers[phase].append(number)
    return {phase: dice.choice(numbers[phase]) for phase in phases}


def post_and_kill(url: str, now: datetime, step: int) -> None:
    process = _CONTEXT.Process(target=victim.post, args=(url, now, step), daemon=True)
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL


def begin(company: Company, warehouse: Warehouse) -> None:
    with warehouse.write() as connection:
        register(connection)
    company.sync(warehouse)
    with warehouse.write() as connection:
        mirror_ledger(connection, warehouse)
        set_policy(connection, **POLICY)
        for kind in ("vendors", "accounts"):
            m = mappings.c
            ids = connection.scalars(select(m.bill_id).where(m.integration == INTEGRATION, m.kind == kind)).all()
            for one in sorted(ids)[::4]:
                map_to(connection, kind, one, None)


def go_on(company: Company, warehouse: Warehouse) -> None:
    company.sync(warehouse)
    with warehouse.write() as connection:
        mirror_ledger(connection, warehouse)
        set_policy(connection, closed_through="2025-12-31")


def test_killed_postings_end_in_the_books_of_undisturbed_ones(
    company: Company, database_url: str, make_database: Callable[..., str]
) -> None:
    warehouse, undisturbed = open_warehouse(database_url), open_warehouse(make_database())
    reference, dice = ReferenceBooks(), random.Random(20)
    for change, phases in ((begin, dice.sample(tuple(_PHASES), _OF_FIRST_POSTING)), (go_on, _PHASES)):
        for one in (warehouse, undisturbed):
            change(company, one)
        now, steps, before = company.server.clock.now(), list[str](), books(warehouse)
        victim.post_in_steps(undisturbed, now, steps.append)
        assert books(undisturbed) != before
        for phase, step in one_of_each(phases, steps, dice).items():
            post_and_kill(database_url, now, step)
            assert books(warehouse) == before, phase
        victim.post_in_steps(warehouse, now, lambda _step: None)
        assert books(warehouse) == books(undisturbed)
        with warehouse.read() as connection:
            assert follow(connection, reference, now.date()) == []
        let_business_happen(company, 40, seed=20)
        company.server.sandbox.change(3, 1, organization=company.organization.id, only="void a payment")
    for one in (warehouse, undisturbed):
        one.close()
