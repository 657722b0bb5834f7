"""The digest of what of a document bears on its posting: another digest, another entry.

Numbers, texts, approval, status and due dates have no part in it, nor have the rate of a bill or credit and what
credits are used on: what was booked stays.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, Text, case, cast, func, or_, select, update
from sqlalchemy.sql.selectable import ScalarSelect

from billcom_assets.books import work
from billcom_assets.books.functions import Digest, Plain, text_of
from billcom_assets.books.kinds import KINDS, Kind
from billcom_assets.books.scope import OPPOSITE
from billcom_assets.warehouse.books_tables import DIMENSIONS


def fill_hashes(connection: Connection) -> None:
    """Digests the documents that are in scope, or may have been posted."""
    d = work.documents.c
    for kind in KINDS.values():
        digest = Digest(text_of(*_head(), *_body(kind)))
        marked = case((d.is_opposite, OPPOSITE + digest), else_=digest)
        matters = or_(d.reason.is_(None), d.old_state == "imported")
        connection.execute(update(work.documents).where(d.kind == kind.name, matters).values(hash=marked))


def _head() -> tuple[ColumnElement[Any], ...]:
    d = work.documents.c
    return d.party, d.currency, cast(d.document_date, Text), cast(d.gl_date, Text), Plain(d.amount)


def _body(kind: Kind) -> tuple[ColumnElement[Any], ...]:
    d = work.documents.c
    if kind.lines is not None:
        return (_lines(),)
    account = (d.recorded_account, d.funding_type, d.funding_id)
    if kind.parts is not None:
        online = case((d.is_online.is_(False), "offline"), else_="online")
        return Plain(d.home_amount), *account, online, _parts()
    return d.movement_type, *account


def _lines() -> ScalarSelect[Any]:
    d, line = work.documents.c, work.lines.c
    header = case((line.is_headers, line.account))
    whole = text_of(Plain(line.amount), line.own_account, line.item, header, *(line[one] for one in DIMENSIONS)).label(
        "whole"
    )
    inner = (
        select(whole).where(line.kind == d.kind, line.id == d.id).order_by(line.position).correlate(work.documents)
    ).subquery("lines")
    return select(func.aggregate_strings(inner.c.whole, "\x1e")).scalar_subquery()


def _parts() -> ScalarSelect[Any]:
    d, part = work.documents.c, work.parts.c
    whole = text_of(part.settled_id, Plain(part.amount)).label("whole")
    inner = (
        select(whole).where(part.kind == d.kind, part.id == d.id).order_by(part.position).correlate(work.documents)
    ).subquery("parts")
    return select(func.aggregate_strings(inner.c.whole, "\x1e")).scalar_subquery()
