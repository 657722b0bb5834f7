"""What an import would take out of use, and whether that may go without a word."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from billcom_assets.ledger.hierarchy import same
from billcom_assets.ledger.identity import Known, are_different
from billcom_assets.ledger.problems import quoted
from billcom_assets.redaction.errors import UserFacingError

_ONE_IN = 10
"""A list may lose one record in so many."""
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Removal:
    """A record that would no longer be in use."""

    list: str
    id: str
    name: str
    why: str
    is_mapped: bool

    def __str__(self) -> str:
        known_as = quoted(self.id) if self.id == self.name else f"{quoted(self.id)} {quoted(self.name)}"
        return f"{self.list} {known_as}: {self.why}{', and mapped' if self.is_mapped else ''}"


@dataclass(frozen=True, slots=True)
class DoubtfulRemovals:
    """What one list would lose that nobody may mean."""

    list: str
    gone: int
    active: int
    removals: tuple[Removal, ...]

    def __str__(self) -> str:
        verb = "is" if self.gone == 1 else "are"
        share = f"{self.gone:,} of {self.active:,} {self.list} in use {verb} not in the file"
        mapped = sum(one.is_mapped for one in self.removals)
        return (
            f"{share}; {mapped:,} of those that would go {'is' if mapped == 1 else 'are'} mapped" if mapped else share
        )


class RemovalsRefused(UserFacingError):
    """An import was not done because of what it would take out of use; the text names it."""

    def __init__(self, doubtful: Iterable[DoubtfulRemovals]) -> None:
        self.doubtful = tuple(doubtful)
        removals = [removal for one in self.doubtful for removal in one.removals]
        lines = [f"Nothing was imported: {'; '.join(map(str, self.doubtful))}."]
        lines += [f"  {one}" for one in removals[:_SHOWN]]
        if len(removals) > _SHOWN:
            lines.append(f"  ... and {len(removals) - _SHOWN:,} more")
        lines.append("A file must hold the whole list: look whether a filter or a search was on when it was exported.")
        lines.append("If these are really no longer in use, confirm it with --allow-removals.")
        super().__init__("\n".join(lines))


def doubtful_removals(
    list_: str, stored: Mapping[str, Known], wanted: Mapping[str, Known], mapped: frozenset[str]
) -> DoubtfulRemovals | None:
    """What must be confirmed: anything mapped, or more than one in ten of what is in use; None for nothing.

    What the file itself marks inactive is meant, unless it is mapped.

    Args:
        list_: The list's name.
        stored: What is stored, by id, under the ids that it will have.
        wanted: What the file says, by id.
        mapped: Ids that BILL objects are mapped to.
    """
    active = [one for one in stored.values() if one.active]
    gone = [one for one in active if one.id not in wanted]
    too_many = len(gone) * _ONE_IN > len(active)
    doubtful = [
        Removal(list_, one.id, one.name, why, one.id in mapped)
        for one in sorted(active, key=lambda one: (one.id not in mapped, one.id))
        if (why := _why(one, wanted.get(one.id))) and (one.id in mapped or (too_many and one.id not in wanted))
    ]
    return DoubtfulRemovals(list_, len(gone), len(active), tuple(doubtful)) if doubtful else None


def _why(before: Known, after: Known | None) -> str | None:
    """Why a record that is in use would be so no longer; None when it stays."""
    if after is None:
        return "not in the file"
    if not after.active:
        return "marked inactive in the file"
    if are_different(before, after) and same(before.name) != same(after.name):
        return f"its id now stands for {quoted(after.name)}"
    return None
