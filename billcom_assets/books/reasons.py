"""Why documents are held: each reason a query over what the run looks at."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    case,
    exists,
    func,
    insert,
    literal,
    null,
    or_,
    select,
)

from billcom_assets.books import work
from billcom_assets.books.exact import TOLERANCE
from billcom_assets.books.kinds import KINDS, MONEY_MOVEMENTS, Kind
from billcom_assets.books.money_accounts import SETTING
from billcom_assets.books.run import Run
from billcom_assets.books.scope import is_payment
from billcom_assets.books.settings_in_use import used_settings
from billcom_assets.sync.state import pulled_completely
from billcom_assets.warehouse.books_tables import DIMENSIONS
from billcom_assets.warehouse.ledger_tables import ledger_accounts, ledger_dimensions, ledger_items

_APPROVAL_KNOWN: Final = ("UNASSIGNED", "ASSIGNED", "APPROVING", "APPROVED", "DENIED")
_APPROVED: Final = {
    "approved": ("APPROVED",),
    "approved_or_unassigned": ("APPROVED", "UNASSIGNED"),
}
_UNMAPPED: Final = {
    "vendors": "VENDOR_UNMAPPED",
    "customers": "CUSTOMER_UNMAPPED",
    "accounts": "ACCOUNT_UNMAPPED",
    "items": "ITEM_UNMAPPED",
    "funding_accounts": "FUNDING_ACCOUNT_UNMAPPED",
}
_OTHER_UNMAPPED: Final = "CLASSIFICATION_UNMAPPED"
_WOULD_POST: Final = ("post", "repost")


def find_reasons(connection: Connection, run: Run) -> None:
    """Notes every reason why a document that would post may not, but for duplicates and exchange differences."""
    pulled = pulled_completely(connection, run.integration)
    queries = [
        *_approval(run),
        *_about_itself(),
        *_parties(pulled),
        *_line_accounts(pulled),
        *_classifications(connection, run, pulled),
        *_money(pulled),
        *_settings(connection, run),
        *_closed(run),
    ]
    for query in queries:
        connection.execute(insert(work.reasons).from_select([c.name for c in query.selected_columns], query.distinct()))


def would_post() -> ColumnElement[bool]:
    """The document gets an entry if nothing speaks against it; a denied one has that as its only reason."""
    d = work.documents.c
    return and_(d.action.in_(_WOULD_POST), ~_is_denied())


def _is_denied() -> ColumnElement[bool]:
    d = work.documents.c
    with_approval = [kind.name for kind in KINDS.values() if kind.has_approval]
    return and_(d.kind.in_(with_approval), func.coalesce(d.approval, "") == "DENIED")


def _reason(
    code: ColumnElement[Any] | str,
    *conditions: ColumnElement[bool],
    subject_kind: ColumnElement[Any] | str | None = None,
    subject: ColumnElement[Any] | None = None,
) -> Select[Any]:
    d = work.documents.c
    return select(
        d.kind,
        d.id,
        (literal(code) if isinstance(code, str) else code).label("code"),
        (
            literal(subject_kind) if isinstance(subject_kind, str) else null() if subject_kind is None else subject_kind
        ).label("subject_kind"),
        (null() if subject is None else subject).label("subject"),
    ).where(*conditions)


def _approval(run: Run) -> Iterator[Select[Any]]:
    d = work.documents.c
    yield _reason("DENIED", d.action.in_(_WOULD_POST), _is_denied())
    for kind in KINDS.values():
        if kind.has_approval:
            approved = _APPROVED[run.policy.approval]
            lacks = and_(func.coalesce(d.approval, "").not_in(approved))
            if kind.unknown_is_approved:
                lacks = and_(lacks, d.approval.in_(_APPROVAL_KNOWN))
            yield _reason("NOT_APPROVED", would_post(), d.kind == kind.name, lacks)


def _about_itself() -> Iterator[Select[Any]]:
    d = work.documents.c
    yield _reason("DATE_MISSING", would_post(), d.document_date.is_(None))
    yield _reason("CURRENCY_WITHOUT_RATE", would_post(), d.home_amount.is_(None), d.amount.is_not(None))
    named = [_named_statuses(kind) for kind in KINDS.values() if kind.statuses]
    known_type = func.coalesce(d.movement_type, "").in_(("1", "2", "3", "4"))
    of_movement = and_(d.kind == MONEY_MOVEMENTS.name, ~known_type)
    yield _reason("STATUS_UNKNOWN", would_post(), or_(of_movement, and_(is_payment(), ~or_(*named))))
    for kind in KINDS.values():
        if kind.lines is not None:
            yield _mismatch(kind, work.lines.c, needs_one=True)
        elif kind.parts is not None:
            yield _mismatch(kind, work.parts.c, needs_one=False)


def _named_statuses(kind: Kind) -> ColumnElement[bool]:
    d = work.documents.c
    return and_(d.kind == kind.name, func.coalesce(d.status, "").in_(list(kind.statuses)))


def _mismatch(kind: Kind, rows: Any, *, needs_one: bool) -> Select[Any]:
    """Lines, or parts where there are any, that do not add up to the document's amount."""
    d = work.documents.c
    mine = (rows.kind == d.kind, rows.id == d.id)
    total = select(func.coalesce(func.sum(rows.amount), 0)).where(*mine).scalar_subquery()
    differs = func.abs(total - func.coalesce(d.amount, 0)) > TOLERANCE
    conditions = [differs] if needs_one else [differs, exists().where(*mine)]
    return _reason("AMOUNT_MISMATCH", would_post(), d.kind == kind.name, *conditions)


# What a document uses ------------------------------------------------------------------------------------------------


def _problem(kind: str, pulled: frozenset[str]) -> ColumnElement[Any]:
    """What is wrong with an object of the kind, as the row that ``work.objects`` has of it says; null for nothing."""
    o = work.objects.c
    is_gone = or_(o.id.is_(None), o.is_there.is_(False))
    broken = [(and_(is_gone, o.ledger_id.is_(None)), "REFERENCE_BROKEN")] if kind in pulled else []
    return case(
        *broken,
        (o.ledger_id.is_(None), _UNMAPPED.get(kind, _OTHER_UNMAPPED)),
        (o.is_usable.is_(False), "LEDGER_INACTIVE"),
    )


def _of_object(kind: str, used: ColumnElement[Any]) -> ColumnElement[bool]:
    o = work.objects.c
    return and_(o.kind == kind, o.id == used)


def _parties(pulled: frozenset[str]) -> Iterator[Select[Any]]:
    d = work.documents.c
    for party_kind in sorted({kind.party_kind for kind in KINDS.values() if kind.party_kind}):
        problem = _problem(party_kind, pulled)
        source = work.documents.outerjoin(work.objects, _of_object(party_kind, d.party))
        mine = (would_post(), d.party_kind == party_kind)
        names_one = d.party.is_not(None)
        query = _reason(problem, *mine, names_one, problem.is_not(None), subject_kind=party_kind, subject=d.party)
        yield query.select_from(source)
        yield _reason(_UNMAPPED[party_kind], *mine, ~names_one, subject_kind=party_kind)


def _lines_of_documents() -> ColumnElement[bool]:
    d, line = work.documents.c, work.lines.c
    return and_(line.kind == d.kind, line.id == d.id)


def _line_accounts(pulled: frozenset[str]) -> Iterator[Select[Any]]:
    line, o = work.lines.c, work.objects.c
    joined = work.documents.join(work.lines, _lines_of_documents())
    posts = (would_post(), line.amount != 0)
    yield _reason("ACCOUNT_MISSING", *posts, line.account.is_(None)).select_from(joined)
    problem = _problem("accounts", pulled)
    source = joined.outerjoin(work.objects, _of_object("accounts", line.account))
    about_account = partial(_reason, subject_kind="accounts", subject=line.account)
    yield about_account(problem, *posts, line.account.is_not(None), problem.is_not(None)).select_from(source)
    refuses = (o.ledger_id.is_not(None), o.is_postable.is_(False))
    yield about_account("ACCOUNT_NOT_POSTABLE", *posts, *refuses).select_from(source)


def _classifications(connection: Connection, run: Run, pulled: frozenset[str]) -> Iterator[Select[Any]]:
    """Items, departments and the like of lines, where the ledger keeps any of the kind."""
    line = work.lines.c
    for kind, used in kept_classifications(connection, run):
        problem = _problem(kind, pulled)
        source = work.documents.join(work.lines, _lines_of_documents()).outerjoin(
            work.objects, _of_object(kind, line[used])
        )
        names_one = (line.amount != 0, line[used].is_not(None))
        query = _reason(problem, would_post(), *names_one, problem.is_not(None), subject_kind=kind, subject=line[used])
        yield query.select_from(source)


def kept_classifications(connection: Connection, run: Run) -> Iterator[tuple[str, str]]:
    """Kinds of which the ledger has active objects, and the column of lines that names BILL's."""
    i, mine = ledger_items.c, ledger_items.c.integration == run.integration
    if connection.scalar(select(i.id).where(mine, i.active).limit(1)) is not None:
        yield "items", "item"
    d = ledger_dimensions.c
    kept = set(connection.scalars(select(d.kind).where(d.integration == run.integration, d.active).distinct()))
    for one in DIMENSIONS:
        plural = f"{one}es" if one.endswith("s") else f"{one}s"
        if plural in kept:
            yield plural, one


def _money(pulled: frozenset[str]) -> Iterator[Select[Any]]:
    """Accounts that payments are paid from, and the two sides of movements."""
    d = work.documents.c
    for kind_of, id_of in ((d.money_kind, d.money_id), (d.other_kind, d.other_id)):
        for kind in ("funding_accounts", "accounts"):
            problem = _problem(kind, pulled)
            source = work.documents.outerjoin(work.objects, _of_object(kind, id_of))
            mine = (would_post(), kind_of == kind, id_of.is_not(None), problem.is_not(None))
            yield _reason(problem, *mine, subject_kind=kind, subject=id_of).select_from(source)
        if kind_of is d.money_kind:
            names_none = and_(kind_of != SETTING, id_of.is_(None))
            yield _reason("PAYMENT_ACCOUNT_UNKNOWN", would_post(), names_none)


# The policy ----------------------------------------------------------------------------------------------------------


def _settings(connection: Connection, run: Run) -> Iterator[Select[Any]]:
    for setting, needed in used_settings():
        about_setting = partial(_reason, subject_kind=SETTING, subject=literal(setting))
        account = getattr(run.policy, setting)
        if account is None:
            yield about_setting("POLICY_MISSING", would_post(), needed)
        elif not is_active(connection, run, account):
            yield about_setting("LEDGER_INACTIVE", would_post(), needed)


def is_active(connection: Connection, run: Run, account: str) -> bool:
    """Whether the ledger's account is there and in use."""
    a: Any = ledger_accounts.c
    mine = (a.integration == run.integration, a.id == account)
    return bool(connection.scalar(select(a.active).where(*mine)))


def _closed(run: Run) -> Iterator[Select[Any]]:
    d = work.documents.c
    closed = run.policy.closed_through
    if closed is not None and run.policy.late == "hold":
        yield _reason("PERIOD_CLOSED", would_post(), d.action == "post", d.posting_date <= closed)
