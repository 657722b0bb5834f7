"""The books as a journal of plain-text accounting, before they are written in the words of one program."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from billcom_assets.books.export.amounts import Units

DAY = timedelta(days=1)
Metadata = Mapping[str, str]
"""Names of columns with their values as text; raw text of others."""


@dataclass(frozen=True, slots=True)
class OpenAccount:
    """An account that the journal may post to."""

    name: str
    type: str
    """One of BILL's 17 account types."""
    metadata: Metadata


@dataclass(frozen=True, slots=True)
class Posting:
    """One line of a transaction."""

    account: str
    units: Units
    metadata: Metadata


@dataclass(frozen=True, slots=True)
class Transaction:
    """One entry; its postings add up to zero in the home currency."""

    day: date
    code: str
    """The entry's id; empty for none."""
    payee: str
    """Empty for none."""
    text: str
    postings: Sequence[Posting]
    metadata: Metadata
    links: Sequence[str] = ()
    """Ids of the documents that belong together."""
    is_reversal: bool = False


@dataclass(frozen=True, slots=True)
class Assertion:
    """What an account with everything below it must stand at in one currency after the last entry."""

    account: str
    units: Units


@dataclass(frozen=True)
class Journal:
    """The books of one company in a period."""

    title: str
    home: str
    """ISO 4217 code."""
    first: date
    """Before which nothing is posted."""
    remarks: Sequence[str]
    """What a reader should know."""
    currencies: Sequence[str]
    accounts: Sequence[OpenAccount]
    opening: Transaction | None
    """Brings forward what was posted before the period; dated on the day before it."""
    transactions: Iterator[Transaction]
    """In the order of their dates; to be read once."""
    last: date
    """After which nothing is posted."""
    assertions: Sequence[Assertion]

    @property
    def day_after(self) -> date | None:
        """The first day after everything; None at the end of the calendar."""
        return None if self.last == date.max else self.last + DAY
