"""The pulls of one integration in one run, and what they know of each other."""

from __future__ import annotations

import gc
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from billcom_assets.bill.client import BillClient
from billcom_assets.bill.errors import BillError
from billcom_assets.clock import utc_now
from billcom_assets.entities.catalog import Catalog
from billcom_assets.entities.contract import Contract
from billcom_assets.entities.model import Entity
from billcom_assets.entities.rows import RowMaker
from billcom_assets.sync.fence import Fence
from billcom_assets.sync.fetching import FetchPool, Turn
from billcom_assets.sync.report import Progress
from billcom_assets.sync.source import later
from billcom_assets.sync.state import EntityState, StateStore, waiting_for_rereads
from billcom_assets.warehouse.engine import Warehouse

if TYPE_CHECKING:
    from billcom_assets.sync.pull import EntityPull

CLOCK_SKEW = timedelta(minutes=5)
"""How far BILL's times may run ahead of BILL's clock; what is later yet says nothing about when something changed."""
OVERLAP = timedelta(minutes=5)
"""How far before the watermark an incremental pull begins: BILL's times have whole seconds, and what is written at one
may become visible a little later."""
_BEFORE_BILL = datetime(2000, 1, 1, tzinfo=UTC)
"""No object of BILL's is older; an earlier time is none."""
_OBJECTS_BETWEEN_COLLECTIONS = 50_000


def lock_name(integration: str) -> str:
    """The lock that a run holds while it pulls; it ends with the process."""
    return f"sync of {integration}"


@dataclass
class Sync:
    """The pulls of one integration in one run."""

    warehouse: Warehouse
    client: BillClient
    catalog: Catalog
    integration: str
    cutoff: date | None = None
    history_start: date | None = None
    run_id: str | None = None
    clock: Callable[[], datetime] = utc_now
    on_progress: Callable[[Progress], None] = lambda _progress: None
    confirm_deletions: bool = False
    """A sweep's misses count at once, not only when a sweep on another day misses them too."""
    planned: Sequence[str] = ()
    """Entities that this run pulls, in their order."""
    excluded: Collection[str] = frozenset()
    """Entities that are left out: neither pulled nor read again."""
    keeps_documents: bool = False
    """Files attached in BILL are fetched."""
    asks_v2: bool = True
    """BILL's v2 API is asked as well; not when it has refused this login."""
    has_v2_answered: bool = False
    """It has, in this run."""
    v2_failures: int = 0
    """Lists of v2's in a row that gave no usable response."""
    v2_lists: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Short lists of v2's that were read in this run, by name."""
    v2_refusal: BillError | None = None
    """BILL's refusal, where it came in this run."""
    v2_trouble: BillError | None = None
    """What last went wrong with it otherwise."""
    is_past_the_gate: bool = False
    """Setup is complete, so that nothing ahead need wait to be begun."""
    begun: dict[str, EntityPull] = field(default_factory=dict)
    """Pulls whose first requests were made before their turn, by entity."""
    walked_from: dict[str, datetime | None] = field(default_factory=dict)
    """Entities read from end to end in this run, with a time that BILL's clock had passed when that began."""
    bill_time: datetime | None = None
    """The newest updated time seen in this run: BILL's clock has passed it."""
    left_over: set[str] = field(default_factory=set)
    """Entities with objects that an earlier run was to read again and did not."""
    changes: dict[str, set[str] | None] = field(default_factory=dict)
    """Ids of the rows that this run has written by entity; None where it read a whole list or went on with one."""

    def __post_init__(self) -> None:
        self.fence = Fence(self.integration)
        self.pool = FetchPool()
        self._makers: dict[str, tuple[RowMaker, Contract]] = {}

    @property
    def earliest(self) -> datetime | None:
        """The history start as an instant."""
        start = self.history_start
        return datetime(start.year, start.month, start.day, tzinfo=UTC) if start else None

    @property
    def states(self) -> StateStore:
        """The stored state of this integration."""
        return StateStore(self.integration)

    def state(self, entity: str) -> EntityState:
        """How far ``entity`` is."""
        with self.warehouse.read() as connection:
            return self.states.load(connection, entity)

    def maker(self, entity: Entity) -> tuple[RowMaker, Contract]:
        """What makes rows of the entity's objects, and what compares them with their declaration."""
        if entity.name not in self._makers:
            self._makers[entity.name] = RowMaker(entity, self.cutoff), Contract(entity)
        return self._makers[entity.name]

    def turn(self, entity: Entity) -> Turn:
        """The entity's place in the run, with a count of requests of its own."""
        return Turn(self.planned.index(entity.name) if entity.name in self.planned else 0)

    @contextmanager
    def alone(self, wait_seconds: float = 0) -> Iterator[None]:
        """Keeps other runs of this integration out; raises Busy when one is going on."""
        with self.warehouse.exclusive(lock_name(self.integration), wait_seconds=wait_seconds), _calm_collector():
            with self.warehouse.write() as connection:
                self.fence.raise_up(connection, self.clock())
                self.left_over = set(waiting_for_rereads(connection, self.integration).get(self.integration, ()))
            try:
                yield
            finally:
                self.pool.close()

    def bill_now(self) -> datetime:
        """BILL's clock: what its responses say, else ours."""
        return self.client.bill_clock or self.clock()

    def is_plausible(self, moment: datetime) -> bool:
        """False for a time before there was BILL, or beyond BILL's clock by more than a little.

        As a watermark, the first would be none, and the second would hide every change until then.
        """
        return _BEFORE_BILL < moment <= self.bill_now() + CLOCK_SKEW

    def wants_reread(self, entity: str, updated: datetime | None) -> bool:
        """Whether an object of ``entity``, named by one updated at this time, must be read again.

        Unless it was itself read after the change that names it.
        """
        if entity not in self.walked_from:
            return True
        read_from = self.walked_from[entity]
        return updated is None or read_from is None or updated >= read_from - OVERLAP

    def note_seen(self, updated: datetime | None) -> None:
        """BILL's clock has passed this time."""
        self.bill_time = later(self.bill_time, updated)

    def note_changed(self, entity: str, ids: set[str] | None) -> None:
        """These rows of the entity were written; None for who knows which."""
        before = self.changes.get(entity, set())
        self.changes[entity] = None if before is None or ids is None else before | ids

    def forget_begun(self, entity: str) -> None:
        """What was fetched ahead for the entity is older than what is stored now."""
        begun = self.begun.pop(entity, None)
        if begun is not None:
            begun.close()


@contextmanager
def _calm_collector() -> Iterator[None]:
    """Lets the garbage collector look less often: pulls make many objects and no cycles, so its looks find nothing."""
    before = gc.get_threshold()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
