"""Which standing entries would be coded otherwise today, because mappings or the posting policy have changed."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Subquery,
    and_,
    case,
    delete,
    except_,
    exists,
    func,
    insert,
    select,
    union,
    update,
)

from billcom_assets.books import work
from billcom_assets.books.decisions import Action
from billcom_assets.books.entries import draft_lines, moves_something
from billcom_assets.books.run import Run
from billcom_assets.warehouse.books_tables import DIMENSIONS, ledger_documents, ledger_lines

_CODING = ("item", *DIMENSIONS)


def propose_recoding(connection: Connection, run: Run) -> None:
    """Proposes to post anew what stands with the same content and would be coded otherwise."""
    d, before = work.documents.c, ledger_documents.c
    stays = (d.action == Action.KEEP.value, d.old_entry.is_not(None))
    connection.execute(update(work.documents).where(*stays).values(action=Action.REPOST.value, recodes=True))
    # At what it was booked, whatever rate BILL shows by now.
    booked = (before.integration == run.integration, before.kind == d.kind, before.id == d.id)
    statement = update(work.documents).where(d.recodes.is_(True), *booked)
    connection.execute(statement.values(home_amount=before.home_amount))
    draft_lines(connection, run)
    connection.execute(delete(work.valued))
    differing = _differing(run)
    connection.execute(insert(work.valued).from_select(["kind", "id"], differing))
    connection.execute(delete(work.entry_lines))
    differs = exists().where(work.valued.c.kind == d.kind, work.valued.c.id == d.id)
    same = (d.recodes.is_(True), ~differs)
    connection.execute(update(work.documents).where(*same).values(action=Action.KEEP.value, recodes=None))


def give_up_recoding(connection: Connection) -> None:
    """Leaves as it is what may not post today; that it may not is no error of what stands."""
    d, r = work.documents.c, work.reasons.c
    waits = (d.recodes.is_(True), d.action == Action.WAIT.value)
    of_one = exists().where(d.kind == r.kind, d.id == r.id, *waits)
    connection.execute(delete(work.reasons).where(of_one))
    connection.execute(update(work.documents).where(*waits).values(action=Action.KEEP.value))


def _differing(run: Run) -> Select[Any]:
    standing, drafted = _standing(run), _drafted()
    gone = except_(standing, drafted).subquery("gone")
    new = except_(drafted, standing).subquery("new")
    both = (select(side.c.kind, side.c.id) for side in (gone, new))
    either: Subquery = union(*both, _other_exchange(run)).subquery("either")
    return select(either.c.kind, either.c.id)


def _standing(run: Run) -> Select[Any]:
    """How what stands is coded, line by line; gains and losses apart."""
    d, line = work.documents.c, ledger_lines.c
    of_entry = and_(line.integration == run.integration, line.entry_id == d.old_entry)
    return (
        select(
            d.kind,
            d.id,
            line.role,
            _place(line.source_line),
            line.ledger_account_id,
            line.ledger_party,
            *(line[name] for name in _CODING),
        )
        .join_from(work.documents, ledger_lines, of_entry)
        .where(d.recodes.is_(True), line.role != "exchange")
    )


def _drafted() -> Select[Any]:
    """How it would be coded now."""
    d, line, o = work.documents.c, work.entry_lines.c, work.objects.c
    of_document = and_(line.kind == d.kind, line.id == d.id, moves_something())
    source = work.documents.join(work.entry_lines, of_document).outerjoin(
        work.objects, and_(o.kind == d.party_kind, o.id == d.party)
    )
    return (
        select(
            d.kind,
            d.id,
            line.role,
            _place(line.source_line),
            line.account,
            case((line.role == "control", o.ledger_id)),
            *(line[name] for name in _CODING),
        )
        .select_from(source)
        .where(d.recodes.is_(True))
    )


def _place(source_line: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.coalesce(source_line, -1)


def _other_exchange(run: Run) -> Select[Any]:
    """What has a gain or loss on another account than the policy's."""
    d, line = work.documents.c, ledger_lines.c
    of_entry = and_(line.integration == run.integration, line.entry_id == d.old_entry)
    account = run.policy.exchange_gain_loss or ""
    return (
        select(d.kind, d.id)
        .join_from(work.documents, ledger_lines, of_entry)
        .where(d.recodes.is_(True), line.role == "exchange", line.ledger_account_id != account)
    )
