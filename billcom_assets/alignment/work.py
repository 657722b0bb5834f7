"""What applying and undoing have in common: the run, who has it done, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from billcom_assets.alignment.guards import Consent
from billcom_assets.alignment.record import Columns, Record
from billcom_assets.alignment.writing import PAUSES, Writer
from billcom_assets.entities.catalog import CATALOG
from billcom_assets.sync.engine import pull
from billcom_assets.sync.fetching import Turn
from billcom_assets.sync.pull import EntityPull
from billcom_assets.sync.report import PullKind
from billcom_assets.sync.run import Sync
from billcom_assets.warehouse.audit import Actor

_ACCOUNTS = CATALOG["accounts"]


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a plan, or of undoing it."""

    plan: int
    done: int
    """Changes that BILL shows, or that were undone."""
    failed: dict[str, str] = field(default_factory=dict)
    """Why others were not, by what they are."""

    @property
    def is_complete(self) -> bool:
        """Everything was done."""
        return not self.failed


@dataclass(frozen=True)
class Work:
    """The run that writes.

    Args:
        sync: It holds the integration's lock.
        actor: Who has it done.
        consent: What they have said.
        pauses: Seconds before each look for what a lost write has done.
    """

    sync: Sync
    actor: Actor
    consent: Consent = field(default_factory=Consent)
    pauses: Sequence[float] = PAUSES

    @property
    def key(self) -> str:
        """The integration."""
        return self.sync.integration

    def refresh(self) -> None:
        """Reads every account of BILL's again."""
        pull(self.sync, _ACCOUNTS, refresh=True)

    def write(self, record: Record, columns: Columns, again: str, do: Callable[[Writer], None]) -> None:
        """Lets ``do`` write; what it stores of accounts is counted as a pull of theirs."""
        own = EntityPull(self.sync, _ACCOUNTS, PullKind.REREAD, self.sync.state(_ACCOUNTS.name), Turn(0))
        own.run(lambda: do(Writer(self.sync, own.writer, record, columns, again, self.pauses)))
