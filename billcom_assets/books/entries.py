"""The journal entries of one run: reversals of what goes, postings of what comes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, Text, and_, case, cast, func, insert, literal, null, select

from billcom_assets.books import work
from billcom_assets.books.decisions import Action
from billcom_assets.books.kinds import KINDS, Kind
from billcom_assets.books.money_accounts import SETTING
from billcom_assets.books.reasons import kept_classifications
from billcom_assets.books.run import Run
from billcom_assets.warehouse.books_tables import DIMENSIONS, ledger_entries, ledger_lines

_LINES, _CONTROL, _MONEY, _EXCHANGE = range(4)
"""Sections of an entry, in their order."""
_LONGEST_NUMBER: Final = 60
_POSTS: Final = (Action.POST.value, Action.REPOST.value)
_REVERSED: Final = (Action.LEAVE.value, Action.REPOST.value)


def make_entries(connection: Connection, run: Run) -> None:
    """Writes the entries and their lines."""
    _reverse(connection, run)
    draft_lines(connection, run)
    _post(connection, run)


def draft_lines(connection: Connection, run: Run) -> None:
    """Drafts the lines of what posts."""
    of_kinds = (query for kind in KINDS.values() for query in _lines_of(connection, run, kind))
    for query in (*of_kinds, *_gains_and_losses(run)):
        names = [column.name for column in query.selected_columns]
        connection.execute(insert(work.entry_lines).from_select(names, query))
    work.analyze(connection, work.entry_lines)


# Reversals -----------------------------------------------------------------------------------------------------------


def _entry_id(sequence: ColumnElement[Any]) -> ColumnElement[str]:
    d = work.documents.c
    return d.kind + ":" + d.id + ":" + cast(sequence, Text)


def _is_reversed() -> ColumnElement[bool]:
    d = work.documents.c
    return and_(d.action.in_(_REVERSED), d.old_entry.is_not(None))


def _reverse(connection: Connection, run: Run) -> None:
    d, e, line = work.documents.c, ledger_entries.c, ledger_lines.c
    sequence = d.entries + 1
    why = case(
        (d.recodes.is_(True), "posted anew"),
        (d.action == Action.REPOST.value, "changed in BILL"),
        else_=func.lower(d.leaves),
    )
    columns: dict[str, ColumnElement[Any]] = {
        "integration": literal(run.integration),
        "id": _entry_id(sequence),
        "kind": d.kind,
        "document_id": d.id,
        "sequence": sequence,
        "type": literal("reversal"),
        "reversed_entry_id": d.old_entry,
        "document_date": e.document_date,
        "posting_date": d.reversal_date,
        "memo": "Reversal of " + d.old_entry + ": " + func.replace(why, "_", " "),
        **_provenance(run),
    }
    old = and_(e.integration == run.integration, e.id == d.old_entry)
    source = work.documents.join(ledger_entries, old)
    query = select(*(value.label(name) for name, value in columns.items())).select_from(source).where(_is_reversed())
    connection.execute(insert(ledger_entries).from_select(list(columns), query))
    swapped: dict[str, ColumnElement[Any]] = {
        **{column.name: column for column in ledger_lines.c},
        "entry_id": _entry_id(sequence),
        "debit": line.credit,
        "credit": line.debit,
        "amount": -line.amount,
    }
    of_old = and_(line.integration == run.integration, line.entry_id == d.old_entry)
    lines = select(*(value.label(name) for name, value in swapped.items())).select_from(
        work.documents.join(ledger_lines, of_old)
    )
    connection.execute(insert(ledger_lines).from_select(list(swapped), lines.where(_is_reversed())))


def _provenance(run: Run) -> dict[str, ColumnElement[Any]]:
    return {
        "payload_digest": work.documents.c.version,
        "policy_version": literal(run.policy.version),
        "run_id": literal(run.run_id, Text),
        "posted_at": literal(run.started_at, ledger_entries.c.posted_at.type),
    }


# Postings ------------------------------------------------------------------------------------------------------------


def _lines_of(connection: Connection, run: Run, kind: Kind) -> list[Select[Any]]:
    if kind.lines is not None:
        return [_charged(connection, run, kind), _total(run, kind)]
    if kind.parts is not None:
        return [_settled(run, kind), _settled_at_once(run, kind), _money(run, kind.name, -1)]
    return [_money(run, kind.name, 1), _other_side(run, kind.name)]


def _line(kind: str, section: int, role: str, account: ColumnElement[Any], **columns: Any) -> Select[Any]:
    d = work.documents.c
    values = {"section": literal(section), "role": literal(role), "account": account, **columns}
    return select(d.kind, d.id, *(value.label(name) for name, value in values.items())).where(
        d.kind == kind, d.action.in_(_POSTS)
    )


def _setting(run: Run, name: str) -> ColumnElement[Any]:
    return literal(getattr(run.policy, name), Text)


def _control(run: Run, kind: Kind) -> ColumnElement[Any]:
    return _setting(run, "accounts_payable" if kind.party_kind == "vendors" else "accounts_receivable")


def _charged(connection: Connection, run: Run, kind: Kind) -> Select[Any]:
    """What a document is charged to, line by line."""
    d, line, account = work.documents.c, work.lines.c, work.objects.alias("account")
    source = work.documents.join(work.lines, and_(line.kind == d.kind, line.id == d.id)).join(
        account, and_(account.c.kind == "accounts", account.c.id == line.account)
    )
    coded: dict[str, ColumnElement[Any]] = {}
    for object_kind, name in kept_classifications(connection, run):
        coded_to = work.objects.alias(f"coded_{name}")
        source = source.outerjoin(coded_to, and_(coded_to.c.kind == object_kind, coded_to.c.id == line[name]))
        coded[name] = coded_to.c.ledger_id
    return (
        _line(
            kind.name,
            _LINES,
            "line",
            account.c.ledger_id,
            source_line=line.position,
            home_amount=kind.side * line.home_amount,
            amount=kind.side * line.amount,
            **coded,
        )
        .select_from(source)
        .where(line.amount != 0)
    )


def _total(run: Run, kind: Kind) -> Select[Any]:
    """The whole of a bill or credit on the control account; of a foreign one with what its settlements change."""
    d = work.documents.c
    # Rounded, because SQLite adds floating-point numbers.
    changed = func.round(-kind.side * d.home_amount - d.exchange, 2)
    home = case((d.exchange.is_(None), -kind.side * d.home_amount), else_=changed)
    return _line(kind.name, _CONTROL, "control", _control(run, kind), home_amount=home, amount=-kind.side * d.amount)


def _signed() -> ColumnElement[Any]:
    """-1 for the opposite of a payment."""
    return case((work.documents.c.is_opposite, -1), else_=1)


def _settled(run: Run, kind: Kind) -> Select[Any]:
    """What a payment settles, one line per bill, at the value that takes off the books."""
    d, part = work.documents.c, work.parts.c
    return _line(
        kind.name,
        _CONTROL,
        "control",
        _control(run, kind),
        source_line=part.position,
        home_amount=_signed() * part.booked,
        amount=_signed() * part.amount,
        settles=part.settled_id,
    ).select_from(work.documents.join(work.parts, and_(part.kind == d.kind, part.id == d.id)))


def _settled_at_once(run: Run, kind: Kind) -> Select[Any]:
    """The whole of a payment that names nothing that it settles."""
    d, part = work.documents.c, work.parts
    names_none = ~select(part.c.id).where(part.c.kind == d.kind, part.c.id == d.id).exists()
    home, amount = _signed() * d.home_amount, _signed() * d.amount
    line = _line(kind.name, _CONTROL, "control", _control(run, kind), home_amount=home, amount=amount)
    return line.where(names_none)


def _account_of(run: Run, kind: ColumnElement[Any], mapped: Any, id_: ColumnElement[Any]) -> ColumnElement[Any]:
    settings = {name: getattr(run.policy, name) or "" for name in ("payables_clearing", "receivables_clearing")}
    return case((kind == SETTING, case(settings, value=id_)), else_=mapped.c.ledger_id)


def _money(run: Run, kind: str, sign: int) -> Select[Any]:
    d, mapped = work.documents.c, work.objects.alias("mapped")
    source = work.documents.outerjoin(mapped, and_(mapped.c.kind == d.money_kind, mapped.c.id == d.money_id))
    home, amount = sign * _signed() * d.home_amount, sign * _signed() * d.amount
    account = _account_of(run, d.money_kind, mapped, d.money_id)
    return _line(kind, _MONEY, "money", account, home_amount=home, amount=amount).select_from(source)


def _other_side(run: Run, kind: str) -> Select[Any]:
    d, mapped = work.documents.c, work.objects.alias("mapped")
    source = work.documents.outerjoin(mapped, and_(mapped.c.kind == d.other_kind, mapped.c.id == d.other_id))
    account = _account_of(run, d.other_kind, mapped, d.other_id)
    line = _line(kind, _CONTROL, "money", account, home_amount=-d.home_amount, amount=-d.amount)
    return line.select_from(source)


def _gains_and_losses(run: Run) -> Iterator[Select[Any]]:
    """What foreign settlements are worth beside what they take off the books."""
    d, part, earlier = work.documents.c, work.parts.c, work.differences.c
    account = _setting(run, "exchange_gain_loss")
    about: dict[str, ColumnElement[Any]]
    now: dict[str, ColumnElement[Any]]
    about = {"section": literal(_EXCHANGE), "role": literal("exchange"), "account": account, "amount": literal(0)}
    difference = func.round(part.home_amount - part.booked, 2)
    now = {"source_line": part.position, "settles": part.settled_id, "home_amount": difference}
    posts = d.action.in_(_POSTS)
    yield (
        select(d.kind, d.id, *(value.label(name) for name, value in (about | now).items()))
        .join_from(work.documents, work.parts, and_(part.kind == d.kind, part.id == d.id))
        .where(posts, part.booked != part.home_amount)
    )
    yield (
        select(d.kind, d.id, *(value.label(name) for name, value in about.items()), earlier.home_amount)
        .join_from(work.documents, work.differences, and_(earlier.kind == d.kind, earlier.id == d.id))
        .where(posts)
    )


def _post(connection: Connection, run: Run) -> None:
    d, line, o = work.documents.c, work.entry_lines.c, work.objects.c
    sequence = d.entries + case((_is_reversed(), 2), else_=1)
    counts = and_(line.kind == d.kind, line.id == d.id, moves_something())
    posts = (d.action.in_(_POSTS), select(line.id).where(counts).exists())
    columns: dict[str, ColumnElement[Any]] = {
        "integration": literal(run.integration),
        "id": _entry_id(sequence),
        "kind": d.kind,
        "document_id": d.id,
        "sequence": sequence,
        "type": literal("posting"),
        "reversed_entry_id": null(),
        "document_date": case((d.is_opposite, d.voided_on), else_=d.document_date),
        "posting_date": d.posting_date,
        "memo": _memo(),
        **_provenance(run),
    }
    query = select(*(value.label(name) for name, value in columns.items())).where(*posts)
    connection.execute(insert(ledger_entries).from_select(list(columns), query))
    order = (line.section, line.source_line, line.settles)
    number = func.row_number().over(partition_by=(line.kind, line.id), order_by=order)
    party = case((line.role == "control", d.party))
    values: dict[str, ColumnElement[Any]] = {
        "integration": literal(run.integration),
        "entry_id": _entry_id(sequence),
        "line": number,
        "role": line.role,
        "ledger_account_id": line.account,
        "debit": case((line.home_amount > 0, line.home_amount), else_=0),
        "credit": case((line.home_amount < 0, -line.home_amount), else_=0),
        "currency": d.currency,
        "amount": line.amount,
        "party": party,
        "ledger_party": case((line.role == "control", o.ledger_id)),
        **{name: line[name] for name in ("item", *DIMENSIONS, "source_line", "settles")},
    }
    source = work.documents.join(work.entry_lines, counts).outerjoin(
        work.objects, and_(o.kind == d.party_kind, o.id == d.party)
    )
    lines = select(*(value.label(name) for name, value in values.items())).select_from(source)
    connection.execute(insert(ledger_lines).from_select(list(values), lines))


def moves_something() -> ColumnElement[bool]:
    """The drafted line is not zero."""
    line = work.entry_lines.c
    return (line.home_amount != 0) | (line.amount != 0)


def _memo() -> ColumnElement[str]:
    d = work.documents.c
    opposite = case((d.is_opposite, "Void of "), else_="")
    singular = {kind.name: kind.name.removesuffix("s").replace("_", " ") for kind in KINDS.values()}
    return (
        opposite + case(singular, value=d.kind) + " " + func.substr(func.coalesce(d.number, d.id), 1, _LONGEST_NUMBER)
    )
