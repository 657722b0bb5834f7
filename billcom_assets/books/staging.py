"""What a run looks at: documents of all kinds in one shape, with their lines and what they settle."""

from __future__ import annotations

from enum import Enum, auto
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    Table,
    and_,
    case,
    exists,
    false,
    func,
    insert,
    literal,
    null,
    or_,
    select,
)

from billcom_assets.books import work
from billcom_assets.books.kinds import KINDS, Kind
from billcom_assets.books.run import Run
from billcom_assets.warehouse.books_tables import DIMENSIONS, ledger_documents

_DRAFTS = ("DRAFT", "DRAFT_DELETED")
_MAY_CHANGE_BY_THEMSELVES = ("NOT_PROCESSED",)
"""Reasons out of scope that end without a change in BILL."""
_FACTS = (
    *("gl_date", "funding_amount", "rate", "header_account", "is_online", "funding_id", "approval", "status"),
    "movement_type",
)
"""Columns of :attr:`Kind.columns` that are taken as they are."""


class LookAt(Enum):
    """Which documents a run looks at."""

    CHANGES = auto()
    """New ones, and those that BILL has changed."""
    OPEN = auto()
    """Those, and what is held or may come into scope by itself."""
    EVERYTHING = auto()


def has_changes(connection: Connection, run: Run) -> bool:
    """True when there are documents that are new, or that BILL has changed since they were looked at."""
    queries = (_documents(run, kind, rank, LookAt.CHANGES) for rank, kind in enumerate(KINDS.values()))
    return any(connection.scalar(query.with_only_columns(literal(1)).limit(1)) is not None for query in queries)


def stage(connection: Connection, run: Run, look_at: LookAt) -> int:
    """Fills the tables of the run, which are there and empty; returns how many documents it looks at."""
    for rank, kind in enumerate(KINDS.values()):
        query = _documents(run, kind, rank, look_at)
        connection.execute(insert(work.documents).from_select([c.name for c in query.selected_columns], query))
    work.analyze(connection, work.documents)
    for kind in KINDS.values():
        if kind.lines is not None:
            query = _lines(run, kind)
            connection.execute(insert(work.lines).from_select([c.name for c in query.selected_columns], query))
        if kind.parts is not None:
            for found in (_parts(run, kind), _only_parts(run, kind)):
                if found is not None:
                    connection.execute(insert(work.parts).from_select([c.name for c in found.selected_columns], found))
    work.analyze(connection, work.lines, work.parts)
    return connection.scalar(select(func.count()).select_from(work.documents)) or 0


def version_of(table: Table) -> ColumnElement[str]:
    """Says what a document was looked at as: any other row of the mirror, any other version."""
    digest: ColumnElement[Any] = table.c.payload_digest
    if "v2_digest" in table.c:
        digest = digest + func.coalesce(table.c.v2_digest, "")
    return digest + case((table.c.deleted_at.is_not(None), "-"), else_="")


def _documents(run: Run, kind: Kind, rank: int, look_at: LookAt) -> Select[Any]:
    t, before = run.mirror.table(kind.name), ledger_documents
    same = and_(before.c.integration == t.c.integration, before.c.kind == kind.name, before.c.id == t.c.id)
    source: FromClause = t.outerjoin(before, same)
    home: ColumnElement[Any] = literal(run.policy.home_currency)
    currency: ColumnElement[Any] = home
    if kind.party is not None:
        parties = run.mirror.table(kind.party.kind)
        of_party = and_(parties.c.integration == t.c.integration, parties.c.id == t.c[kind.party.column])
        source = source.outerjoin(parties, of_party)
        currency = func.coalesce(parties.c[kind.party.currency], home)
    version = version_of(t)
    seen = func.coalesce(before.c.waiting_digest, before.c.payload_digest)
    is_new = or_(before.c.id.is_(None), seen != version, before.c.currency != currency)
    may_change = before.c.reason.in_(_MAY_CHANGE_BY_THEMSELVES)
    is_open = or_(before.c.state == "held", before.c.waiting_digest.is_not(None), may_change)
    columns: dict[str, ColumnElement[Any]] = {
        "kind": literal(kind.name),
        "id": t.c.id,
        "rank": literal(rank),
        "party_kind": literal(kind.party.kind) if kind.party else null(),
        "party": t.c[kind.party.column] if kind.party else null(),
        "number": t.c[kind.number],
        "document_date": t.c[kind.date],
        "currency": currency,
        "amount": t.c.amount,
        "home_amount": case((currency == run.policy.home_currency, t.c.amount)),
        **{name: t.c[kind.columns[name]] for name in _FACTS if name in kind.columns},
        **_accounts(t, kind),
        "is_archived": t.c.archived.is_(True),
        "is_draft": _is_draft(t, kind),
        "is_deleted": t.c.deleted_at.is_not(None),
        "created_time": t.c.created_time,
        "updated_time": t.c.updated_time,
        "version": version,
        "old_state": before.c.state,
        "old_hash": before.c.content_hash,
        "old_entry": before.c.entry_id,
        "old_date": before.c.posting_date,
        "entries": func.coalesce(before.c.entries, 0),
        "cutoff": before.c.cutoff,
        "is_set_aside": before.c.set_aside_at.is_not(None),
        "is_opposite": false(),
    }
    query = select(*(value.label(name) for name, value in columns.items())).select_from(source)
    query = query.where(t.c.integration == run.integration)
    match look_at:
        case LookAt.CHANGES:
            return query.where(is_new)
        case LookAt.OPEN:
            return query.where(or_(is_new, is_open))
        case LookAt.EVERYTHING:
            return query


def _is_draft(t: Table, kind: Kind) -> ColumnElement[bool]:
    if "record_status" not in kind.columns:
        return false()
    return func.coalesce(t.c[kind.columns["record_status"]], "").in_(_DRAFTS)


def _accounts(t: Table, kind: Kind) -> dict[str, ColumnElement[Any]]:
    """What a payment is recorded on or paid from, as v3 says or, where it does not, v2."""
    if kind.name == "money_movements":
        return {"funding_type": literal("BANK_ACCOUNT")}
    if "funding_account_id" not in t.c:
        return {}
    named = t.c.funding_account_type
    bank, card = t.c.bank_account_id, t.c.card_account_id
    by_v2 = case((bank.is_not(None), "BANK_ACCOUNT"), (card.is_not(None), "CARD_ACCOUNT"))
    return {
        "recorded_account": func.coalesce(t.c.chart_of_account_id, t.c.classifications_chart_of_account_id),
        "funding_type": func.coalesce(named, by_v2),
        "funding_id": func.coalesce(t.c.funding_account_id, bank, card),
    }


def _lines(run: Run, kind: Kind) -> Select[Any]:
    """Every line with the account that it is charged to: its own, else its item's, else the document's."""
    assert kind.lines is not None  # noqa: S101 - asked for kinds with lines alone
    line, items = run.mirror.table(kind.lines.table), run.mirror.table("items")
    d = work.documents.c
    own, item = line.c.classifications_chart_of_account_id, line.c.classifications_item_id
    items_account = items.c[kind.lines.item_account]
    of_item = and_(items.c.integration == line.c.integration, items.c.id == item)
    of_document = and_(d.kind == kind.name, d.id == line.c[kind.lines.parent])
    is_headers = and_(own.is_(None), items_account.is_(None), d.header_account.is_not(None))
    source = line.join(work.documents, of_document).outerjoin(items, of_item)
    dimensions = (_of_line(line, f"classifications_{one}_id").label(one) for one in DIMENSIONS)
    return (
        select(
            literal(kind.name).label("kind"),
            d.id,
            line.c.position,
            line.c.amount,
            _at_home(run, line.c.amount).label("home_amount"),
            func.coalesce(own, items_account, d.header_account).label("account"),
            is_headers.label("is_headers"),
            own.label("own_account"),
            item.label("item"),
            *dimensions,
        )
        .select_from(source)
        .where(line.c.integration == run.integration)
    )


def _at_home(run: Run, amount: ColumnElement[Any]) -> ColumnElement[Any]:
    """The amount itself where the document is in the home currency."""
    return case((work.documents.c.currency == run.policy.home_currency, amount))


def _values(run: Run, amount: ColumnElement[Any]) -> tuple[ColumnElement[Any], ...]:
    return tuple(_at_home(run, amount).label(name) for name in work.VALUES)


def _of_line(line: Table, column: str) -> ColumnElement[Any]:
    return line.c[column] if column in line.c else null()


def _parts(run: Run, kind: Kind) -> Select[Any]:
    assert kind.parts is not None  # noqa: S101 - asked for kinds with parts alone
    part, d = run.mirror.table(kind.parts.table), work.documents.c
    of_document = and_(d.kind == kind.name, d.id == part.c[kind.parts.parent])
    return (
        select(
            literal(kind.name).label("kind"),
            d.id,
            part.c.position,
            literal(kind.parts.settled_kind).label("settled_kind"),
            part.c[kind.parts.settled].label("settled_id"),
            part.c.amount,
            *_values(run, part.c.amount),
        )
        .select_from(part.join(work.documents, of_document))
        .where(part.c.integration == run.integration, part.c[kind.parts.settled].is_not(None))
    )


def _only_parts(run: Run, kind: Kind) -> Select[Any] | None:
    """One part of the whole amount, for documents that name what they settle and list no parts."""
    assert kind.parts is not None  # noqa: S101 - asked for kinds with parts alone
    if kind.parts.only is None:
        return None
    t, d, p = run.mirror.table(kind.name), work.documents.c, work.parts.c
    of_document = and_(d.kind == kind.name, d.id == t.c.id)
    only = t.c[kind.parts.only]
    return (
        select(
            literal(kind.name).label("kind"),
            d.id,
            literal(0).label("position"),
            literal(kind.parts.settled_kind).label("settled_kind"),
            only.label("settled_id"),
            d.amount,
            *_values(run, d.amount),
        )
        .select_from(t.join(work.documents, of_document))
        .where(
            t.c.integration == run.integration,
            only.is_not(None),
            ~exists().where(p.kind == d.kind, p.id == d.id),
        )
    )
