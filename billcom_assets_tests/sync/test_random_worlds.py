"""Random worlds: a BILL that does business and misbehaves at random, interrupted at random, never loses a row.

Every world is decided by its number. During the trouble nothing that BILL has may be marked deleted and every run must
account for what it fetched; after the trouble two ordinary nights make the mirror equal to BILL. ``make test`` visits
some worlds; ``BILLCOM_WORLDS=night`` visits as many as a night allows.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from billcom_assets.bill.errors import BillError
from billcom_assets.sync.report import Progress
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets_tests.bill.scripted import HTML_502, Reply, error
from billcom_assets_tests.sync.plain import NOW, REFUSED_QUERY, Doc, PlainBill, bill, plain_bill, text

_IS_NIGHT = os.environ.get("BILLCOM_WORLDS") == "night"
SQLITE_WORLDS, POSTGRESQL_WORLDS = (250, 60) if _IS_NIGHT else (40, 10)
_STEPS = 9
_UNREADABLE: tuple[dict[str, Any], ...] = (
    {"dueAmount": {"value": 1}},
    {"dueDate": "2026-02-30"},
    {"amount": "a lot"},
    {"archived": "perhaps"},
)


class Interrupted(Exception):
    """The run ends here."""


class World:
    """A BILL, what it truly has, and the dice."""

    def __init__(self, number: int, plain: PlainBill) -> None:
        self.dice = random.Random(number)
        self.plain = plain
        self.next_id = 0
        self.moment = NOW - timedelta(days=2)
        self.broken: dict[str, Doc] = {}
        """The readable version of objects that are unreadable now."""

    def step(self) -> None:
        """Something happens."""
        self.moment += timedelta(seconds=self.dice.choice((0, 1, 30, 600, 5_000)))
        happenings: tuple[Callable[[], None], ...] = (
            self.burst,
            self.change_some,
            self.change_some,
            self.break_some,
            self.mend,
            self.move_back,
            self.date_ahead,
            self.forget_created,
            self.misbehave,
        )
        self.dice.choice(happenings)()

    def burst(self) -> None:
        """An import: many in few seconds."""
        for _ in range(self.dice.choice((1, 7, 130, 260))):
            self.next_id += 1
            spread = timedelta(seconds=self.dice.randrange(200))
            created = text(self.moment - timedelta(days=self.dice.randrange(40)))
            self.plain.docs.append(bill(self.next_id, created=created, updated=text(self.moment - spread)))

    def some(self) -> list[Doc]:
        readable = [doc for doc in self.plain.docs if doc["id"] not in self.broken]
        return self.dice.sample(readable, min(len(readable), self.dice.choice((1, 5, 40))))

    def change_some(self) -> None:
        for doc in self.some():
            doc |= {"amount": self.dice.randrange(1, 10_000), "updatedTime": text(self.moment)}

    def break_some(self) -> None:
        for doc in self.some():
            self.broken[doc["id"]] = dict(doc)
            doc |= {**self.dice.choice(_UNREADABLE), "updatedTime": text(self.moment)}

    def mend(self) -> None:
        """Everything is readable again, and changed by being corrected."""
        for doc in self.plain.docs:
            if doc["id"] in self.broken:
                doc.update(self.broken[doc["id"]] | {"updatedTime": text(self.moment)})
        self.broken.clear()

    def move_back(self) -> None:
        """A restored backup: another content with an older time."""
        for doc in self.some():
            doc |= {"amount": self.dice.randrange(1, 10_000), "updatedTime": text(self.moment - timedelta(days=3))}

    def date_ahead(self) -> None:
        for doc in self.some()[:1]:
            doc |= {"updatedTime": text(NOW + timedelta(days=self.dice.choice((2, 400))))}

    def forget_created(self) -> None:
        for doc in self.some()[:2]:
            doc |= {"createdTime": None, "updatedTime": text(self.moment)}

    def misbehave(self) -> None:
        """How BILL answers lists from now on."""
        self.plain.sorts_undated_away = self.dice.random() < 0.5
        self.plain.order = self.dice.choice((None, None, self._shuffled))
        self.plain.refuse = self.dice.choice((_obliging, _obliging, _no_updated_filter, self._moody, _forbidden))

    def _shuffled(self, docs: list[Doc]) -> list[Doc]:
        return random.Random(5).sample(sorted(docs, key=lambda doc: str(doc["id"])), len(docs))

    def _moody(self, _query: dict[str, str]) -> Reply | None:
        roll = self.dice.random()
        return HTML_502 if roll < 0.05 else REFUSED_QUERY if roll < 0.1 else None

    def calm_down(self) -> None:
        self.mend()
        self.plain.order, self.plain.refuse = None, _obliging

    def run(self, warehouse: Warehouse) -> None:
        """A sync that may be interrupted or fail."""
        allowed = self.dice.choice((None, None, 90, 250))

        def watch(progress: Progress) -> None:
            if allowed is not None and progress.fetched >= allowed and not progress.done:
                raise Interrupted

        try:
            reports = self.plain.sync(warehouse, refresh=self.dice.random() < 0.3, on_progress=watch)
        except (Interrupted, BillError):
            return
        assert all(report.counts.is_conserved for report in reports)


def _obliging(_query: dict[str, str]) -> Reply | None:
    return None


def _no_updated_filter(query: dict[str, str]) -> Reply | None:
    return REFUSED_QUERY if "updatedTime" in query.get("filters", "") else None


def _forbidden(_query: dict[str, str]) -> Reply | None:
    return error(None, "You are not permitted to do this.", status=403)


def deleted(warehouse: Warehouse) -> set[str]:
    t = warehouse.mirror.table("bills").c
    with warehouse.read() as connection:
        return set(connection.scalars(select(t.id).where(t.deleted_at.is_not(None))))


def mirrored(warehouse: Warehouse) -> dict[str, tuple[int, bool]]:
    t = warehouse.mirror.table("bills").c
    with warehouse.read() as connection:
        rows = connection.execute(select(t.id, t.amount, t.unreadable_since))
        return {row.id: (int(row.amount), row.unreadable_since is not None) for row in rows}


def visit(number: int, warehouse: Warehouse) -> None:
    with plain_bill() as plain:
        world = World(number, plain)
        world.burst()
        for _ in range(_STEPS):
            world.step()
            world.run(warehouse)
            assert deleted(warehouse) == set(), f"world {number} lost rows"
            plain.offset += timedelta(hours=world.dice.choice((0, 1, 25)))
        world.calm_down()
        for _ in range(2):
            plain.offset += timedelta(days=1)
            plain.sync(warehouse, refresh=True)
        truth = {doc["id"]: (doc["amount"], False) for doc in plain.docs}
        assert mirrored(warehouse) == truth, f"world {number} differs: {json.dumps(sorted(truth))[:200]}"
        assert deleted(warehouse) == set()


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
@pytest.mark.parametrize("number", range(SQLITE_WORLDS))
def test_a_random_world_ends_equal_on_sqlite(number: int, warehouse: Warehouse) -> None:
    visit(number, warehouse)


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
@pytest.mark.parametrize("number", range(1_000, 1_000 + POSTGRESQL_WORLDS))
def test_a_random_world_ends_equal_on_postgresql(number: int, warehouse: Warehouse) -> None:
    visit(number, warehouse)
