"""What speaks for and against a BILL object and a ledger object being the same, one comparison for each thing known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from billcom_assets.ledger.account_types import family, in_words
from billcom_assets.mapping.candidates import Candidate
from billcom_assets.mapping.vocabulary import NOBODY, REGISTRIES, SHARED_DOMAINS


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that is known of both sides."""

    text: str
    """In words, without ids."""
    points: int
    """What it adds to the score; below zero it contradicts."""
    is_strong: bool = False
    """It alone is a reason to take the two for the same: two of these make a match certain."""
    at_least: int = 0
    """Score that it guarantees, whatever the names."""
    identifies: bool = False
    """No two objects of a list should share it: where it points to another object, nothing is certain."""
    is_shared: bool = False
    """It says where the BILL object is booked; others may be booked there as well, as a bank account and its card."""

    @property
    def contradicts(self) -> bool:
        """It speaks against."""
        return self.points < 0


Comparison = Callable[[Candidate, Candidate], Fact | None]
"""Given the BILL object and the ledger object; None where either side tells nothing."""


def tax_ids(bill: Candidate, ledger: Candidate) -> Fact | None:
    """Whole ones, or the last four digits where BILL masks the others."""
    if not bill.tax_id_end or not ledger.tax_id_end:
        return None
    if bill.tax_id_end != ledger.tax_id_end or (bill.tax_id and ledger.tax_id and bill.tax_id != ledger.tax_id):
        return Fact("the tax ids differ", -25)
    if bill.tax_id and ledger.tax_id:
        return Fact("same tax id", 8, is_strong=True, at_least=84, identifies=True)
    return Fact("same last four digits of the tax id", 6, is_strong=True)


def emails(bill: Candidate, ledger: Candidate) -> Fact | None:
    """Addresses; the domains where they are a company's own."""
    if not bill.email or not ledger.email:
        return None
    ours, theirs = _own_domain(bill.email), _own_domain(ledger.email)
    if bill.email == ledger.email:
        return Fact("same e-mail address", 5, is_strong=True) if _is_somebody(bill.email) else None
    if not ours or not theirs:
        return None
    if ours == theirs or _label(ours) == _label(theirs):
        return Fact(f"e-mail addresses of the same domain ({theirs})", 4, is_strong=True)
    is_near = _label(ours) in theirs or _label(theirs) in ours
    return Fact(f"e-mail addresses of different domains ({ours}, {theirs})", -4 if is_near else -14)


def _is_somebody(email: str) -> bool:
    return email.partition("@")[0] not in NOBODY


def _own_domain(email: str) -> str | None:
    """The registered domain; None for one that says nothing of who writes."""
    labels = email.rpartition("@")[2].split(".")
    size = 3 if ".".join(labels[-2:]) in REGISTRIES else 2
    domain = ".".join(labels[-size:])
    return None if domain in SHARED_DOMAINS or len(labels) < size else domain


def _label(domain: str) -> str:
    return domain.partition(".")[0]


def currencies(bill: Candidate, ledger: Candidate) -> Fact | None:
    """What either side trades in; a currency in a name is meant, whatever the field says."""
    ours, theirs = _currency(bill), _currency(ledger)
    if ours is None or theirs is None:
        return None
    if ours == theirs:
        return Fact(f"same currency ({ours})", 1)
    return Fact(f"the currencies differ ({ours}, {theirs})", -20)


def _currency(candidate: Candidate) -> str | None:
    stated = sorted(candidate.words.currencies)
    return stated[0].upper() if len(stated) == 1 else candidate.currency


def legal_forms(bill: Candidate, ledger: Candidate) -> Fact | None:
    """Told when both sides have one."""
    ours, theirs = bill.words.legal_forms, ledger.words.legal_forms
    if not ours or not theirs or ours & theirs:
        return None
    return Fact(f"the legal forms differ ({', '.join(sorted(ours))}; {', '.join(sorted(theirs))})", -13)


def numbers(bill: Candidate, ledger: Candidate) -> Fact | None:
    """Account numbers."""
    if not bill.number or not ledger.number:
        return None
    if bill.number == ledger.number:
        return Fact(f"same number ({ledger.number})", 6, is_strong=True, identifies=True)
    return Fact(f"the numbers differ ({bill.number}, {ledger.number})", -6)


def codes(bill: Candidate, ledger: Candidate) -> Fact | None:
    """Codes that BILL and the ledger need not share: only the same one says something."""
    if not bill.number or bill.number != ledger.number or bill.number == bill.words.core:
        return None
    return Fact(f"same code ({ledger.number})", 5, is_strong=True, identifies=True)


def types(bill: Candidate, ledger: Candidate) -> Fact | None:
    """Account types; what belongs on other lines of the statements contradicts more."""
    if not bill.type or not ledger.type:
        return Fact("the type is not stated on both sides", -1)
    shown = f"{in_words(bill.type)}, {in_words(ledger.type)}"
    if bill.type == ledger.type:
        return Fact(f"same type ({in_words(ledger.type)})", 2, is_strong=True)
    if family(bill.type) == family(ledger.type):
        return Fact(f"the types differ ({shown})", -5)
    return Fact(f"the types do not go together ({shown})", -60)


def parents(bill: Candidate, ledger: Candidate) -> Fact | None:
    """Where both sides have parents. BILL may withhold a parent, so that a missing one says nothing."""
    if not bill.path or not ledger.path:
        return None
    if bill.path == ledger.path:
        return Fact("same parents", 3)
    return Fact("they have different parents", -20)


def places(bill: Candidate, ledger: Candidate) -> Fact | None:
    """Where in its list an object stands: no list has a name twice in one place."""
    if bill.path == ledger.path:
        return Fact("same parents" if bill.path else "both at the top of the list", 2, is_strong=True)
    if bill.path and ledger.path:
        return Fact("they have different parents", -20)
    return None


def booked_accounts(bill: Candidate, ledger: Candidate) -> Fact | None:
    """The accounts of an item, by how BILL's are mapped."""
    if not bill.accounts or not ledger.accounts:
        return None
    if bill.accounts & ledger.accounts:
        return Fact("both are booked on the same account", 3, is_strong=True)
    return Fact("they are booked on different accounts", -4)


def own_account(bill: Candidate, ledger: Candidate) -> Fact | None:
    """The account that BILL itself books a funding account on, by how it is mapped."""
    if not bill.accounts:
        return None
    if ledger.id in bill.accounts:
        text = "its account in BILL is mapped there"
        return Fact(text, 8, is_strong=True, at_least=94, identifies=True, is_shared=True)
    return Fact("its account in BILL is mapped to another", -30)


def last_digits(bill: Candidate, ledger: Candidate) -> Fact | None:
    """Last four digits of a bank account or card that the ledger's name states."""
    if not bill.last_digits or not ledger.last_digits:
        return None
    if bill.last_digits == ledger.last_digits:
        return Fact("the ledger's name has the same last four digits", 6, is_strong=True, at_least=90, identifies=True)
    return Fact("the ledger's name has other last four digits", -30)


def out_of_use(bill: Candidate, ledger: Candidate) -> Fact | None:
    """A name that says so."""
    if bill.words.out_of_use or ledger.words.out_of_use:
        return Fact("a name says that it must no longer be used", -20)
    return None
