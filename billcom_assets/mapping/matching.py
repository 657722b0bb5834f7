"""Finding the ledger counterpart of each BILL object: certain ones by keys, likely ones by names; no database."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from billcom_assets.mapping.candidates import Candidate, differ

LIKELY_FROM = 82
"""Least score, of 100, of a likely match."""

_DOUBTED = 95
_SHARED = 90
_WORTH_A_FREE_ONE = 5
_MOST_SHARED = 10


class Method(StrEnum):
    """How a mapping came about."""

    MANUAL = "manual"
    EXACT = "exact"
    LIKELY = "likely"


Key = Callable[[Candidate], object | None]
Doubt = Callable[[Candidate, Candidate], str | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """Two objects with the same key belong together, when no other object on either side has that key."""

    reason: str
    bill: Key
    ledger: Key | None = None
    """Of the ledger object; None when it is the same."""
    is_certain: bool = True
    doubt: Doubt | None = None
    """Says what speaks against it, given the BILL object and the ledger object; None when nothing does."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How one kind of object is matched: rules from the strongest to the weakest, then names that are alike."""

    rules: tuple[Rule, ...]
    types_matter: bool = False
    """A different type makes a likeness of names weaker."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A proposed link."""

    bill_id: str
    ledger_id: str
    method: Method
    score: int | None
    """0 to 100 for likely ones; None for certain ones."""
    reason: str


@dataclass(frozen=True, slots=True)
class _Link:
    bill: Candidate
    ledger: Candidate
    strength: int
    """Position of its rule among the certain ones; lower is stronger."""
    reason: str


@dataclass(frozen=True, slots=True)
class _Guess:
    ledger: Candidate
    score: int
    reason: str
    evidence: str = ""
    """The key that two unique objects share, where something else speaks against it."""


def match(
    rules: Rules, bill: Sequence[Candidate], ledger: Sequence[Candidate], mapped: Mapping[str, str]
) -> list[Suggestion]:
    """Suggestions for the BILL objects that are not mapped.

    Args:
        rules: The kind's rules.
        bill: All live BILL objects of the kind, mapped ones too: a key is unique only among all of them.
        ledger: All active ledger objects of the kind.
        mapped: BILL ids that need no suggestion, with their ledger id (empty for one left unmapped by hand).

    Returns:
        At most one suggestion for each BILL object. A ledger object that is mapped or certain for one BILL object is
        suggested to another only as a likely one whose reason says so.
    """
    owners = {ledger_id: bill_id for bill_id, ledger_id in mapped.items() if ledger_id}
    links, guesses = _links(rules, bill, ledger, mapped.keys())
    certain = _without_rivals(links, owners, guesses)
    for link in certain.values():
        owners[link.ledger.id] = link.bill.id
    open_bill = [candidate for candidate in bill if candidate.id not in mapped and candidate.id not in certain]
    _add_similar(rules, open_bill, ledger, guesses)
    return [
        *(Suggestion(link.bill.id, link.ledger.id, Method.EXACT, None, link.reason) for link in certain.values()),
        *_likely(open_bill, guesses, owners),
    ]


Guesses = defaultdict[str, list[_Guess]]


def _links(
    rules: Rules, bill: Sequence[Candidate], ledger: Sequence[Candidate], decided: Collection[str]
) -> tuple[dict[str, list[_Link]], Guesses]:
    """Certain links by BILL id, strongest first, and what falls short of certainty."""
    links: dict[str, list[_Link]] = defaultdict(list)
    guesses: Guesses = defaultdict(list)
    for strength, rule in enumerate(rules.rules):
        for ours, theirs in _groups(rule, bill, ledger):
            is_evidence = rule.is_certain and len(ours) == len(theirs) == 1
            for candidate, counterpart in itertools.product(ours, theirs):
                doubt = _doubt(rule, candidate, counterpart, ours, theirs)
                if candidate.id in decided:
                    continue
                if is_evidence and doubt is None:
                    links[candidate.id].append(_Link(candidate, counterpart, strength, rule.reason))
                    continue
                guesses[candidate.id].append(
                    _Guess(
                        counterpart,
                        score=_DOUBTED if is_evidence else _SHARED,
                        reason=rule.reason if doubt is None else f"{rule.reason}, but {doubt}",
                        evidence=rule.reason if is_evidence else "",
                    )
                )
    return links, guesses


def _groups(
    rule: Rule, bill: Iterable[Candidate], ledger: Iterable[Candidate]
) -> Iterator[tuple[list[Candidate], list[Candidate]]]:
    """BILL objects and ledger objects that share a key; groups so large that they mean nothing are left out."""
    ours, theirs = _by_key(rule.bill, bill), _by_key(rule.ledger or rule.bill, ledger)
    for key, group in ours.items():
        if key in theirs and max(len(group), len(theirs[key])) <= _MOST_SHARED:
            yield group, theirs[key]


def _by_key(key: Key, candidates: Iterable[Candidate]) -> dict[object, list[Candidate]]:
    groups: dict[object, list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        value = key(candidate)
        if value is not None:
            groups[value].append(candidate)
    return groups


def _doubt(
    rule: Rule, bill: Candidate, ledger: Candidate, ours: Sequence[Candidate], theirs: Sequence[Candidate]
) -> str | None:
    if len(ours) > 1:
        return f"{len(ours)} BILL objects share it"
    if len(theirs) > 1:
        return f"{len(theirs)} ledger objects share it"
    return rule.doubt(bill, ledger) if rule.doubt else None


def _without_rivals(
    links: Mapping[str, Sequence[_Link]], owners: Mapping[str, str], guesses: Guesses
) -> dict[str, _Link]:
    """The links that nothing contradicts, by BILL id; the others become guesses that say what does."""
    agreed = []
    for bill_id, found in links.items():
        link = found[0]
        rival = _rival(link, found, guesses.get(bill_id, ()))
        if rival is None:
            agreed.append(link)
        else:
            guesses[bill_id].append(_Guess(link.ledger, _DOUBTED, f"{link.reason}, but {rival}"))
    kept: dict[str, _Link] = {}
    taken = dict(owners)
    for link in sorted(agreed, key=lambda link: (link.strength, link.bill.id)):
        if link.ledger.id in taken:
            guesses[link.bill.id].append(_Guess(link.ledger, _DOUBTED, link.reason))
        else:
            taken[link.ledger.id] = link.bill.id
            kept[link.bill.id] = link
    return kept


def _rival(link: _Link, found: Sequence[_Link], guesses: Iterable[_Guess]) -> str | None:
    """What points to another ledger object than ``link``, if anything does."""
    elsewhere = [
        *((other.reason, other.ledger) for other in found),
        *((guess.evidence, guess.ledger) for guess in guesses if guess.evidence),
    ]
    return next((f"{ledger.id} has the {reason}" for reason, ledger in elsewhere if ledger.id != link.ledger.id), None)


def _add_similar(rules: Rules, bill: Sequence[Candidate], ledger: Sequence[Candidate], guesses: Guesses) -> None:
    from billcom_assets.mapping.similarity import similar_names  # noqa: PLC0415 - imports numpy, for suggestions alone

    for likeness in similar_names(
        [candidate.words for candidate in bill], [candidate.words for candidate in ledger], at_least=LIKELY_FROM
    ):
        guess = _guess(rules, bill[likeness.left], ledger[likeness.right], likeness.score, likeness.reason)
        if guess.score >= LIKELY_FROM:
            guesses[bill[likeness.left].id].append(guess)


def _guess(rules: Rules, bill: Candidate, ledger: Candidate, score: int, reason: str) -> _Guess:
    # However alike, names say less than a key.
    score = min(score, _DOUBTED - 1)
    remarks = []
    if rules.types_matter and differ(bill.type, ledger.type):
        score -= 15
        remarks.append(f"the types differ ({bill.type}, {ledger.type})")
    if bill.words.legal_forms and ledger.words.legal_forms and not bill.words.legal_forms & ledger.words.legal_forms:
        score -= 3
        remarks.append("the legal forms differ")
    if differ(bill.tax_id, ledger.tax_id):
        score -= 10
        remarks.append("the tax ids differ")
    if bill.path.core == ledger.path.core and bill.full_name and ledger.full_name:
        remarks.append("the parents agree")
    return _Guess(ledger, score, "; ".join([reason, *remarks]))


def _likely(
    bill: Sequence[Candidate], guesses: Mapping[str, list[_Guess]], owners: Mapping[str, str]
) -> Iterator[Suggestion]:
    """The best guess for each; a ledger object goes to the one it fits best, to others only with a remark."""
    taken = dict(owners)
    ranked = {
        candidate.id: sorted(guesses[candidate.id], key=lambda guess: (-guess.score, guess.ledger.id))
        for candidate in bill
        if guesses.get(candidate.id)
    }
    for bill_id, found in sorted(ranked.items(), key=lambda item: (-item[1][0].score, item[0])):
        free = next((guess for guess in found if guess.ledger.id not in taken), None)
        best = found[0]
        if free is not None and free.score >= best.score - _WORTH_A_FREE_ONE:
            best = free
        owner = taken.setdefault(best.ledger.id, bill_id)
        if owner != bill_id:
            best = replace(best, reason=f"{best.reason}; BILL's {owner} goes onto the same ledger object")
        yield Suggestion(bill_id, best.ledger.id, Method.LIKELY, best.score, best.reason)
