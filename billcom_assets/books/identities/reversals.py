"""Identity 7: reversals equal what they reverse, and no document has two standing entries."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    Select,
    and_,
    func,
    literal,
    or_,
    select,
    union_all,
)

from billcom_assets.books.identities.findings import SHOWN, Difference, Finding, Identity
from billcom_assets.books.identities.labels import document_of, title
from billcom_assets.books.run import Run
from billcom_assets.warehouse.books_tables import DIMENSIONS, ledger_documents, ledger_entries, ledger_lines

_SAME: Final = (
    *("role", "ledger_account_id", "currency", "party", "ledger_party", "item"),
    *DIMENSIONS,
    *("source_line", "settles"),
)
"""Columns of lines that a reversal leaves as they are."""


def look(connection: Connection, run: Run) -> Finding:
    """Compares reversals with what they reverse line by line, and counts what stands of each document."""
    e = ledger_entries.c
    count = select(func.count(func.distinct(e.kind + ":" + e.document_id)), func.count(e.reversed_entry_id))
    documents, reversals = connection.execute(count.where(e.integration == run.integration)).one()
    wrong = _wrong(run).subquery("wrong")
    key = (wrong.c.kind, wrong.c.id)
    by_document = select(*key, func.min(wrong.c.what).label("what")).group_by(*key).subquery("by_document")
    differences = connection.scalar(select(func.count()).select_from(by_document)) or 0
    first: tuple[Difference, ...] = ()
    if differences:
        d, w = ledger_documents.c, by_document.c
        same = and_(d.integration == run.integration, d.kind == w.kind, d.id == w.id)
        query = select(by_document, d.number).select_from(by_document.outerjoin(ledger_documents, same))
        first = tuple(map(_difference, connection.execute(query.order_by(w.kind, w.id).limit(SHOWN))))
    return Finding(documents + reversals, differences, first)


_WORDS: Final = {
    "lines": ("lines of a reversal", "other than those reversed", "swapped"),
    "reverses": ("a reversal", "of another document, of a later entry or of no posting", "of its own posting"),
    "standing": ("standing entries", "more than one", "one at most"),
    "state": ("the standing entry", "another than the document names", "the one that it names"),
    "twice": ("reversals of one entry", "more than one", "one at most"),
}


def _difference(row: Any) -> Difference:
    document = document_of(row)
    what, left, right = _WORDS[row.what]
    return Difference(f"{title(document)}: {what}", left, right, (document,))


def _wrong(run: Run) -> CompoundSelect[Any]:
    return union_all(
        *_lines(run), _reverses_something_else(run), _reversed_twice(run), _stand_twice(run), _named_otherwise(run)
    )


def _row(entry: Any, what: str) -> Select[Any]:
    return select(entry.c.kind, entry.c.document_id.label("id"), literal(what).label("what"))


# Reversals -----------------------------------------------------------------------------------------------------------


def _lines(run: Run) -> tuple[Select[Any], Select[Any]]:
    """Lines of reversed entries that their reversals do not swap, and lines of reversals that swap none."""
    e, line, other = ledger_entries, ledger_lines.alias("line"), ledger_lines.alias("other")
    mine = (e.c.integration == run.integration, e.c.reversed_entry_id.is_not(None))
    reversed_, reversing = e.c.reversed_entry_id, e.c.id
    swaps = and_(
        other.c.integration == line.c.integration,
        other.c.line == line.c.line,
        other.c.debit == line.c.credit,
        other.c.credit == line.c.debit,
        other.c.amount == -line.c.amount,
        *(other.c[name].is_not_distinct_from(line.c[name]) for name in _SAME),
    )
    found = []
    for of, against in ((reversed_, reversing), (reversing, reversed_)):
        of_entry = and_(line.c.integration == e.c.integration, line.c.entry_id == of)
        source = e.join(line, of_entry).outerjoin(other, and_(other.c.entry_id == against, swaps))
        found.append(_row(e, "lines").select_from(source).where(*mine, other.c.line.is_(None)))
    return found[0], found[1]


def _reverses_something_else(run: Run) -> Select[Any]:
    e, old = ledger_entries, ledger_entries.alias("old")
    of = and_(old.c.integration == e.c.integration, old.c.id == e.c.reversed_entry_id)
    is_own = and_(
        old.c.type == "posting",
        old.c.kind == e.c.kind,
        old.c.document_id == e.c.document_id,
        old.c.sequence < e.c.sequence,
        old.c.posting_date <= e.c.posting_date,
    )
    mine = (e.c.integration == run.integration, e.c.reversed_entry_id.is_not(None))
    return _row(e, "reverses").select_from(e.outerjoin(old, of)).where(*mine, or_(old.c.id.is_(None), ~is_own))


def _reversed_twice(run: Run) -> Select[Any]:
    e = ledger_entries
    mine = (e.c.integration == run.integration, e.c.reversed_entry_id.is_not(None))
    key = (e.c.kind, e.c.document_id, e.c.reversed_entry_id)
    return _row(e, "twice").where(*mine).group_by(*key).having(func.count() > 1)


# What stands ---------------------------------------------------------------------------------------------------------


def _standing(run: Run) -> Any:
    """Postings that no entry reverses."""
    e, reversal = ledger_entries, ledger_entries.alias("reversal")
    of = and_(reversal.c.integration == e.c.integration, reversal.c.reversed_entry_id == e.c.id)
    query = select(e.c.kind, e.c.document_id, e.c.id.label("entry_id")).select_from(e.outerjoin(reversal, of))
    mine = (e.c.integration == run.integration, e.c.type == "posting", reversal.c.id.is_(None))
    return query.where(*mine).subquery("standing")


def _stand_twice(run: Run) -> Select[Any]:
    standing = _standing(run)
    return _row(standing, "standing").group_by(standing.c.kind, standing.c.document_id).having(func.count() > 1)


def _named_otherwise(run: Run) -> Select[Any]:
    """Documents whose entry stands although they are not imported, or is not the one that they name."""
    d, standing = ledger_documents, _standing(run)
    s = standing.c
    same = and_(s.kind == d.c.kind, s.document_id == d.c.id)
    imported: ColumnElement[bool] = d.c.state == "imported"
    is_right = or_(and_(imported, s.entry_id.is_not_distinct_from(d.c.entry_id)), and_(~imported, s.entry_id.is_(None)))
    query = select(d.c.kind, d.c.id, literal("state").label("what")).select_from(d.outerjoin(standing, same))
    return query.where(d.c.integration == run.integration, ~is_right)


REVERSALS: Final = Identity(
    7,
    "reversals",
    "Reversals and standing entries",
    "Reversals equal what they reverse, with debits and credits swapped, and of no document does more than one entry "
    "stand: that which the document names.",
    "found",
    "should be",
    look,
)
