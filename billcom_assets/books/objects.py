"""How each BILL object is mapped as a run finds it."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    FromClause,
    MetaData,
    Select,
    Table,
    Text,
    and_,
    case,
    exists,
    false,
    func,
    insert,
    literal,
    null,
    select,
    true,
    update,
)

from billcom_assets.books import work
from billcom_assets.books.run import Run
from billcom_assets.mapping.candidates import FUNDING_NAMES
from billcom_assets.mapping.kinds import KINDS, MappedKind
from billcom_assets.warehouse.ledger_tables import ledger_accounts, ledger_dimensions, mappings
from billcom_assets.warehouse.merged import MERGED
from billcom_assets.warehouse.tables import SCHEMA

_MERGED = Table(
    MERGED,
    MetaData(),
    *(Column(name, Text) for name in ("integration", "entity", "id", "survivor_id")),
    schema=SCHEMA,
)
_CARDS: Final = ("CARD_ACCOUNT", "AP_CARD")
_NON_POSTING: Final = "NON_POSTING"


def fill_objects(connection: Connection, run: Run) -> None:
    """Notes for every BILL object whether BILL still has it, and its ledger counterpart.

    What was merged in BILL goes by the survivor's mapping where it has none of its own; a card, by that of the account
    which BILL books it on.
    """
    for kind in KINDS.values():
        for query in (_known(run, kind), _unknown(run, kind)):
            connection.execute(insert(work.objects).from_select([c.name for c in query.selected_columns], query))
    work.analyze(connection, work.objects)
    _map_cards_by_account(connection, run)


def _known(run: Run, kind: MappedKind) -> Select[Any]:
    """The objects that the mirror has."""
    t = run.mirror.table(kind.name)
    own, survivors = mappings.alias("own"), mappings.alias("survivors")
    merged = and_(_MERGED.c.integration == t.c.integration, _MERGED.c.entity == kind.name, _MERGED.c.id == t.c.id)
    source = (
        t.outerjoin(own, _is_about(own, kind, run, t.c.id))
        .outerjoin(_MERGED, merged)
        .outerjoin(survivors, _is_about(survivors, kind, run, _MERGED.c.survivor_id))
    )
    ledger_id = case((own.c.bill_id.is_not(None), own.c.ledger_id), else_=survivors.c.ledger_id)
    return _with_counterpart(
        run, kind, source, bill_id=t.c.id, name=_name(t), is_there=t.c.deleted_at.is_(None), ledger_id=ledger_id
    ).where(t.c.integration == run.integration)


def _unknown(run: Run, kind: MappedKind) -> Select[Any]:
    """What is mapped although the mirror has never had it."""
    t, m = run.mirror.table(kind.name), mappings
    is_known = exists().where(t.c.integration == m.c.integration, t.c.id == m.c.bill_id)
    query = _with_counterpart(run, kind, m, bill_id=m.c.bill_id, name=null(), is_there=false(), ledger_id=m.c.ledger_id)
    return query.where(m.c.integration == run.integration, m.c.kind == kind.name, ~is_known)


def _is_about(m: FromClause, kind: MappedKind, run: Run, bill_id: ColumnElement[Any]) -> ColumnElement[bool]:
    return and_(m.c.integration == run.integration, m.c.kind == kind.name, m.c.bill_id == bill_id)


def _with_counterpart(
    run: Run,
    kind: MappedKind,
    source: FromClause,
    *,
    bill_id: ColumnElement[Any],
    name: ColumnElement[Any],
    is_there: ColumnElement[bool],
    ledger_id: ColumnElement[Any],
) -> Select[Any]:
    ledger = kind.table.alias("ledger")
    same = and_(ledger.c.integration == run.integration, ledger.c.id == ledger_id)
    if kind.table is ledger_dimensions:
        same = and_(same, ledger.c.kind == kind.name)
    is_postable: ColumnElement[bool] = true()
    if kind.table is ledger_accounts:
        takes = and_(ledger.c.postable, ledger.c.type != _NON_POSTING, ledger.c.id.not_in(_control_accounts(run)))
        is_postable = func.coalesce(takes, True)
    return select(
        literal(kind.name).label("kind"),
        bill_id.label("id"),
        name.label("name"),
        is_there.label("is_there"),
        ledger_id.label("ledger_id"),
        func.coalesce(ledger.c.active, False).label("is_usable"),
        is_postable.label("is_postable"),
    ).select_from(source.outerjoin(ledger, same))


def _control_accounts(run: Run) -> list[str]:
    policy = run.policy
    found = (
        *(policy.accounts_payable, policy.accounts_receivable),
        *(policy.payables_clearing, policy.receivables_clearing),
    )
    return [one for one in found if one is not None]


def _name(t: Table) -> ColumnElement[Any]:
    if "name" in t.c:
        return t.c.name
    if "last_name" in t.c:
        return func.coalesce(t.c.first_name, "") + " " + func.coalesce(t.c.last_name, "")
    # As the mappings call a funding account.
    words = (func.coalesce(t.c.bank_name, t.c.issuing_bank_name), t.c.brand, func.replace(t.c.type, "_", " "))
    bank, brand, type_ = (func.coalesce(word + " ", "") for word in words)
    described = func.nullif(func.trim(bank + brand + func.lower(type_)), "")
    return func.coalesce(described, case(FUNDING_NAMES, value=t.c.kind), t.c.name_on_account)


def _map_cards_by_account(connection: Connection, run: Run) -> None:
    cards, account, o = run.mirror.table("funding_accounts"), work.objects.alias("account"), work.objects.c
    same = and_(account.c.kind == "accounts", account.c.id == cards.c.chart_of_account_id)
    query = (
        select(cards.c.id, account.c.ledger_id, account.c.is_usable, account.c.is_postable)
        .join(account, same)
        .where(cards.c.integration == run.integration, cards.c.kind.in_(_CARDS), account.c.ledger_id.is_not(None))
    ).subquery("by_account")
    connection.execute(
        update(work.objects)
        .where(o.kind == "funding_accounts", o.id == query.c.id, o.ledger_id.is_(None))
        .values(ledger_id=query.c.ledger_id, is_usable=query.c.is_usable, is_postable=query.c.is_postable)
    )
