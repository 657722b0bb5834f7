"""Lists that a run does without: left out by somebody, or not shown to its login by BILL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from billcom_assets.bill.errors import BillError
from billcom_assets.entities.catalog import CATALOG
from billcom_assets.status.scope import Refusal, Scope, scope
from billcom_assets.sync.permissions import V2_API, note_permitted, note_refusal
from billcom_assets.sync.run import Sync
from billcom_assets.warehouse.engine import Warehouse


class Permitted:
    """Which of a run's lists are left alone, and what BILL says of the others."""

    def __init__(self, known: Scope, planned: Sequence[str], now: datetime) -> None:
        self.excluded = [name for name in planned if name in known.excluded]
        self.refusals: dict[str, Refusal] = {}
        """Lists that this run does without because BILL does not show them, by entity."""
        self._known = known
        self._v2_lists = [name for name in planned if CATALOG[name].is_of_v2]
        self._allowed: set[str] = set()
        left_alone = self._left_alone = known.left_alone(now)
        # Somebody who asks for nothing else wants to know.
        if not left_alone.issuperset(planned):
            refused = left_alone - known.excluded
            self.refusals = {name: known.refusals[name] for name in planned if name in refused}
            if V2_API in refused:
                self._leave_v2_lists(known.refusals[V2_API])

    @classmethod
    def of(cls, warehouse: Warehouse, integration: str, planned: Sequence[str], now: datetime) -> Permitted:
        """What is known before the run."""
        with warehouse.read() as connection:
            return cls(scope(connection, integration), planned, now)

    def asks_for(self, entity: str) -> bool:
        """Whether the run asks BILL for the list."""
        return entity not in self.excluded and entity not in self.refusals

    @property
    def asks_v2(self) -> bool:
        """Whether the run asks BILL's v2 API what it adds."""
        return V2_API not in self._left_alone

    def note_v2(self, sync: Sync) -> None:
        """Notes whether BILL's v2 API serves the login, as far as that has turned out."""
        if sync.v2_refusal is not None and V2_API not in self.refusals:
            self.refuse(sync, V2_API, sync.v2_refusal)
            self._leave_v2_lists(self.refusals[V2_API])
        elif sync.v2_refusal is None and sync.has_v2_answered:
            self.allow(sync, V2_API)

    def _leave_v2_lists(self, refusal: Refusal) -> None:
        self.refusals |= dict.fromkeys(self._v2_lists, refusal)

    def refuse(self, sync: Sync, entity: str, error: BillError) -> None:
        """Notes that BILL does not show the list."""
        now = sync.clock()
        with sync.warehouse.write() as connection:
            sync.fence.check(connection)
            trouble = note_refusal(connection, sync.integration, entity, error, now)
        self.refusals[entity] = Refusal(trouble.message, trouble.next_step, now)

    def allow(self, sync: Sync, entity: str) -> None:
        """Notes that BILL shows it."""
        if entity in self._known.refusals and entity not in self._allowed:
            self._allowed.add(entity)
            with sync.warehouse.write() as connection:
                sync.fence.check(connection)
                note_permitted(connection, sync.integration, entity, sync.clock())
