"""What waits in the held queue: open errors by reason, the documents that they hold, and every row for scripts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, FromClause, Select, and_, case, func, select

from billcom_assets.books.held import REASONS
from billcom_assets.books.kinds import KINDS
from billcom_assets.books.summary import posted_at
from billcom_assets.redaction.display import one_line
from billcom_assets.redaction.excerpt import excerpt
from billcom_assets.warehouse.books_tables import ledger_documents
from billcom_assets.warehouse.error_codes import (
    BAD_REFERENCE,
    MASS_DISAPPEARANCE,
    MERGED_APART,
    NOT_PERMITTED,
    UNREADABLE,
    V2_UNREADABLE,
)
from billcom_assets.warehouse.mirror import Mirror
from billcom_assets.warehouse.sums import MoneySum
from billcom_assets.warehouse.tables import integration_errors

OTHER_CODES: Final = (UNREADABLE, V2_UNREADABLE, BAD_REFERENCE, MASS_DISAPPEARANCE, MERGED_APART, NOT_PERMITTED)
"""Codes of errors that hold no document."""
_CAUSES_SHOWN: Final = 3
"""Of one reason."""
_LONGEST_TEXT: Final = 400
_NAMES: Final = 60


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which errors are listed."""

    integration: str
    everything: bool = False
    """Those that are ignored or closed, too."""
    code: str | None = None
    kind: str | None = None
    """Entity."""

    @property
    def is_narrow(self) -> bool:
        """Some open errors may not be among them."""
        return self.code is not None or self.kind is not None

    def conditions(self) -> list[ColumnElement[bool]]:
        """What holds of their rows."""
        e = integration_errors.c
        found = [e.integration == self.integration]
        if not self.everything:
            found.append(e.status == "open")
        if self.code is not None:
            found.append(e.code == self.code)
        if self.kind is not None:
            found.append(e.entity == self.kind)
        return found


@dataclass(frozen=True, slots=True)
class Held:
    """The held documents of an integration."""

    documents: int
    set_aside: int
    """Those of them that somebody has set aside."""
    amounts: dict[str, Decimal]
    """Their totals by currency."""
    posted_at: datetime | None
    """UTC; when a posting last looked at documents. None: never yet."""


@dataclass(frozen=True, slots=True)
class OpenReason:
    """Documents with an open error of one reason and one fix."""

    code: str
    documents: int
    amounts: dict[str, Decimal]
    """Their totals by currency."""
    causes: tuple[str, ...]
    """In words, the most frequent first; not all of them where there are many."""
    more_causes: int
    fix: str
    """The command that is next."""


@dataclass(frozen=True, slots=True)
class ListedDocument:
    """A document with errors of one status."""

    error_id: int
    """The first of them; names the document to the commands."""
    kind: str
    id: str
    number: str | None
    party_name: str | None
    document_date: date | None
    amount: Decimal | None
    currency: str | None
    reasons: tuple[str, ...]
    status: str
    """Of the errors: open, ignored or resolved."""
    state: str | None
    """Of the document in the books."""
    set_aside_reason: str | None
    first_seen_at: datetime
    attempts: int


@dataclass(frozen=True, slots=True)
class OtherError:
    """An error that holds no document."""

    error_id: int
    kind: str
    id: str
    """Of the record; empty for a list as a whole."""
    code: str
    message: str
    fix: str
    status: str
    ignored_because: str | None
    first_seen_at: datetime
    attempts: int


@dataclass(frozen=True, slots=True)
class Queue:
    """Reads the held queue of one integration.

    Args:
        connection: A reading one.
        mirror: Where the names of vendors and customers are.
        wanted: Which errors.
    """

    connection: Connection
    mirror: Mirror
    wanted: Wanted

    def held(self) -> Held:
        """All held documents, whichever errors are wanted."""
        d = ledger_documents.c
        query = (
            select(d.currency, func.count(), func.count(d.set_aside_at), MoneySum(d.amount))
            .where(d.integration == self.wanted.integration, d.state == "held")
            .group_by(d.currency)
            .order_by(d.currency)
        )
        rows = self.connection.execute(query).all()
        return Held(
            sum(row[1] for row in rows),
            sum(row[2] for row in rows),
            _amounts((currency, amount) for currency, _, _, amount in rows),
            posted_at(self.connection, self.wanted.integration),
        )

    def reasons(self) -> list[OpenReason]:
        """The reasons of which errors are open, in the order of :data:`REASONS`."""
        e, d = integration_errors.c, ledger_documents.c
        query = (
            select(e.code, e.next_step, d.currency, func.count(), MoneySum(d.amount))
            .select_from(_with_documents())
            .where(*self.wanted.conditions(), e.status == "open", _of_documents())
            .group_by(e.code, e.next_step, d.currency)
            .order_by(e.next_step, d.currency)
        )
        amounts: dict[tuple[str, str], list[Any]] = defaultdict(list)
        for row in self.connection.execute(query):
            amounts[row.code, row.next_step].append(row)
        causes = self._causes()
        return [
            OpenReason(
                code,
                sum(row[3] for row in rows),
                _amounts((row[2], row[4]) for row in rows),
                tuple(excerpt(one, limit=_LONGEST_TEXT) for one in causes[code, fix][:_CAUSES_SHOWN]),
                len(causes[code, fix][_CAUSES_SHOWN:]),
                fix,
            )
            for (code, fix), rows in sorted(amounts.items(), key=lambda group: (_place(group[0][0]), group[0][1]))
        ]

    def _causes(self) -> dict[tuple[str, str], list[str]]:
        """The messages by code and fix, the most frequent first."""
        e = integration_errors.c
        query = (
            select(e.code, e.next_step, e.message)
            .where(*self.wanted.conditions(), e.status == "open", _of_documents())
            .group_by(e.code, e.next_step, e.message)
            .order_by(func.count().desc(), e.message)
        )
        found: dict[tuple[str, str], list[str]] = defaultdict(list)
        for code, fix, message in self.connection.execute(query):
            found[code, fix].append(message)
        return found

    def documents(self, limit: int) -> tuple[list[ListedDocument], int]:
        """The first documents and how many there are in all: open ones first, by their first reason, kind and date."""
        e, d = integration_errors.c, ledger_documents.c
        grouped = (
            select(
                e.entity,
                e.record_id,
                e.status,
                func.min(e.id).label("error_id"),
                func.aggregate_strings(e.code, ",").label("codes"),
                func.min(case(_PLACES, value=e.code)).label("place"),
                func.min(e.first_seen_at).label("first_seen_at"),
                func.max(e.occurrences).label("attempts"),
            )
            .where(*self.wanted.conditions(), _of_documents())
            .group_by(e.entity, e.record_id, e.status)
        ).subquery("grouped")
        g = grouped.c
        of_document = and_(d.integration == self.wanted.integration, d.kind == g.entity, d.id == g.record_id)
        source, party_name = self._with_parties(grouped.outerjoin(ledger_documents, of_document))
        query = (
            select(grouped, party_name, d.set_aside_reason, *(d[name] for name in _OF_DOCUMENT))
            .select_from(source)
            .order_by(_by_status(g.status), g.place, g.entity, d.document_date.nulls_last(), g.record_id)
            .limit(limit)
        )
        total = self.connection.scalar(select(func.count()).select_from(grouped)) or 0
        return [_listed(row) for row in self.connection.execute(query)], total

    def others(self, limit: int) -> tuple[list[OtherError], int]:
        """The first errors that hold no document, open ones before others, and how many there are in all."""
        e = integration_errors.c
        mine = (*self.wanted.conditions(), ~_of_documents())
        order = (_by_status(e.status), e.code, e.entity, e.id)
        query = select(integration_errors).where(*mine).order_by(*order).limit(limit)
        total = self.connection.scalar(select(func.count()).select_from(integration_errors).where(*mine)) or 0
        return [_other(row) for row in self.connection.execute(query)], total

    def rows(self) -> Iterator[dict[str, Any]]:
        """Every error, with its document where it is of one; the names are those of the view ``held_documents``."""
        e, d = integration_errors.c, ledger_documents.c
        source, party_name = self._with_parties(_with_documents())
        query: Select[Any] = (
            select(
                e.id.label("error_id"),
                e.entity.label("kind"),
                e.record_id.label("id"),
                e.code.label("reason"),
                e.message,
                e.next_step.label("fix"),
                e.status,
                func.coalesce(d.set_aside_reason, e.reason).label("set_aside_reason"),
                d.set_aside_by,
                d.set_aside_at,
                e.occurrences.label("attempts"),
                e.first_seen_at,
                e.last_seen_at,
                *(d[name] for name in _OF_DOCUMENT),
                d.party,
                party_name,
                d.home_amount,
            )
            .select_from(source)
            .where(*self.wanted.conditions())
            .order_by(e.id)
        )
        for row in self.connection.execute(query).mappings():
            shown = {name: _text(row[name], limit) for name, limit in _TEXTS.items()}
            # Of a document it is a command of ours, to be pasted as it is.
            fix = row["fix"] if row["reason"] in REASONS else _text(row["fix"], _LONGEST_TEXT)
            yield {**row, **shown, "fix": fix, "number": _number(row["number"])}

    def _with_parties(self, source: FromClause) -> tuple[FromClause, ColumnElement[Any]]:
        """The source with the documents' vendors and customers, and the name of whichever there is."""
        d, names = ledger_documents.c, []
        for party_kind in sorted({kind.party_kind for kind in KINDS.values() if kind.party_kind}, reverse=True):
            parties = self.mirror.table(party_kind)
            theirs = [kind.name for kind in KINDS.values() if kind.party_kind == party_kind]
            mine = (parties.c.integration == self.wanted.integration, parties.c.id == d.party, d.kind.in_(theirs))
            source = source.outerjoin(parties, and_(*mine))
            names.append(parties.c.name)
        return source, (func.coalesce(*names) if len(names) > 1 else names[0]).label("party_name")


_PLACES: Final = {code: place for place, code in enumerate(REASONS)}
_OF_DOCUMENT: Final = ("number", "document_date", "currency", "amount", "state")
_TEXTS: Final = {
    "message": _LONGEST_TEXT,
    "set_aside_reason": _LONGEST_TEXT,
    "party_name": _NAMES,
}
"""Texts of others, and how much of them is shown."""


def _of_documents() -> ColumnElement[bool]:
    return integration_errors.c.code.in_(list(REASONS))


def _with_documents() -> FromClause:
    e, d = integration_errors.c, ledger_documents.c
    same = and_(d.integration == e.integration, d.kind == e.entity, d.id == e.record_id, _of_documents())
    return integration_errors.outerjoin(ledger_documents, same)


def _by_status(status: ColumnElement[str]) -> ColumnElement[int]:
    return case({"open": 0, "ignored": 1}, value=status, else_=2)


def _place(code: str) -> int:
    return _PLACES[code]


def _amounts(found: Iterator[tuple[str | None, Decimal | None]]) -> dict[str, Decimal]:
    return {currency: amount for currency, amount in found if currency is not None and amount is not None}


@lru_cache(maxsize=10_000)
def _text(text: str | None, limit: int) -> str | None:
    return None if text is None else excerpt(text, limit=limit)


def _number(number: str | None) -> str | None:
    """Bounded, but not masked: people know their documents by it."""
    return None if number is None else one_line(number, limit=_NAMES)


def _listed(row: Any) -> ListedDocument:
    return ListedDocument(
        error_id=row.error_id,
        kind=row.entity,
        id=row.record_id,
        number=_number(row.number),
        party_name=_text(row.party_name, _NAMES),
        document_date=row.document_date,
        amount=row.amount,
        currency=row.currency,
        reasons=tuple(sorted(row.codes.split(","), key=_place)),
        status=row.status,
        state=row.state,
        set_aside_reason=_text(row.set_aside_reason, _LONGEST_TEXT),
        first_seen_at=row.first_seen_at,
        attempts=row.attempts,
    )


def _other(row: Any) -> OtherError:
    return OtherError(
        error_id=row.id,
        kind=row.entity,
        id=one_line(row.record_id, limit=_NAMES),
        code=row.code,
        message=excerpt(row.message, limit=_LONGEST_TEXT),
        fix=excerpt(row.next_step, limit=_LONGEST_TEXT),
        status=row.status,
        ignored_because=_text(row.reason, _LONGEST_TEXT),
        first_seen_at=row.first_seen_at,
        attempts=row.occurrences,
    )
