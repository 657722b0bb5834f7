"""Storing what was read: rows, children, errors, findings, counts and checkpoint in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import psycopg
from sqlalchemy import Connection, select

from billcom_assets.sync.reading import Batch, Candidate, PageReader, Rejection
from billcom_assets.sync.report import Counts
from billcom_assets.sync.state import StateStore
from billcom_assets.warehouse.bulk import MirrorTable, Stored
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.tables import contract_findings, integration_errors, sync_second_looks, sync_sightings
from billcom_assets.warehouse.upsert import upsert

UNREADABLE = "unreadable"
_MOST_FINDINGS = 1_000
"""Unknown fields and values noted in one pull: enough to see what is new, whatever a broken BILL invents."""
_LONGEST_FINDING = 200
"""Characters; findings are keys, and an index holds no long ones."""


@dataclass(frozen=True)
class Written:
    """What one transaction did."""

    counts: Counts
    changed: list[Candidate]
    named: set[tuple[str, str]]
    """Objects to be read again, as (entity, id)."""


@dataclass
class BatchWriter:
    """Writes the batches of one pull."""

    warehouse: Warehouse
    states: StateStore
    table: MirrorTable
    reader: PageReader
    pull_id: str
    clock: Callable[[], datetime]
    notes_sightings: bool = False
    wants_second_look: Callable[[str, datetime | None], bool] = lambda _entity, _updated: False
    """Whether an object of this entity, named by an object updated at this time, must be read again."""
    expects_new: bool = False
    """Nothing is stored yet, as far as is known: objects are then inserted without looking for them first."""
    counts: Counts = field(default_factory=Counts)
    _noted: set[tuple[str, str, str]] = field(default_factory=set)
    _with_errors: set[str] | None = None

    def write(
        self,
        batches: Iterable[Batch],
        state: dict[str, Any],
        also: Callable[[Connection], None] = lambda _connection: None,
    ) -> Written:
        """Stores the objects together with the entity's new state (``sync_state`` columns) and what ``also`` does."""
        batches = list(batches)
        try:
            return self._write(batches, state, also)
        except psycopg.errors.UniqueViolation:
            if not self.expects_new:
                raise
            # BILL served an object twice, or an earlier pull had stored some: from here on each is looked for.
            self.expects_new = False
            return self._write(batches, state, also)

    def _write(self, batches: Sequence[Batch], state: dict[str, Any], also: Callable[[Connection], None]) -> Written:
        candidates = [one for batch in batches for one in batch.candidates]
        rejections = [one for batch in batches for one in batch.rejections]
        now = self.clock()
        counts = Counts(fetched=len(candidates) + len(rejections), rejected=len(rejections))
        with self.warehouse.write() as connection:
            known = {} if self.expects_new else self.table.stored(connection, {one.row.id for one in candidates})
            changed = self._choose(candidates, known, counts)
            self.table.upsert(connection, [one.row for one in changed], known, now)
            if self.notes_sightings:
                self._note_sightings(connection, candidates)
            named = self._ask_second_looks(connection, changed)
            self._record_errors(connection, rejections, changed, now)
            self._record_findings(connection, changed, now)
            if state:
                self.states.save(connection, self.table.entity.name, **state)
            also(connection)
            total = Counts()
            total.add(self.counts)
            total.add(counts)
            self.states.count(connection, self.pull_id, total)
        self.counts = total
        return Written(counts, changed, named)

    @staticmethod
    def _choose(candidates: Sequence[Candidate], known: dict[str, Stored], counts: Counts) -> list[Candidate]:
        """Those that change something; of one object's versions the newest."""
        chosen: dict[str, Candidate] = {}
        for one in candidates:
            earlier, stored = chosen.get(one.row.id), known.get(one.row.id)
            if earlier is None and stored is None:
                if one.is_before_cutoff:
                    counts.skipped_by_cutoff += 1
                    continue
                counts.inserted += 1
            elif earlier is None and stored is not None:
                if not _is_news(one, stored):
                    counts.unchanged += 1
                    continue
                counts.updated += 1
            else:
                # Served twice at once: one version counts as written, the other as known.
                counts.unchanged += 1
                if earlier is not None and not _is_newer(one, earlier):
                    continue
            chosen[one.row.id] = one
        return list(chosen.values())

    def _note_sightings(self, connection: Connection, candidates: Sequence[Candidate]) -> None:
        name = self.table.entity.name
        rows = [{"integration": self.table.integration, "entity": name, "id": one.row.id} for one in candidates]
        upsert(connection, sync_sightings, rows)

    def _ask_second_looks(self, connection: Connection, changed: Sequence[Candidate]) -> set[tuple[str, str]]:
        touched = self.table.entity.touched
        wanted = {
            (entity, identifier)
            for one in changed
            # Asked first: on a first pull hardly any object is worth taking apart.
            if any(self.wants_second_look(entity, one.row.updated_time) for entity in touched)
            for entity, identifier in self.reader.touched(one)
            if self.wants_second_look(entity, one.row.updated_time)
        }
        rows = [{"integration": self.table.integration, "entity": e, "id": i} for e, i in sorted(wanted)]
        upsert(connection, sync_second_looks, rows)
        return wanted

    def _record_errors(
        self, connection: Connection, rejections: Sequence[Rejection], changed: Sequence[Candidate], now: datetime
    ) -> None:
        entity, integration = self.table.entity, self.table.integration
        e = integration_errors.c
        mine = (e.integration == integration, e.entity == entity.name, e.code == UNREADABLE)
        if self._with_errors is None:
            self._with_errors = set(connection.scalars(select(e.record_id).where(*mine, e.status == "open")))
        healed = self._with_errors & {one.row.id for one in changed}
        if healed:
            statement = integration_errors.update().where(*mine, e.record_id.in_(healed))
            connection.execute(statement.values(status="resolved", last_seen_at=now))
            self._with_errors -= healed
        latest = {one.record_id: one.message for one in rejections}
        rows = [
            {
                "integration": integration,
                "entity": entity.name,
                "record_id": record_id,
                "code": UNREADABLE,
                "message": message,
                "next_step": "Correct the record in BILL; the next sync reads it again.",
                "status": "open",
                "occurrences": 1,
                "first_seen_at": now,
                "last_seen_at": now,
            }
            for record_id, message in latest.items()
        ]
        keys = ("integration", "entity", "record_id", "code")
        upsert(connection, integration_errors, rows, keys=keys, keep=("first_seen_at",), add=("occurrences",))
        self._with_errors |= latest.keys()

    def _record_findings(self, connection: Connection, changed: Sequence[Candidate], now: datetime) -> None:
        found = {("field", place, "") for one in changed for place in self.reader.contract.unknown_fields(one.obj)}
        found |= {
            ("value", column, str(value))
            for one in changed
            for column, value in self.reader.contract.unknown_values(one.obj)
        }
        short = {(kind, place[:_LONGEST_FINDING], value[:_LONGEST_FINDING]) for kind, place, value in found}
        new = sorted(short - self._noted)[: _MOST_FINDINGS - len(self._noted)]
        rows = [
            {
                "integration": self.table.integration,
                "entity": self.table.entity.name,
                "kind": kind,
                "place": place,
                "value": value,
                "first_seen_at": now,
                "last_seen_at": now,
            }
            for kind, place, value in new
        ]
        upsert(connection, contract_findings, rows, keep=("first_seen_at",))
        self._noted |= set(new)


def _is_news(one: Candidate, stored: Stored) -> bool:
    if stored.is_deleted:
        return True
    if stored.digest == one.row.digest:
        return False
    ours, theirs = stored.updated_time, one.row.updated_time
    return ours is None or theirs is None or theirs >= ours


def _is_newer(one: Candidate, other: Candidate) -> bool:
    ours, theirs = other.row.updated_time, one.row.updated_time
    return ours is None or theirs is None or theirs >= ours
