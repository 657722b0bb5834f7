"""Whatever happens to foreign documents, in any order and interrupted anywhere, the books are what they should be."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from itertools import count
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from billcom_assets.books.policy import posting_policy
from billcom_assets.books.posting import post
from billcom_assets.books.reposting import repost
from billcom_assets.warehouse.audit import Actor, How
from billcom_assets.warehouse.books_tables import ledger_entries, ledger_lines
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.integrations import InvalidSetting
from billcom_assets.warehouse.sums import MoneySum
from billcom_assets_tests.books.comparison import differences, follow
from billcom_assets_tests.books.hand_made import BILLS, CREDITS, HandMade, Part
from billcom_assets_tests.books.happenings import HAPPENINGS, Change, happen, settle_everything
from billcom_assets_tests.books.ledger import EXCHANGE, PAYABLE
from billcom_assets_tests.books.reference import Policy, ReferenceBooks, Snapshot, load_snapshot
from billcom_assets_tests.books.reference.snapshot import Bill, Document, VendorCredit
from billcom_assets_tests.sync.victim import each_step

_EXAMPLES = {"sqlite": 15, "postgresql": 4}
if os.environ.get("BILLCOM_WORLDS") == "night":
    _EXAMPLES = {"sqlite": 500, "postgresql": 150}
_COMES = ("a bill comes", "a credit comes", "a payment comes")
_ONLY_LATER = (
    *("mapped", "unmapped", "an account is not in use", "what is late is held"),
    *("a period is closed", "the cutoff moves", "time passes"),
)
"""What changes when documents post, but not what they are."""
_KEYS = count(1)


class Interrupted(Exception):
    """The posting ends here."""


@dataclass(frozen=True)
class Round:
    """What happens between two postings, and how the second goes."""

    changes: Sequence[Change]
    interrupted_at: int | None = None
    """Step of an attempt before it."""
    reposts: Mapping[str, str] | None = None
    """A person has everything posted anew, with these settings."""


@dataclass
class History:
    """A company whose books are followed step by step."""

    warehouse: Warehouse
    is_plain: bool
    company: HandMade = field(default_factory=lambda: HandMade(f"company-{next(_KEYS)}"))
    reference: ReferenceBooks = field(default_factory=ReferenceBooks)

    def go(self, rounds: Sequence[Round]) -> None:
        with self.warehouse.write() as connection:
            self.company.begin(connection)
        for one in rounds:
            with self.warehouse.write() as connection:
                for change in one.changes:
                    happen(self.company, connection, change, is_plain=self.is_plain)
            if one.interrupted_at is not None:
                self.interrupt(one.interrupted_at)
            self.post()
            if one.reposts is not None:
                self.repost(**one.reposts)

    def interrupt(self, last_step: int) -> None:
        """An attempt to post that ends before the step of this number leaves nothing."""
        steps: list[str] = []

        def end(step: str) -> None:
            steps.append(step)
            if len(steps) > last_step:
                raise Interrupted

        with suppress(Interrupted), each_step(self.warehouse, end):
            self._post()
            self.compare()
            return
        with self.warehouse.read() as connection:
            assert list(differences(connection, self.reference, self.company.key)) == []

    def post(self) -> None:
        """Posts, and asserts that the books are right and that closed months did not change."""
        before = self.closed_balances()
        self._post()
        self.compare()
        assert self.closed_balances() == before
        assert self._post()

    def _post(self) -> bool:
        now = self.company.now
        return post(self.warehouse, self.company.key, clock=lambda: now).is_quiet

    def repost(self, **changed: str) -> None:
        before, actor = self.closed_balances(), Actor.of_process(How.COMMAND)
        now, key = self.company.now, self.company.key
        try:
            repost(self.warehouse, key, settings=changed, is_confirmed=True, actor=actor, now=now)
        except InvalidSetting:
            # Some of what is posted could not be posted anew today; then nothing is.
            with self.warehouse.read() as connection:
                assert list(differences(connection, self.reference, key)) == []
            return
        self.compare(reposting=True)
        assert self.closed_balances() == before

    def compare(self, *, reposting: bool = False) -> None:
        today, cutoff, key = self.company.today, self.company.cutoff, self.company.key
        with self.warehouse.read() as connection:
            found = follow(connection, self.reference, today, cutoff, reposting=reposting, key=key)
        assert not found, "\n".join(found)

    def closed_balances(self) -> dict[str, Decimal]:
        """Balance per account of all that counts in the closed period."""
        e, line = ledger_entries.c, ledger_lines.c
        query = (
            select(line.ledger_account_id, MoneySum(line.debit - line.credit))
            .join(ledger_entries, (e.integration == line.integration) & (e.id == line.entry_id))
            .where(e.integration == self.company.key, e.posting_date <= (self.company.closed_through or date.min))
            .group_by(line.ledger_account_id)
        )
        with self.warehouse.read() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def settle(self) -> None:
        """Lets everything post that may, and follow mappings and policy."""
        with self.warehouse.write() as connection:
            settle_everything(self.company, connection)
        self.post()
        self.repost()
        out = {one.reason for one in self.reference.documents.values() if one.state != "imported"}
        assert out <= {"DRAFT", "ARCHIVED", "VOIDED", "DELETED"}

    def undisturbed(self) -> ReferenceBooks:
        """The books of one run over what there is in the end."""
        books, key = ReferenceBooks(), self.company.key
        with self.warehouse.read() as connection:
            stored = posting_policy(connection, key)
            policy = Policy(**{name: getattr(stored, name) for name in Policy.__dataclass_fields__})
            books.post(self._as_booked(load_snapshot(connection, key)), policy, None, self.company.today)
        return books

    def _as_booked(self, snapshot: Snapshot) -> Snapshot:
        """What bills and credits were booked at stays, whatever rate BILL shows later."""

        standing = self.reference.standing_entries()

        def as_booked(document: Document) -> Document:
            entry = standing.get((document.kind, document.id))
            if entry is None or not isinstance(document, Bill | VendorCredit):
                return document
            rates = [line.home / line.amount for line in entry.lines if line.role == "line" and line.amount]
            rate = entry.home_amount / entry.amount if entry.amount else rates[0]
            return replace(document, exchange_rate=rate, **({"funding_amount": None} if document.kind == BILLS else {}))

        return replace(snapshot, documents=tuple(map(as_booked, snapshot.documents)))


def balances(books: ReferenceBooks) -> tuple[dict[str, Decimal], dict[tuple[str, str], Decimal]]:
    """What stands on each account at home, and in each currency; accounts with nothing apart."""
    home: dict[str, Decimal] = defaultdict(Decimal)
    amounts: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for line in (line for entry in books.entries for line in entry.lines):
        home[line.account] += line.home
        amounts[line.account, line.currency] += line.amount
    return {of: sum_ for of, sum_ in home.items() if sum_}, {of: sum_ for of, sum_ in amounts.items() if sum_}


def rounds(
    names: Iterable[str], amounts: st.SearchStrategy[Decimal], reposts: Sequence[Mapping[str, str] | None] = (None,)
) -> Any:
    """Documents come, then things of these names happen."""

    def of(names: Iterable[str]) -> st.SearchStrategy[Change]:
        numbers = {"which": st.integers(0, 20), "other": st.integers(0, 41), "days": st.integers(0, 150)}
        return st.builds(Change, st.sampled_from(tuple(names)), amount=amounts, **numbers)

    interrupted = st.none() | st.integers(0, 150)
    reposted = st.none() | st.none() | st.sampled_from(reposts)
    first = st.builds(Round, st.lists(of(_COMES), min_size=5, max_size=16))
    later = st.builds(Round, st.lists(of(names), min_size=2, max_size=12), interrupted, reposted)
    return st.tuples(first, st.lists(later, min_size=1, max_size=4)).map(lambda found: [found[0], *found[1]])


_WHOLE = st.integers(1, 400).map(Decimal)
_CENTS = st.integers(101, 40_000).map(lambda cents: Decimal(cents) / 100)


def explore(dialect: str, strategy: Any, visit: Callable[[Any], None]) -> None:
    """Visits as many histories as the database is given time for."""
    health = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    examples = settings(max_examples=_EXAMPLES[dialect], suppress_health_check=health, report_multiple_bugs=False)
    given(strategy)(examples(visit))()


def test_the_books_are_right_after_any_history(dialect: str, warehouse: Warehouse) -> None:
    """In the end all balances are those of one run over what there is then, in currency and at home.

    But for one thing, which the rules leave to the order: what stands on accounts payable and what was gained or lost
    differ by what they share. A settlement takes its part of what is open when it is posted; it stays what it is when
    another one of the same bill is voided, changed, or gives more than is open; and credits used later make no entry.
    Bills and credits count at the rate at which they were booked.
    """

    def visit(rounds: Sequence[Round]) -> None:
        history = History(warehouse, is_plain=False)
        history.go(rounds)
        history.settle()
        (home, amounts), (expected_home, expected_amounts) = map(balances, (history.reference, history.undisturbed()))
        assert amounts == expected_amounts
        for found in (home, expected_home):
            found["shared"] = found.pop(PAYABLE, Decimal(0)) + found.pop(EXCHANGE, Decimal(0))
        assert home == expected_home

    reposts = ({}, {"payments": "clearing"}, {"payments": "direct"})
    explore(dialect, rounds((*HAPPENINGS, *_COMES), _CENTS, reposts), visit)


def test_documents_that_come_in_any_order_end_in_the_same_books(dialect: str, warehouse: Warehouse) -> None:
    """All balances are those of one run where nothing has to be rounded and no bill is settled with more than it is."""

    def visit(rounds: Sequence[Round]) -> None:
        history = History(warehouse, is_plain=True)
        history.go(rounds)
        history.settle()
        assert balances(history.reference) == balances(history.undisturbed())

    explore(dialect, rounds((*_COMES * 3, *_ONLY_LATER), _WHOLE), visit)


def test_what_has_no_entry_settles_nothing(warehouse: Warehouse) -> None:
    history = History(warehouse, is_plain=False)
    company = history.company
    with warehouse.write() as connection:
        company.begin(connection)
        happen(company, connection, Change("a bill comes"))
        happen(company, connection, Change("a credit comes", other=5, days=1))
        (bill,), (credit,) = company.of(BILLS), company.of(CREDITS)
        assert credit.amount == 0
        credit.parts = [Part(bill.id, Decimal(5))]
        company.store(connection, credit)
    history.post()
    history.post()
    assert [one.state for one in history.reference.documents.values()] == ["imported", "imported"]
    assert history.reference.applications() == []
