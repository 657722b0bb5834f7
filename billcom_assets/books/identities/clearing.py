"""Identity 6: what stands on BILL's clearing account is on its way: paid and not moved, or moved and not paid."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, literal, or_, select

from billcom_assets.books.identities.accounts import accounts_of
from billcom_assets.books.identities.changes import waits
from billcom_assets.books.identities.clearing_accounts import CLEARINGS, Clearing, is_offline, moves, passes
from billcom_assets.books.identities.comparison import Comparison, on_left, on_right
from billcom_assets.books.identities.findings import Finding, Identity, Listed
from billcom_assets.books.identities.labels import Label
from billcom_assets.books.identities.lists import listed
from billcom_assets.books.identities.on_its_way import on_its_way
from billcom_assets.books.identities.payables import is_imported
from billcom_assets.books.kinds import MONEY_MOVEMENTS
from billcom_assets.books.run import Run
from billcom_assets.warehouse.books_tables import ledger_documents, ledger_entries, ledger_lines


def look(connection: Connection, run: Run) -> Finding:
    """Compares each clearing account with the documents that pass it, both by document."""
    if run.policy.payments != "clearing":
        return Finding(0, not_applicable="payments leave the bank's account at once (payments=direct)")
    rows: list[Select[Any]] = []
    for one in CLEARINGS:
        rows += _rows(connection, run, one)
    comparison = Comparison(("account",), rows)

    def named(groups: Sequence[Any]) -> list[Label]:
        return [Label(str(one.account).replace("_", " ")) for one in groups]

    compared, differences = comparison.counts(connection)
    first = comparison.first(connection, run, named) if differences else []
    allowed = tuple(found for one in CLEARINGS for found in _on_its_way(connection, run, one))
    return Finding(compared, differences, tuple(first), allowed)


# Lines and documents -------------------------------------------------------------------------------------------------


def _rows(connection: Connection, run: Run, clearing: Clearing) -> Iterator[Select[Any]]:
    """Both sides are positive for money that was paid or received and did not move."""
    e, line, d = ledger_entries.c, ledger_lines.c, ledger_documents.c
    of_entry = and_(e.integration == line.integration, e.id == line.entry_id)
    accounts = accounts_of(connection, run, clearing.setting)
    account = literal(clearing.setting).label("account")
    moved = clearing.sign * (line.debit - line.credit)
    lines = select(account, e.kind, e.document_id.label("id")).select_from(ledger_lines.join(ledger_entries, of_entry))
    on_accounts = lines.where(line.integration == run.integration, line.ledger_account_id.in_(accounts))
    on_accounts = on_accounts.where(*_of_others(connection, run, clearing, accounts))
    yield on_left(on_accounts, moved)
    # What BILL has changed, or somebody has recorded on the clearing account by hand, counts as it stands.
    as_it_stands = on_accounts.join(
        ledger_documents, and_(d.integration == e.integration, d.kind == e.kind, d.id == e.document_id)
    )
    for kind in (clearing.payments, MONEY_MOVEMENTS.name):
        if kind is not None:
            t = run.mirror.table(kind)
            same = and_(t.c.integration == d.integration, d.kind == kind, t.c.id == d.id)
            apart = or_(waits(t), is_offline(t))
            yield on_right(as_it_stands.join(t, same).where(is_imported(run), apart), moved)
            documents = select(account, d.kind, d.id).select_from(ledger_documents.join(t, same))
            mine = (is_imported(run), ~apart, passes(clearing, t))
            yield on_right(documents.where(*mine), moves(clearing, kind))


def _of_others(
    connection: Connection, run: Run, clearing: Clearing, accounts: Collection[str]
) -> Iterator[ColumnElement[bool]]:
    """Where both directions share an account, leaves out the lines of the other one's documents."""
    e, t = ledger_entries.c, run.mirror.table(MONEY_MOVEMENTS.name).alias("of_others").c
    for other in CLEARINGS:
        if other is clearing or set(accounts).isdisjoint(accounts_of(connection, run, other.setting)):
            continue
        same = (e.kind == MONEY_MOVEMENTS.name, t.integration == e.integration, t.id == e.document_id)
        yield ~exists().where(*same, t.type == other.movement_type)
        yield e.kind.is_distinct_from(other.payments)


def _on_its_way(connection: Connection, run: Run, clearing: Clearing) -> Iterator[Listed]:
    """Payments without a movement, and parts of movements without a payment."""
    alone = on_its_way(run, clearing)
    columns = ("kind", "id", "number", "who", "amount", "home_amount", "currency")
    query = select(*(alone.c[name] for name in columns))
    account = clearing.setting.replace("_", " ")
    is_payment = alone.c.kind != MONEY_MOVEMENTS.name
    if clearing.payments is not None:
        yield from listed(connection, f"Payments without movement, on {account}", query.where(is_payment))
    yield from listed(connection, f"Movements without payment, on {account}", query.where(~is_payment))


CLEARING: Final = Identity(
    6,
    "clearing",
    "Clearing and movements",
    "With payments=clearing, what stands on BILL's clearing accounts is payments that no movement has moved, less "
    "parts of movements that belong to no payment: by name and amount, of equal ones the earliest together.",
    "on the account",
    "by documents",
    look,
)
