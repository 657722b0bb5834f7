"""Identity 9: books posted from scratch have the same balances, but for what may differ and is listed.

What a posting would make of the mirror as it is now, with today's policy and mappings, is worked out by the engine in
temporary tables. It knows nothing of what stands, so that whatever was changed, lost or added since shows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    MetaData,
    PrimaryKeyConstraint,
    Select,
    Subquery,
    Table,
    Text,
    and_,
    case,
    exists,
    func,
    insert,
    literal,
    literal_column,
    or_,
    select,
    union_all,
)

from billcom_assets.books import work
from billcom_assets.books.basis import basis_of
from billcom_assets.books.identities.accounts import accounts_of
from billcom_assets.books.identities.aside import empty_books
from billcom_assets.books.identities.comparison import Comparison, on_left, on_right
from billcom_assets.books.identities.findings import Finding, Identity, Listed
from billcom_assets.books.identities.labels import Label, account_labels
from billcom_assets.books.identities.lists import listed
from billcom_assets.books.posting import post_everything
from billcom_assets.books.run import Run
from billcom_assets.books.staging import has_changes
from billcom_assets.warehouse.books_tables import (
    ledger_documents,
    ledger_entries,
    ledger_lines,
    posting_policies,
)
from billcom_assets.warehouse.comparing import compare_by_hash
from billcom_assets.warehouse.ledger_tables import mappings
from billcom_assets.warehouse.policy_changes import ACCOUNT_SETTINGS
from billcom_assets.warehouse.sums import MoneySum
from billcom_assets.warehouse.tables import integration_errors
from billcom_assets.warehouse.types import Exact

_metadata = MetaData()
_BEARS_ON_ENTRIES: Final = (*sorted(ACCOUNT_SETTINGS), "payments", "home_currency")
"""Settings of the policy that decide what an entry looks like, not when or whether it is made."""
_CARDS: Final = ("CARD_ACCOUNT", "AP_CARD")
"""Funding accounts that may go by the mapping of the account that BILL books them on."""
_MOVED_BY_RATES: Final = ("accounts_payable", "accounts_receivable", "exchange_gain_loss")
_DEPENDS_ON_ORDER: Final = ("DUPLICATE_NUMBER", "PERIOD_CLOSED", "POLICY_MISSING", "LEDGER_INACTIVE")
"""Reasons that hold a document because of what was posted before it, or because it came late."""


def _table(name: str, *columns: Column[Any] | PrimaryKeyConstraint) -> Table:
    document = (Column("kind", Text, nullable=False), Column("id", Text, nullable=False))
    return Table(name, _metadata, *document, *columns, prefixes=["TEMPORARY"], postgresql_on_commit="DROP")


_amounts: Final = _table(
    "scratch_amounts", Column("account", Text, nullable=False), Column("amount", Exact(money=True), nullable=False)
)
"""What each document comes to on each account when everything is posted from scratch; debits less credits."""
_documents: Final = _table(
    "scratch_documents",
    Column("state", Text, nullable=False),
    Column("reason", Text),
    Column("version", Text, nullable=False),
    Column("home_amount", Exact(money=True)),
    PrimaryKeyConstraint("kind", "id"),
)
"""What becomes of each document."""
_allowed: Final = _table("scratch_allowed", Column("why", Text, nullable=False), PrimaryKeyConstraint("kind", "id"))
"""Documents that may come to something else than they stand at, and why."""


def look(connection: Connection, run: Run) -> Finding:
    """Compares the balance of every account; leaves nothing behind."""
    with connection.begin_nested() as savepoint:
        compare_by_hash(connection)
        # Whether a posting is due is asked before its tables are temporary ones.
        is_due = not basis_of(connection, run).is_known or has_changes(connection, run)
        _post_from_scratch(connection, run)
        _find_allowed(connection, run, is_due=is_due)
        found = _compare(connection, run)
        savepoint.rollback()
    return found


# Posting from scratch ------------------------------------------------------------------------------------------------


def _post_from_scratch(connection: Connection, run: Run) -> None:
    if connection.dialect.name == "sqlite":
        # It keeps temporary tables as long as the connection, which is used again.
        for table in _metadata.sorted_tables:
            connection.exec_driver_sql(f"DROP TABLE IF EXISTS temp.{table.name}")
    _metadata.create_all(connection, checkfirst=False)
    aside = _set_aside(connection, run)
    # In a closed period everything would be late by now. Dates are not compared.
    policy = replace(run.policy, closed_through=None)
    with empty_books(connection, run.mirror):
        if aside:
            connection.execute(insert(ledger_documents), aside)
        post_everything(connection, replace(run, policy=policy))
        _keep(connection, _amounts, _by_account(run))
        d = ledger_documents.c
        documents = select(d.kind, d.id, d.state, d.reason, d.payload_digest.label("version"), d.home_amount)
        _keep(connection, _documents, documents)
    work.analyze(connection, _amounts, _documents)


def _set_aside(connection: Connection, run: Run) -> list[dict[str, Any]]:
    """The documents that a person has set aside stay so; they are few."""
    d = ledger_documents.c
    query = select(ledger_documents).where(
        d.integration == run.integration, d.state == "held", d.set_aside_at.is_not(None)
    )
    return [dict(row) | {"entries": 0, "payload_digest": ""} for row in connection.execute(query).mappings()]


def _keep(connection: Connection, table: Table, query: Select[Any]) -> None:
    connection.execute(insert(table).from_select([column.name for column in query.selected_columns], query))


def _by_account(run: Run) -> Select[Any]:
    """What each document has come to on each account, by the lines of all its entries."""
    e, line = ledger_entries.c, ledger_lines.c
    of_entry = and_(e.integration == line.integration, e.id == line.entry_id)
    key = (e.kind, e.document_id.label("id"), line.ledger_account_id.label("account"))
    query = select(*key, MoneySum(line.debit - line.credit).label("amount"))
    return (
        query.select_from(ledger_lines.join(ledger_entries, of_entry))
        .where(line.integration == run.integration)
        .group_by(e.kind, e.document_id, line.ledger_account_id)
    )


# Comparing -----------------------------------------------------------------------------------------------------------


def _compare(connection: Connection, run: Run) -> Finding:
    stands = _by_account(run).subquery("stands")
    allowed = exists().where(_allowed.c.kind == stands.c.kind, _allowed.c.id == stands.c.id)
    not_allowed = ~exists().where(_allowed.c.kind == _amounts.c.kind, _allowed.c.id == _amounts.c.id)
    ours = select(stands.c.account, stands.c.kind, stands.c.id)
    theirs = select(_amounts.c.account, _amounts.c.kind, _amounts.c.id)
    comparison = Comparison(
        ("account",),
        (
            on_left(ours, stands.c.amount),
            on_right(ours.where(allowed), stands.c.amount),
            on_right(theirs.where(not_allowed), _amounts.c.amount),
        ),
    )

    def named(groups: Sequence[Any]) -> list[Label]:
        labels = account_labels(connection, run, [one.account for one in groups])
        return [labels[one.account] for one in groups]

    compared, differences = comparison.counts(connection)
    first = comparison.first(connection, run, named) if differences else []
    return Finding(compared, differences, tuple(first), tuple(_listed(connection, run)))


def _listed(connection: Connection, run: Run) -> Iterator[Listed]:
    one, d = _allowed.c, ledger_documents.c
    same = and_(d.integration == run.integration, d.kind == one.kind, d.id == one.id)
    columns = (one.kind, one.id, d.number, d.amount, d.currency, d.home_amount)
    query = select(*columns).select_from(_allowed.outerjoin(ledger_documents, same))
    for why in connection.scalars(select(one.why).distinct().order_by(one.why)).all():
        yield from listed(connection, f"Documents that {why}", query.where(one.why == why))


# What may differ -----------------------------------------------------------------------------------------------------


def _find_allowed(connection: Connection, run: Run, *, is_due: bool) -> None:
    """Notes why documents that come to something else may do so; no note for those that may not."""
    differing = _differing(connection, run)
    d, n, e = ledger_documents.c, _documents.c, ledger_entries.c
    of_books = and_(d.integration == run.integration, d.kind == differing.c.kind, d.id == differing.c.id)
    of_scratch = and_(n.kind == differing.c.kind, n.id == differing.c.id)
    of_entry = and_(e.integration == run.integration, e.id == d.entry_id)
    source = (
        differing.outerjoin(ledger_documents, of_books)
        .outerjoin(_documents, of_scratch)
        .outerjoin(ledger_entries, of_entry)
    )
    why = case(*((condition, literal(words)) for words, condition in _reasons(run, differing, is_due=is_due)))
    query = select(differing.c.kind, differing.c.id, why.label("why")).select_from(source).where(why.is_not(None))
    _keep(connection, _allowed, query)
    work.analyze(connection, _allowed)


def _differing(connection: Connection, run: Run) -> Subquery:
    """Documents that come to something else on some account; ``elsewhere`` on one that no settlement changes."""
    stands = _by_account(run).subquery("stands")
    both = union_all(
        select(stands.c.kind, stands.c.id, stands.c.account, stands.c.amount),
        select(_amounts.c.kind, _amounts.c.id, _amounts.c.account, -_amounts.c.amount),
    ).subquery("both")
    key = (both.c.kind, both.c.id, both.c.account)
    off = select(*key).group_by(*key).having(MoneySum(both.c.amount) != literal_column("0")).subquery("off")
    settled = [account for setting in _MOVED_BY_RATES for account in accounts_of(connection, run, setting)]
    elsewhere = func.count(case((off.c.account.not_in(settled), 1))).label("elsewhere")
    return select(off.c.kind, off.c.id, elsewhere).group_by(off.c.kind, off.c.id).subquery("differing")


def _reasons(run: Run, differing: Subquery, *, is_due: bool) -> Iterator[tuple[str, ColumnElement[bool]]]:
    d, n = ledger_documents.c, _documents.c
    stands, would_stand = d.state == "imported", n.state == "imported"
    yield "have changes that wait", d.payload_digest != n.version
    if is_due:
        yield "come in with the next posting", and_(func.coalesce(d.state, "") != "imported", would_stand)
    if run.cutoff is not None:
        yield "came in under another cutoff", and_(d.document_date < run.cutoff, d.entries > 0)
    yield "stand, and would be held now", and_(stands, n.state == "held")
    yield "stand, and would be made only later now", and_(stands, n.reason == "NOT_PROCESSED")
    yield "are held because of what was posted before", and_(d.state == "held", would_stand, _is_held_by_order())
    both = and_(stands, would_stand)
    yield "were posted under an older policy", and_(both, _has_older_policy())
    foreign = and_(both, d.currency != run.policy.home_currency)
    yield "were booked at another rate", and_(foreign, d.home_amount != n.home_amount)
    # The order in which they were posted decides about cents, and what else is listed here about more.
    yield "have other exchange gains or losses", and_(foreign, differing.c.elsewhere == 0)
    yield "use what was mapped or coded otherwise before", and_(both, _uses_changed(run, differing))


def _is_held_by_order() -> ColumnElement[bool]:
    d, e = ledger_documents.c, integration_errors.c
    about = (e.integration == d.integration, e.entity == d.kind, e.record_id == d.id)
    return exists().where(*about, e.status == "open", e.code.in_(_DEPENDS_ON_ORDER))


def _has_older_policy() -> ColumnElement[bool]:
    """A setting that had a value when the standing entry was made has another one now."""
    p, e = posting_policies.c, ledger_entries.c
    changed = (p.setting.in_(_BEARS_ON_ENTRIES), p.previous.is_not(None), p.previous.is_distinct_from(p.value))
    return exists().where(p.integration == e.integration, p.version > e.policy_version, *changed)


def _uses_changed(run: Run, differing: Subquery) -> ColumnElement[bool]:
    """What decides about the accounts of the document has changed since the standing entry was made."""
    e, m, line, d = ledger_entries.c, mappings.c, work.lines.c, work.documents.c
    accounts, items, cards = (run.mirror.table(name).c for name in ("accounts", "items", "funding_accounts"))
    mapped_since = (m.integration == run.integration, m.decided_at >= e.posted_at)
    of_line = (line.kind == differing.c.kind, line.id == differing.c.id)
    of_document = (d.kind == differing.c.kind, d.id == differing.c.id)
    moneys = or_(
        and_(m.kind == d.money_kind, m.bill_id == d.money_id), and_(m.kind == d.other_kind, m.bill_id == d.other_id)
    )
    by_item = (line.own_account.is_(None), items.integration == run.integration, items.id == line.item)
    by_card = (cards.integration == run.integration, cards.id == d.money_id, cards.kind.in_(_CARDS))
    # What was merged goes by the mapping of the account that is left.
    merged = (
        accounts.integration == run.integration,
        accounts.id == line.account,
        accounts.merged_into_id.is_not(None),
    )
    return or_(
        exists().where(*of_line, m.kind == "accounts", m.bill_id == line.account, *mapped_since),
        exists().where(*of_document, moneys, *mapped_since),
        exists().where(*of_line, *by_item, items.synced_at >= e.posted_at),
        exists().where(*of_document, *by_card, cards.synced_at >= e.posted_at),
        exists().where(*of_line, *merged),
    )


FROM_SCRATCH: Final = Identity(
    9,
    "books_from_scratch",
    "Books from scratch",
    "Books that are posted from scratch, from the same documents, policy and mappings, have the same balances, but for "
    "documents with changes that wait, and those that came in under another cutoff, policy, mapping or order.",
    "in the books",
    "from scratch",
    look,
    is_costly=True,
)
