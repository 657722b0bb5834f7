"""What type each account of a file has, and where that is known from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from billcom_assets.ledger.account_paths import type_of_path
from billcom_assets.ledger.account_types import AccountType, account_type, type_in
from billcom_assets.ledger.entries import Entry
from billcom_assets.ledger.hierarchy import ReportLine
from billcom_assets.ledger.layouts import Rules
from billcom_assets.ledger.number_ranges import NumberRange, range_of
from billcom_assets.ledger.problems import quoted
from billcom_assets.ledger.type_map import TypeMap

_PATH = "path"


@dataclass(frozen=True, slots=True)
class TypesFound:
    """How many accounts have their type from where."""

    file: int
    type_map: int
    number_ranges: int
    ranges_used: tuple[str, ...]
    """Ranges of the program, or of the type map, that decided."""

    def __str__(self) -> str:
        counts = ((self.file, "the file"), (self.type_map, "the type map"), (self.number_ranges, "the number ranges"))
        said = ", ".join(f"{count:,} from {source}" for count, source in counts if count)
        used = f" (ranges used: {', '.join(self.ranges_used)})" if self.ranges_used else ""
        return f"{said}{used}"


@dataclass(slots=True)
class AccountTyping:
    """Finds the types of a file's accounts: the file's own first, then the type map, then the program's ranges."""

    rules: Rules
    type_map: TypeMap
    report: ReportLine
    sources: Counter[str] = field(default_factory=Counter)
    ranges_used: dict[NumberRange, None] = field(default_factory=dict)
    advised: bool = False

    def of(self, entry: Entry) -> AccountType:
        """The account's type; one that cannot be known is reported, with the accepted ones named once."""
        found = next(self._readings(entry), None)
        if found is not None:
            source, type_ = found
            self.sources[source] += 1
            return type_
        self._report_unknown(entry)
        return AccountType.UNSPECIFIED

    def found(self) -> TypesFound:
        """Where the types of all accounts so far are from."""
        used = tuple(f"{one.text} {one.type}" for one in self.ranges_used)
        return TypesFound(self.sources["file"], self.sources["type map"], self.sources["ranges"], used)

    def _readings(self, entry: Entry) -> Iterator[tuple[str, AccountType]]:
        wordings = [entry.row[name] for name in self.rules.type_from if name != _PATH and entry.row[name]]
        for name in self.rules.type_from:
            known = type_of_path(entry.name) if name == _PATH else self._of_wording(entry.row[name])
            if known is not None:
                yield "file", known
        for wording in wordings:
            if (mapped := self.type_map.of_wording(wording)) is not None:
                yield "type map", mapped
        yield from self._of_number(entry.number, "type map", self.type_map.ranges)
        yield from self._of_number(entry.number, "ranges", self.rules.ranges)
        if entry.row["header"] and not wordings:
            # A header may sum up accounts of any types; nothing is posted to it.
            yield "file", AccountType.NON_POSTING

    def _of_wording(self, wording: str) -> AccountType | None:
        return (type_in(self.rules.types, wording) or account_type(wording)) if wording else None

    def _of_number(
        self, number: str, source: str, ranges: tuple[NumberRange, ...]
    ) -> Iterator[tuple[str, AccountType]]:
        if (found := range_of(number, ranges)) is not None:
            self.ranges_used[found] = None
            yield source, found.type

    def _report_unknown(self, entry: Entry) -> None:
        wordings = [entry.row[name] for name in self.rules.type_from if name != _PATH and entry.row[name]]
        stated = " / ".join(map(quoted, wordings))
        what = f"the account type {stated} is unknown" if stated else "the account type is missing"
        advice = f"; use a common wording or one of {', '.join(AccountType)}, or say what it is with --type-map FILE"
        self.report(entry.line, what + ("" if self.advised else advice))
        self.advised = True
