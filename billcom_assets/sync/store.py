"""Storing what was read: rows, children, errors, findings, counts and checkpoint in one transaction."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from billcom_assets.bill import json_text
from billcom_assets.entities.contract import Contract
from billcom_assets.entities.rows import Batch, MirrorRow, Rejection, RowMaker
from billcom_assets.redaction.display import one_line
from billcom_assets.redaction.personal import mask_personal_data
from billcom_assets.sync.opening import OpeningDocuments
from billcom_assets.sync.report import Counts
from billcom_assets.sync.state import StateStore
from billcom_assets.sync.sweeps import note_sightings
from billcom_assets.warehouse.bulk import MirrorTable, Stored
from billcom_assets.warehouse.driver_errors import DRIVER_ERRORS, is_there_already
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.error_codes import BAD_REFERENCE, UNREADABLE
from billcom_assets.warehouse.error_log import ErrorLog, Trouble
from billcom_assets.warehouse.tables import contract_findings, integration_errors, sync_rereads
from billcom_assets.warehouse.upsert import upsert

_READABLE_AGAIN = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""Ids that can be asked for by id; BILL's own are letters and digits."""
_MOST_FINDINGS = 1_000
"""Unknown fields and values noted in one pull: enough to see what is new, whatever a broken BILL invents."""
_CORRECT_IT = "Correct the record in BILL; the next sync reads it again."
_LONGEST_FINDING = 200
"""Characters; findings are keys, and an index holds no long ones."""


@dataclass(frozen=True)
class Written:
    """What one transaction did."""

    counts: Counts
    changed: list[MirrorRow]
    named: set[tuple[str, str]]
    """Objects to be read again, as (entity, id)."""


@dataclass
class BatchWriter:
    """Writes the batches of one pull."""

    warehouse: Warehouse
    states: StateStore
    table: MirrorTable
    maker: RowMaker
    contract: Contract
    pull_id: str
    clock: Callable[[], datetime]
    fence: Callable[[Connection], None] = lambda _connection: None
    """Raises when another run may write by now."""
    sweep: str | None = None
    """Id of the sweep whose sightings are noted; None outside of sweeps."""
    believes: bool = False
    """What BILL shows counts even where its updated time is older than the stored one."""
    wants_reread: Callable[[str, datetime | None], bool] = lambda _entity, _updated: False
    """Whether an object of this entity, named by an object updated at this time, must be read again."""
    expects_new: bool = False
    """Nothing is stored yet, as far as is known: objects are then inserted without looking for them first."""
    counts: Counts = field(default_factory=Counts)
    changed_ids: set[str] | None = None
    """The rows written so far, for who wants to know."""
    unidentified: int = 0
    """Rejected objects of which not even the id is known."""
    _noted: set[tuple[str, str, str]] = field(default_factory=set)
    _with_errors: set[str] | None = None

    def __post_init__(self) -> None:
        opening = self.table.entity.opening
        self.opening = OpeningDocuments(self.table, opening) if opening is not None else None

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
        except DRIVER_ERRORS as error:
            if not (self.expects_new and is_there_already(error)):
                raise
            # BILL served an object twice, or an earlier pull had stored some: from here on each is looked for.
            self.expects_new = False
            return self._write(batches, state, also)

    def _write(self, batches: Sequence[Batch], state: dict[str, Any], also: Callable[[Connection], None]) -> Written:
        candidates = [row for batch in batches for row in batch.rows]
        rejections = [one for batch in batches for one in batch.rejections]
        now = self.clock()
        counts = Counts(fetched=len(candidates) + len(rejections), rejected=len(rejections))
        with self.warehouse.write() as connection:
            self.fence(connection)
            known = {} if self.expects_new else self.table.stored(connection, {one.id for one in candidates})
            chosen, skipped = self._choose(candidates, known, counts)
            changed = self._with_v2(connection, chosen, known)
            self.table.upsert(connection, changed, known, now, may_go_back=self.believes)
            if self.opening is not None:
                mirrored = [one.id for one in changed if one.id not in known]
                self.opening.write(connection, skipped, mirrored, expects_new=self.expects_new)
            rejected = {one.record_id for one in rejections if one.record_id}
            if rejected:
                self.table.mark_unreadable(connection, rejected, now)
            if self.sweep is not None:
                seen = {one.id for one in candidates} | rejected
                note_sightings(connection, self.table, self.sweep, sorted(seen))
            named = self._ask_rereads(connection, changed, now)
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
        if self.changed_ids is not None:
            self.changed_ids.update(one.id for one in changed)
        self.unidentified += sum(not one.record_id for one in rejections)
        return Written(counts, changed, named)

    def _choose(
        self, candidates: Sequence[MirrorRow], known: dict[str, Stored], counts: Counts
    ) -> tuple[list[MirrorRow], list[MirrorRow]]:
        """Those that change something, and those that the cutoff leaves out; of one object's versions the newest."""
        chosen: dict[str, MirrorRow] = {}
        skipped: dict[str, MirrorRow] = {}
        for one in candidates:
            earlier, stored = chosen.get(one.id), known.get(one.id)
            if earlier is None and stored is None:
                if one.is_before_cutoff:
                    counts.skipped_by_cutoff += 1
                    if one.id not in skipped or _is_newer(one, skipped[one.id]):
                        skipped[one.id] = one
                    continue
                counts.inserted += 1
            elif earlier is None and stored is not None:
                if not self._is_news(one, stored):
                    counts.unchanged += 1
                    continue
                counts.updated += 1
            else:
                # Served twice at once: one version counts as written, the other as known.
                counts.unchanged += 1
                if earlier is not None and not _is_newer(one, earlier):
                    continue
            chosen[one.id] = one
        return list(chosen.values()), [one for one in skipped.values() if one.id not in chosen]

    def _with_v2(
        self, connection: Connection, changed: list[MirrorRow], known: Mapping[str, Stored]
    ) -> list[MirrorRow]:
        """The same rows with what v2 has said of them before."""
        if self.table.entity.v2 is None:
            return changed
        ids = [one.id for one in changed if one.id in known]
        records = self.table.v2_payloads(connection, ids) if ids else {}
        for one in changed:
            if one.id in records:
                one.values, one.children = self.maker.derived(one.obj, json_text.decode(records[one.id].encode()))
        return changed

    def _is_news(self, one: MirrorRow, stored: Stored) -> bool:
        if stored.is_deleted:
            return True
        if stored.digest == one.digest and not stored.is_unreadable:
            return False
        ours, theirs = stored.updated_time, one.updated_time
        return self.believes or ours is None or theirs is None or theirs >= ours

    def _ask_rereads(self, connection: Connection, changed: Sequence[MirrorRow], now: datetime) -> set[tuple[str, str]]:
        touched = self.table.entity.touched
        wanted = {
            (entity, identifier): one.id
            for one in changed
            # Asked first: on a first pull hardly any object is worth taking apart.
            if any(self.wants_reread(entity, one.updated_time) for entity in touched)
            for entity, identifier in self.maker.touched(one)
            if self.wants_reread(entity, one.updated_time)
        }
        good = {named for named in wanted if _READABLE_AGAIN.fullmatch(named[1])}
        rows = [{"integration": self.table.integration, "entity": e, "id": i} for e, i in sorted(good)]
        upsert(connection, sync_rereads, rows)
        self._record_bad_references(connection, {wanted[named]: named for named in wanted.keys() - good}, now)
        return good

    def _record_bad_references(self, connection: Connection, named: dict[str, tuple[str, str]], now: datetime) -> None:
        """What an object names and nobody can ask BILL for; it is dropped, so that it spoils no later read."""
        problems = {
            naming: f"It names an object of {entity.replace('_', ' ')} by {one_line(identifier, limit=40)!r}, which "
            "is no id of BILL's; that object is not read again"
            for naming, (entity, identifier) in named.items()
        }
        self._open_errors(connection, BAD_REFERENCE, problems, now)

    def report_bad_references(self, connection: Connection, refused: Mapping[str, str]) -> None:
        """An open error for each object that others name and BILL refuses to show; by id, with BILL's reason."""
        self._open_errors(connection, BAD_REFERENCE, refused, self.clock())

    def _record_errors(
        self, connection: Connection, rejections: Sequence[Rejection], changed: Sequence[MirrorRow], now: datetime
    ) -> None:
        entity, integration = self.table.entity, self.table.integration
        e = integration_errors.c
        mine = (e.integration == integration, e.entity == entity.name, e.code == UNREADABLE)
        if self._with_errors is None:
            unresolved = select(e.record_id).where(*mine, e.status != "resolved")
            self._with_errors = set(connection.scalars(unresolved))
        healed = self._with_errors & {one.id for one in changed}
        if healed:
            statement = integration_errors.update().where(*mine, e.record_id.in_(healed))
            connection.execute(statement.values(status="resolved", reason=None, last_seen_at=now))
            self._with_errors -= healed
        latest = {one.record_id: one.message for one in rejections}
        self._open_errors(connection, UNREADABLE, latest, now)
        self._with_errors |= latest.keys()

    def _open_errors(self, connection: Connection, code: str, messages: Mapping[str, str], now: datetime) -> None:
        """One open error for each record, with what happened to it."""
        found = {one: Trouble(message, _CORRECT_IT) for one, message in messages.items()}
        ErrorLog(self.table.integration, self.table.entity.name).report(connection, code, found, now)

    def _record_findings(self, connection: Connection, changed: Sequence[MirrorRow], now: datetime) -> None:
        found = {("field", _short(place), "") for one in changed for place in self.contract.unknown_fields(one.obj)}
        found |= {
            ("value", column, _short(str(value)))
            for one in changed
            for column, value in self.contract.unknown_values(one.obj)
        }
        new = sorted(found - self._noted)[: _MOST_FINDINGS - len(self._noted)]
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


def _short(text: str) -> str:
    return one_line(mask_personal_data(text), limit=_LONGEST_FINDING)


def _is_newer(one: MirrorRow, other: MirrorRow) -> bool:
    ours, theirs = other.updated_time, one.updated_time
    return ours is None or theirs is None or theirs >= ours
