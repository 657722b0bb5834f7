"""What a pull did, in numbers that add up."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum


class PullKind(StrEnum):
    """What a pull was for."""

    FIRST_PULL = "first pull"
    INCREMENTAL = "incremental"
    FULL = "full"
    """A walk over everything that proves nothing about deletions: no time filter, or a cutoff that moved."""
    SWEEP = "sweep"
    """A walk over everything that also notes what BILL no longer has."""
    REREAD = "re-read"
    """Objects read again by id because BILL may have changed them silently."""
    V2 = "v2"
    """What BILL's v2 API adds to objects that v3 has brought."""


WHOLE = frozenset({PullKind.FIRST_PULL, PullKind.FULL, PullKind.SWEEP})
"""Pulls that read a list from end to end."""


@dataclass(slots=True)
class Counts:
    """Conservation: fetched = inserted + updated + unchanged + skipped_by_cutoff + rejected."""

    fetched: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped_by_cutoff: int = 0
    rejected: int = 0

    def add(self, other: Counts) -> None:
        """Adds the other's numbers to these."""
        for field in fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))

    @property
    def is_conserved(self) -> bool:
        """True when every fetched object is accounted for."""
        accounted = self.inserted + self.updated + self.unchanged + self.skipped_by_cutoff + self.rejected
        return self.fetched == accounted

    @property
    def written(self) -> int:
        """Rows that were inserted or updated."""
        return self.inserted + self.updated


@dataclass(frozen=True, slots=True)
class PullReport:
    """One pull of one entity."""

    entity: str
    kind: PullKind
    counts: Counts
    deleted: int
    """Rows marked deleted because two complete sweeps did not see them."""
    requests: int
    """Requests for its objects; sign-ins are counted for themselves."""
    retries: int
    logins: int
    seconds: float
    watermark_from: datetime | None
    watermark_to: datetime | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the pull of one entity is, for somebody who waits."""

    entity: str
    kind: str
    fetched: int
    written: int
    requests: int
    done: bool
