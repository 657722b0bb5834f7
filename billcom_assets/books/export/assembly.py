"""Puts the journal of a period together from the tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from typing import Final

from sqlalchemy import Connection

from billcom_assets.books.export.account_names import ROOTS, SEPARATOR, AccountNames
from billcom_assets.books.export.amounts import ZERO, Units, number, units
from billcom_assets.books.export.asserted import as_expected, with_those_below
from billcom_assets.books.export.balances import Place, balances, place
from billcom_assets.books.export.journal import DAY, Assertion, Journal, OpenAccount, Posting, Transaction
from billcom_assets.books.export.names import NamedAccount, Names, control_entity, names, party_entity
from billcom_assets.books.export.parties import PartyAccount, party_accounts
from billcom_assets.books.export.rows import JournalEntry, JournalLine, Period, accounts_in_use, has_entries_after
from billcom_assets.books.identities.control_balances import PartyBalance
from billcom_assets.warehouse.books_tables import DIMENSIONS
from billcom_assets.warehouse.home_currency import home_currency
from billcom_assets.warehouse.known_integrations import company_name

_EPOCH: Final = date(1970, 1, 1)
Expected = Callable[[], Iterable[PartyBalance]]
"""What vendors and customers must stand at in the books as they are now; one that is left out at zero."""


def journal(
    connection: Connection, integration: str, period: Period, read: Iterable[JournalEntry], expected: Expected
) -> Journal:
    """The books of a period.

    Each vendor and customer has an account of its own below the control account, so that what it stands at can be
    asserted; the control account stays what they add up to.

    Args:
        connection: Must see the same books until the last transaction was read.
        integration: Key of the integration.
        period: Posting dates.
        read: The period's entries.
        expected: Asked unless the books have entries after the period.

    Raises:
        UnknownIntegration: there is no such integration.
    """
    books = _Books(connection, integration, period, expected)
    opening = books.opening()
    first = opening.day if opening else books.balances.first or period.first or _EPOCH
    return Journal(
        title=books.company,
        home=books.home,
        first=first,
        remarks=[*books.remarks()],
        currencies=books.currencies(),
        accounts=books.accounts(),
        opening=opening,
        transactions=(books.transaction(entry) for entry in read),
        last=books.balances.last or first,
        assertions=[*books.assertions()],
    )


class _Books:
    """What is known of the books before their entries are read."""

    def __init__(self, connection: Connection, integration: str, period: Period, expected_now: Expected) -> None:
        self.home = home_currency(connection, integration)
        self.company = company_name(connection, integration)
        self.period = period
        self.is_complete = period.last is None or not has_entries_after(connection, integration, period.last)
        expected = [*expected_now()] if self.is_complete else None
        self.names = names(connection, integration)
        self.parties = _with_unposted(party_accounts(connection, integration), expected or (), self.names)
        used = {*accounts_in_use(connection, integration), *(one.ledger_account_id for one in self.parties)}
        self.account_names = AccountNames(self.names, used, self.parties)
        self.balances = balances(connection, integration, self.home, period)
        self.closing = self.balances.closing()
        self.expected = self.closing if expected is None else as_expected(self.closing, self.balances.booked, expected)

    def currencies(self) -> list[str]:
        """Every currency that anything is stated in."""
        return sorted({self.home, *(currency for _, currency in (*self.balances.booked, *self.expected))})

    def remarks(self) -> Iterator[str]:
        """What a reader of the file should know."""
        since = "" if self.period.first is None else f" from {self.period.first}"
        until = "" if self.period.last is None else f" to {self.period.last}"
        yield f"{self.company}: the books made of its documents in BILL{since}{until}, in {self.home}."
        yield "Every vendor and customer has an account below accounts payable or receivable."
        if self.balances.opening:
            yield "The first transaction brings forward what was posted before, so that the balances below hold."
        if self.is_complete:
            yield "Vendors and customers are asserted at BILL's open amounts as far as they are in the books."
        else:
            yield "Vendors and customers are asserted at their entries: later ones exist, and BILL states only today."

    def accounts(self) -> list[OpenAccount]:
        """The accounts in use, those with lines, and the parties with lines or balances."""
        posted = {where.ledger_account_id for where, _ in self.expected}
        of_ledger = [one for one in self.names.accounts.values() if one.active or one.id in posted]
        of_ledger += [self.names.account(id_) for id_ in sorted(posted - self.names.accounts.keys())]
        shown = {where for where, _ in self.expected}
        of_parties = [one for one in self.parties if Place(one.ledger_account_id, one.party) in shown]
        found = [*map(self._account, of_ledger), *map(self._party_account, of_parties)]
        return sorted(found, key=lambda one: (ROOTS.index(one.name.split(SEPARATOR, 1)[0]), one.name))

    def _account(self, account: NamedAccount) -> OpenAccount:
        metadata = {
            "ledger_account_id": account.id,
            "account_number": account.number,
            "account_name": account.full_name,
            "account_type": account.type,
        }
        return OpenAccount(self.account_names.of(account.id), account.type, metadata)

    def _party_account(self, one: PartyAccount) -> OpenAccount:
        control = self.names.account(one.ledger_account_id)
        metadata = {
            "ledger_account_id": control.id,
            "account_type": control.type,
            "party": one.party,
            "party_name": self.names.bill_party(one.entity, one.party),
            "ledger_party": one.ledger_party or "",
        }
        return OpenAccount(self.account_names.of(control.id, one.party), control.type, metadata)

    def opening(self) -> Transaction | None:
        """What was posted before the period, or None for nothing."""
        if self.period.first is None or not self.balances.opening:
            return None
        postings = [Posting(self.account_names.of(*where), one, {}) for where, one in self.balances.opening_units()]
        return Transaction(self.period.first - DAY, "", "", "Opening balances", postings, {"type": "opening"})

    def transaction(self, entry: JournalEntry) -> Transaction:
        """An entry."""
        entity = party_entity(entry.kind)
        party, ledger_party = next(((one.party, one.ledger_party) for one in entry.lines if one.party), (None, None))
        metadata = {
            "entry_id": entry.id,
            "kind": entry.kind,
            "document_id": entry.document_id,
            "document_number": entry.document_number or "",
            "document_date": entry.document_date.isoformat(),
            "type": entry.type,
            "reversed_entry_id": entry.reversed_entry_id or "",
            "party": party or "",
            "ledger_party": ledger_party or "",
        }
        settled = [one.settles for one in entry.lines if one.settles]
        return Transaction(
            day=entry.posting_date,
            code=entry.id,
            payee=self.names.party(entity, party, ledger_party),
            text=entry.memo,
            postings=[posting for line in entry.lines for posting in self._postings(line)],
            metadata=metadata,
            links=tuple(dict.fromkeys((entry.document_id, *settled))),
            is_reversal=entry.type == "reversal",
        )

    def _postings(self, line: JournalLine) -> Iterator[Posting]:
        where = place(line.role, line.ledger_account_id, line.party)
        has_no_amount = line.currency != self.home and not line.amount
        metadata = {
            "role": line.role if line.role == "exchange" else "",
            "amount": f"{number(line.amount, line.currency)} {line.currency}" if has_no_amount else "",
            "settles": line.settles or "",
            "item": self.names.item(line.item),
            **{
                column: self.names.dimension(column, id_)
                for column, id_ in zip(DIMENSIONS, line.dimensions, strict=True)
                if id_
            },
        }
        for one in units(line.currency, line.amount, line.value, self.home):
            yield Posting(self.account_names.of(*where), one, metadata)

    def assertions(self) -> Iterator[Assertion]:
        """What every account must stand at; accounts without lines at zero."""
        opened = [one.name for one in self.accounts()]
        of_accounts = with_those_below(
            opened,
            {(self.account_names.of(*where), currency): sums for (where, currency), sums in self.closing.items()},
        )
        of_parties = {
            (self.account_names.of(*where), currency): sums
            for (where, currency), sums in self.expected.items()
            if where.party is not None
        }
        found = sorted((of_accounts | of_parties).items())
        by_account: defaultdict[str, list[Units]] = defaultdict(list)
        for (name, currency), sums in found:
            by_account[name].append(Units(currency, sums.quantity, None if currency == self.home else sums.value))
        for name in opened:
            for one in by_account.get(name) or [Units(self.home, ZERO)]:
                yield Assertion(name, one)


def _with_unposted(
    parties: Sequence[PartyAccount], expected: Iterable[PartyBalance], names_: Names
) -> list[PartyAccount]:
    """The parties, and those that are expected to stand at something without being on any line."""
    known = {(one.ledger_account_id, one.party) for one in parties}
    missing = {
        PartyAccount(one.ledger_account_id, control_entity(names_.account(one.ledger_account_id).type), one.party, None)
        for one in expected
        if one.balance and (one.ledger_account_id, one.party) not in known
    }
    return [*parties, *sorted(missing)]
