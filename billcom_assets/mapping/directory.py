"""Finding the ledger object that somebody means: by its id, its number or its name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from billcom_assets.ledger.hierarchy import same
from billcom_assets.ledger.problems import quoted
from billcom_assets.mapping.objects import LedgerObject
from billcom_assets.mapping.overview import Overview


@dataclass(frozen=True, slots=True)
class Found:
    """The ledger object that was meant, or why none was found."""

    ledger_id: str | None
    problem: str = ""


class Directory:
    """The ledger objects of one kind by what people write for them."""

    def __init__(self, view: Overview) -> None:
        self._view = view
        readings: tuple[Callable[[LedgerObject], str | None], ...] = (
            lambda one: one.candidate.id,
            lambda one: one.candidate.number,
            lambda one: one.candidate.full_name,
            lambda one: one.candidate.name,
        )
        self._indexes = [self._by(reading) for reading in readings]
        self._mangled = self._by(lambda one: _without_zeros(one.candidate.number or one.candidate.id))

    def find(self, wanted: str) -> Found:
        """The ledger object that ``wanted`` is the id, the number, the full name or the name of.

        The first of these by which there is any decides, an active one before others.
        """
        if wanted in self._view.ledger:
            return Found(wanted)
        for index in self._indexes:
            ids = index.get(same(wanted), [])
            active = [id_ for id_ in ids if self._view.is_usable(id_)]
            meant = active or ids
            if len(meant) == 1:
                return Found(meant[0])
            if meant:
                shown = ", ".join(quoted(id_) for id_ in sorted(meant)[:5])
                return Found(None, f"{quoted(wanted)} may mean several ledger objects; write one of the ids {shown}")
        return Found(None, self._unknown(wanted))

    def _unknown(self, wanted: str) -> str:
        mangled = self._mangled.get(_without_zeros(wanted), [])
        if mangled:
            shown = " or ".join(quoted(id_) for id_ in sorted(mangled)[:3])
            return (
                f"the ledger has no {quoted(wanted)} but {shown}: a spreadsheet has made a number of the code. "
                "Write it as it is in the ledger, in a column formatted as text"
            )
        needed = " of type " + " or ".join(sorted(self._view.kind.ledger_types)) if self._view.kind.ledger_types else ""
        noun = self._view.kind.table.name.removeprefix("ledger_").removesuffix("s")
        return f"the ledger has no {noun}{needed} with the id, number or name {quoted(wanted)}"

    def _by(self, reading: Callable[[LedgerObject], str | None]) -> dict[str, list[str]]:
        index: dict[str, list[str]] = defaultdict(list)
        for id_, found in self._view.ledger.items():
            text = reading(found)
            if text:
                index[same(text)].append(id_)
        return index


def _without_zeros(code: str) -> str:
    """A code as spreadsheets leave it: leading zeros lost, ".0" added."""
    plain = same(code).removesuffix(".0")
    return (plain.lstrip("0") or plain) if plain.isdigit() else plain
