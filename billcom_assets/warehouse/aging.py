"""Aging of payables and receivables: by party, document, line and account; now, or as of any day.

What is open on a document on a day is what BILL says is due today, plus what settles it after that day:

- payments scheduled and not made yet: the money is still owed, though BILL no longer counts it as due;
- payments made with a later process date (payables) or payment date (receivables);
- credits used later. BILL gives no date for the use of a credit. One that was used in a payment is dated by the
  payment's process date; any other use counts from the day on which both documents were there.

So what is open today is exactly what BILL says, and an earlier day is that rolled back: documents dated later are left
out, what BILL counts as settled was settled by today at the latest, and payments that were voided or cancelled count as
if they had never been made. What BILL no longer knows, no
query can bring back: an edited amount and a denied approval count on every day as they are now, and what is archived
or deleted in BILL, the day of which it does not tell, is left out on every day. A document without a date is as old as
the day asked for.

Drafts and denied bills are nobody's debt: they have a state of their own and are in no total but their own. Credits
count as negative amounts, aged by their date. What the books hold is owed all the same: it is in the totals, and
marked, because accounts payable do not have it yet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Date,
    FromClause,
    Select,
    Subquery,
    Table,
    and_,
    case,
    cast,
    false,
    func,
    literal,
    literal_column,
    or_,
    select,
    type_coerce,
    union_all,
)

from billcom_assets.warehouse.books_tables import ledger_documents
from billcom_assets.warehouse.days import DaysBetween, today
from billcom_assets.warehouse.mirror import Mirror
from billcom_assets.warehouse.sums import MoneySum
from billcom_assets.warehouse.types import Exact

_Days = ColumnElement[int]
_Money = ColumnElement[Decimal]

BUCKETS: tuple[tuple[str, Callable[[_Days], ColumnElement[bool]]], ...] = (
    ("not_due", lambda days: days <= 0),
    ("days_1_30", lambda days: days.between(1, 30)),
    ("days_31_60", lambda days: days.between(31, 60)),
    ("days_61_90", lambda days: days.between(61, 90)),
    ("days_over_90", lambda days: days > 90),
)
"""By days overdue; what has no due date is in the first."""


class State(StrEnum):
    """Whether a document is owed."""

    OPEN = "open"
    DRAFT = "draft"
    DENIED = "denied"


_NOT_PAID: Final = (
    *("SCHEDULED", "APPROVING"),
    # In BILL's two spellings, and as the single status of payments to vendors has it.
    *("VOID", "CANCELLED", "CANCELED", "VOIDED", "FUNDING_FAILED_VOIDED"),
)
"""Statuses of payments that pay nothing yet, or no longer."""
_MONEY: Final = Exact(money=True)


@dataclass(frozen=True)
class Documents:
    """Documents of one kind."""

    type: str
    """As the column ``document_type`` names it; tables and ids are named after it."""
    number: str
    date: str
    due_date: str
    line_amount: Callable[[FromClause], ColumnElement[Any]]
    """What the open amount is spread over the lines by."""

    @property
    def table(self) -> str:
        """Name of their table."""
        return f"{self.type}s"

    @property
    def id_column(self) -> str:
        """What others call their id."""
        return f"{self.type}_id"

    @property
    def lines(self) -> str:
        """Name of the table of their lines."""
        return f"{self.type}_line_items"


@dataclass(frozen=True)
class Aging:
    """Payables or receivables."""

    name: str
    """Of the view by party; the others are named after it."""
    party: str
    currency: str
    """Column of the party that names the currency of its documents."""
    charges: Documents
    """What is owed."""
    credits: Documents
    """What lessens it."""
    dimensions: tuple[str, ...]
    """What lines are coded to."""

    @property
    def parties(self) -> str:
        """Name of the table of those whom it is owed to or by."""
        return f"{self.party}s"


def _amount(lines: FromClause) -> ColumnElement[Any]:
    return lines.c.amount


def _quantity_times_price(lines: FromClause) -> ColumnElement[Any]:
    return func.coalesce(lines.c.quantity, 1) * lines.c.price


_DIMENSIONS = ("chart_of_account", "accounting_class", "department", "job", "location", "item")
PAYABLES: Final = Aging(
    "ap_aging",
    "vendor",
    "bill_currency",
    Documents("bill", "invoice_number", "invoice_date", "due_date", _amount),
    Documents("vendor_credit", "reference_number", "credit_date", "credit_date", _amount),
    (*_DIMENSIONS, "employee", "customer"),
)
RECEIVABLES: Final = Aging(
    "ar_aging",
    "customer",
    "invoice_currency",
    Documents("invoice", "invoice_number", "invoice_date", "due_date", _quantity_times_price),
    Documents("credit_memo", "reference_number", "credit_date", "credit_date", _amount),
    _DIMENSIONS,
)
AGINGS: Final = (PAYABLES, RECEIVABLES)


class By(StrEnum):
    """What one row is about."""

    PARTY = "party"
    DOCUMENT = "document"
    LINE = "line"
    ACCOUNT = "account"


COMMENTS: Final = {
    "integration": "Integration key",
    "vendor_id": "BILL's id of the vendor",
    "vendor_name": "The vendor's name in BILL",
    "customer_id": "BILL's id of the customer",
    "customer_name": "The customer's name in BILL",
    "document_id": "BILL's id of the document",
    "document_number": "Its number",
    "document_date": "Date of the bill, credit or invoice",
    "due_date": "Day on which it is due; a credit's own date",
    "line_position": "Place of the line in the document, from 0; null where the amount is on no line",
    "line_id": "BILL's id of the line",
    **{f"{name}_id": f"BILL's id of the line's {name.replace('_', ' ')}" for name in (*_DIMENSIONS, "employee")},
    "currency": "ISO 4217 code of the amounts: the party's currency in BILL; USD where BILL names none",
    "document_type": "bill, vendor_credit, invoice or credit_memo",
    "state": "open: owed. draft, denied: nobody's debt, in no total but their own",
    "books_state": "Where the document stands in the books: imported, held or out_of_scope; null where they have none",
    "days_overdue": "Days since the due date as of the day (UTC); negative before it, null without one",
    "bucket": "not_due, days_1_30, days_31_60, days_61_90 or days_over_90; without a due date not_due",
    "open_amount": "What is open, with what is scheduled and not paid yet; credits are negative",
    "settled_later": "What of the open amount is scheduled, or was settled after the day",
    "documents": "Open documents, credits not counted",
    "not_due": "Not overdue, or without a due date",
    "days_1_30": "1 to 30 days overdue",
    "days_31_60": "31 to 60 days overdue",
    "days_61_90": "61 to 90 days overdue",
    "days_over_90": "More than 90 days overdue",
    "total": "All that is open, less open credits; held documents included, drafts and denied ones not",
    "open_credits": "What of the total are unused credits; negative",
    "draft": "Drafts, in no total",
    "denied": "Denied bills, in no total",
    "held": "What of the total the books hold with a reason; see the view held_documents",
}
"""What the columns mean that are not taken from a table as they are; money is in ``currency``."""


@dataclass(frozen=True)
class AgingQuery:
    """The queries of one aging.

    Args:
        mirror: Where the documents are.
        aging: Payables or receivables.
        as_of: As of the end of this day; None asks for what is open now, which the views show.
        integration: Of this integration alone; None asks for all.
    """

    mirror: Mirror
    aging: Aging
    as_of: date | None = None
    integration: str | None = None

    def by(self, by: By) -> Select[Any]:
        """The query whose rows are about that."""
        queries = {By.PARTY: self.parties, By.DOCUMENT: self.documents, By.LINE: self.lines, By.ACCOUNT: self.accounts}
        return queries[by]()

    def parties(self) -> Select[Any]:
        """Per party and currency: open charges, credits and what settles them later, by days overdue."""
        d = self._all_documents().subquery("documents")
        is_open = d.c.state == State.OPEN
        key = (d.c.integration, d.c[f"{self.aging.party}_id"], d.c[f"{self.aging.party}_name"], d.c.currency)
        is_credit = d.c.document_type == self.aging.credits.type
        return (
            select(
                *key,
                func.count(case((is_open & ~is_credit, 1))).label("documents"),
                *_sums(d),
                _sum_where(d, is_open & is_credit, "open_credits"),
                MoneySum(case((is_open, d.c.settled_later), else_=0)).label("settled_later"),
                *_apart(d),
                _held(d),
            )
            .select_from(d)
            .group_by(*key)
        )

    def documents(self) -> Select[Any]:
        """Every document with an open amount."""
        d = self._all_documents().subquery("documents")
        return select(*d.c)

    def lines(self) -> Select[Any]:
        """The open amount of each document spread over its lines in proportion to their amounts, exact to the cent.

        A document without lines, or whose lines add up to zero, has one row without a line.
        """
        spread = union_all(self._lines_of(self.aging.charges), self._lines_of(self.aging.credits)).subquery("spread")
        return select(*spread.c)

    def accounts(self) -> Select[Any]:
        """Per account that lines are coded to, and currency: open amounts by days overdue."""
        lines, accounts = self.lines().subquery("lines"), self.mirror.table("accounts")
        key = (lines.c.integration, lines.c.chart_of_account_id)
        names = (accounts.c.account_number, accounts.c.name.label("account_name"), lines.c.currency)
        on = (accounts.c.integration == lines.c.integration) & (accounts.c.id == lines.c.chart_of_account_id)
        return (
            select(*key, *names, *_sums(lines), *_apart(lines), _held(lines))
            .select_from(lines.outerjoin(accounts, on))
            .group_by(*key, accounts.c.account_number, accounts.c.name, lines.c.currency)
        )

    # Documents ------------------------------------------------------------------------------------------------------

    def _all_documents(self) -> CompoundSelect[Any]:
        return union_all(self._charges(), self._credits())

    def _documents_of(self, kind: Documents) -> Select[Any]:
        return self._charges() if kind is self.aging.charges else self._credits()

    def _charges(self) -> Select[Any]:
        t = self.mirror.table(self.aging.charges.table)
        record_status = func.coalesce(t.c.record_status, "")
        is_draft = record_status == "DRAFT"
        states = [(is_draft, State.DRAFT.value)]
        if "approval_status" in t.c:
            states.append((t.c.approval_status == "DENIED", State.DENIED.value))
        # BILL calls drafts archived, too.
        in_use = _is_there(t) & or_(is_draft, ~_is_archived(t) & (record_status != "DRAFT_DELETED"))
        later, settled = self._settled_later(self.aging.charges)
        settled = func.coalesce(t.c.scheduled_amount, 0) + settled
        state: ColumnElement[str] = case(*states, else_=State.OPEN.value)
        return self._select(self.aging.charges, state, t.c.due_amount, settled, later).where(in_use)

    def _credits(self) -> Select[Any]:
        t = self.mirror.table(self.aging.credits.table)
        unused = -(func.coalesce(t.c.amount, 0) - func.coalesce(t.c.applied_amount, 0))
        later, settled = self._settled_later(self.aging.credits)
        state: ColumnElement[str] = literal_column(f"'{State.OPEN}'")
        return self._select(self.aging.credits, state, unused, -settled, later).where(_is_there(t), ~_is_archived(t))

    def _select(
        self,
        kind: Documents,
        state: ColumnElement[str],
        due_now: ColumnElement[Any],
        settled_later: ColumnElement[Any],
        later: Subquery | None,
    ) -> Select[Any]:
        party, t = self.aging.party, self.mirror.table(kind.table)
        parties = self.mirror.table(self.aging.parties)
        party_id, document_date = t.c[f"{party}_id"], t.c[kind.date]
        source: FromClause = t.outerjoin(
            parties, (parties.c.integration == t.c.integration) & (parties.c.id == party_id)
        )
        if later is not None:
            source = source.outerjoin(later, (later.c.integration == t.c.integration) & (later.c.document_id == t.c.id))
        in_books = (ledger_documents.c.integration == t.c.integration, ledger_documents.c.id == t.c.id)
        source = source.outerjoin(
            ledger_documents, and_(*in_books, ledger_documents.c.kind == literal_column(f"'{kind.table}'"))
        )
        open_amount = _to_the_cent(func.coalesce(due_now, 0) + settled_later)
        days = DaysBetween(self._day, t.c[kind.due_date])
        (first, _), *others = BUCKETS
        query = select(
            t.c.integration,
            party_id,
            parties.c.name.label(f"{party}_name"),
            func.coalesce(parties.c[self.aging.currency], "USD").label("currency"),
            literal_column(f"'{kind.type}'").label("document_type"),
            t.c.id.label("document_id"),
            t.c[kind.number].label("document_number"),
            document_date.label("document_date"),
            t.c[kind.due_date].label("due_date"),
            state.label("state"),
            days.label("days_overdue"),
            case(*((inside(days), name) for name, inside in others), else_=first).label("bucket"),
            open_amount.label("open_amount"),
            _to_the_cent(settled_later).label("settled_later"),
            ledger_documents.c.state.label("books_state"),
        ).select_from(source)
        return self._of_integration(query, t).where(*self._up_to(document_date), open_amount != literal_column("0"))

    @property
    def _day(self) -> ColumnElement[date]:
        return today() if self.as_of is None else literal(self.as_of, Date)

    def _of_integration(self, query: Select[Any], t: FromClause) -> Select[Any]:
        return query if self.integration is None else query.where(t.c.integration == self.integration)

    def _up_to(self, day: ColumnElement[Any]) -> Iterator[ColumnElement[bool]]:
        if self.as_of is not None:
            yield or_(day.is_(None), day <= self.as_of)

    # What settles a document after the day -------------------------------------------------------------------------

    def _settled_later(self, kind: Documents) -> tuple[Subquery | None, ColumnElement[Any]]:
        """Per document what payments and credits settle after the day; and the amount of it."""
        if self.as_of is None:
            return None, literal_column("0")
        found = [self._used_later(kind, self.as_of)]
        if kind is self.aging.charges:
            paid_later = self._paid_later if self.aging is PAYABLES else self._received_later
            found.append(paid_later(self.as_of))
        # What BILL counts as settled now was settled by today, though its date may be yet to come.
        found = [one.where(literal(self.as_of, Date) < today()) for one in found]
        each = union_all(*found).subquery(f"{kind.type}_settlements")
        key = (each.c.integration, each.c.document_id)
        later = select(*key, MoneySum(each.c.amount).label("amount")).group_by(*key).subquery(f"{kind.type}_later")
        return later, func.coalesce(later.c.amount, 0)

    def _paid_later(self, as_of: date) -> Select[Any]:
        p, part = self.mirror.table("vendor_payments"), self.mirror.table("vendor_payment_bills")
        query = (
            select(part.c.integration, part.c.bill_id.label("document_id"), part.c.amount)
            .join_from(p, part, (part.c.integration == p.c.integration) & (part.c.vendor_payment_id == p.c.id))
            .where(_paid_on(p) > as_of)
        )
        return self._of_integration(query, p)

    def _received_later(self, as_of: date) -> Select[Any]:
        """As the invoices themselves show it, so that it agrees with what they say is due."""
        p, part = self.mirror.table("receivable_payments"), self.mirror.table("invoice_payments")
        query = (
            select(part.c.integration, part.c.invoice_id.label("document_id"), part.c.amount)
            .select_from(part.outerjoin(p, (p.c.integration == part.c.integration) & (p.c.id == part.c.id)))
            .where(_is_made(part.c.status), func.coalesce(part.c.date, p.c.payment_date) > as_of)
        )
        return self._of_integration(query, part)

    def _used_later(self, kind: Documents, as_of: date) -> Select[Any]:
        charges, credits = self.aging.charges, self.aging.credits
        used = self.mirror.table(f"{credits.type}_usages")
        charge, credit = self.mirror.table(charges.table), self.mirror.table(credits.table)
        by_credit = (credit.c.integration == used.c.integration) & (credit.c.id == used.c[credits.id_column])
        by_charge = (charge.c.integration == used.c.integration) & (charge.c.id == used.c[charges.id_column])
        source: FromClause = used.join(credit, by_credit & credit.c.deleted_at.is_(None)).outerjoin(charge, by_charge)
        is_later = or_(credit.c[credits.date] > as_of, charge.c[charges.date] > as_of)
        if "payment_id" in used.c:
            p = self.mirror.table("vendor_payments")
            source = source.outerjoin(p, (p.c.integration == used.c.integration) & (p.c.id == used.c.payment_id))
            is_later = case((_paid_on(p).is_not(None), _paid_on(p) > as_of), else_=func.coalesce(is_later, false()))
        document_id = used.c[kind.id_column].label("document_id")
        query = select(used.c.integration, document_id, used.c.amount).select_from(source).where(is_later)
        return self._of_integration(query, used)

    # Lines ----------------------------------------------------------------------------------------------------------

    def _lines_of(self, kind: Documents) -> Select[Any]:
        d = self._documents_of(kind).cte(f"{kind.type}_documents")
        weights = self._weights(kind, d).subquery(f"{kind.type}_weights")
        on = (weights.c.integration == d.c.integration) & (weights.c.document_id == d.c.document_id)
        # What the lines up to this one have together, less what those before it have: no cent is lost or made.
        up_to, before = (_share(d.c.open_amount, part, weights.c.total) for part in (weights.c.up_to, weights.c.before))
        spread = _to_the_cent((up_to - before) / literal_column("100.0"))
        amount = case((weights.c.position.is_(None), d.c.open_amount), else_=spread)
        described = (column for column in d.c if column.name not in ("open_amount", "settled_later"))
        return select(
            *described,
            weights.c.position.label("line_position"),
            weights.c.line_id,
            *(weights.c[f"{name}_id"] for name in self.aging.dimensions),
            type_coerce(amount, _MONEY).label("open_amount"),
        ).select_from(d.outerjoin(weights, on & (weights.c.total != 0)))

    def _weights(self, kind: Documents, d: FromClause) -> Select[Any]:
        """Per line what it weighs, in cents, with the lines before it and with all of the document's."""
        line = self.mirror.table(kind.lines)
        weight = _cents(func.coalesce(kind.line_amount(line), 0))
        of_document = (d.c.integration, d.c.document_id)
        up_to = func.sum(weight).over(partition_by=of_document, order_by=line.c.position)
        on = (line.c.integration == d.c.integration) & (line.c[kind.id_column] == d.c.document_id)
        return select(
            *of_document,
            line.c.position,
            line.c.id.label("line_id"),
            *(line.c[f"classifications_{name}_id"].label(f"{name}_id") for name in self.aging.dimensions),
            up_to.label("up_to"),
            (up_to - weight).label("before"),
            func.sum(weight).over(partition_by=of_document).label("total"),
        ).join_from(d, line, on)


def _sums(source: FromClause) -> Iterator[ColumnElement[Any]]:
    """What is open by bucket, and in all."""
    is_open = source.c.state == State.OPEN
    for name, _ in BUCKETS:
        yield _sum_where(source, is_open & (source.c.bucket == name), name)
    yield _sum_where(source, is_open, "total")


def _apart(source: FromClause) -> Iterator[ColumnElement[Any]]:
    """What is in no total."""
    for state in (State.DRAFT, State.DENIED):
        yield _sum_where(source, source.c.state == state, state.value)


def _held(source: FromClause) -> ColumnElement[Any]:
    """What of the total the books hold."""
    return _sum_where(source, (source.c.state == State.OPEN) & (source.c.books_state == "held"), "held")


def _sum_where(source: FromClause, condition: ColumnElement[bool], name: str) -> ColumnElement[Any]:
    return MoneySum(case((condition, source.c.open_amount), else_=0)).label(name)


def _is_there(t: Table) -> ColumnElement[bool]:
    return t.c.deleted_at.is_(None)


def _is_archived(t: Table) -> ColumnElement[bool]:
    return func.coalesce(t.c.archived, false())


def _paid_on(payment: Table) -> ColumnElement[Any]:
    """Day on which a payment to a vendor took effect; null when it has not, or no longer has."""
    is_made = _is_there(payment) & _is_made(payment.c.status) & _is_made(payment.c.single_status)
    return case((is_made, payment.c.process_date))


def _is_made(status: ColumnElement[Any]) -> ColumnElement[bool]:
    """True for payments that BILL counts as paid, whatever it will call them one day."""
    return func.coalesce(status, "").not_in(_NOT_PAID)


def _to_the_cent(amount: ColumnElement[Any]) -> _Money:
    """SQLite adds floating-point numbers: rounded, they are the nearest to the exact sum again."""
    return func.round(amount, literal_column("2"), type_=_MONEY)


def _cents(amount: ColumnElement[Any]) -> ColumnElement[int]:
    return cast(func.round(literal_column("100") * amount), BigInteger)


def _share(amount: _Money, part: ColumnElement[Any], total: ColumnElement[Any]) -> ColumnElement[Any]:
    """Cents of the amount that a part of the total has."""
    return func.round(literal_column("1.0") * _cents(amount) * part / total)
