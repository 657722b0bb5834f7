"""Proposing the ledger counterparts of BILL objects by all that is known of both; no database.

A match is certain when two independent facts agree, none contradicts and nothing else on either side fits as well.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from billcom_assets.mapping.candidates import Candidate
from billcom_assets.mapping.facts import Comparison, Fact
from billcom_assets.mapping.likeness import Likeness, Rarity, likeness

LIKELY_FROM = 80
"""Least score, of 100, of a proposal."""
SHOWN = 3
"""Most proposals for one BILL object."""

_SAME_NAME = 92
_ALIKE = 0.5
_CERTAIN = 100
_BEST_OF_LIKELY = 99
_MOST_SHARED = 10
_EQUALLY = 2
"""Points within which two proposals fit equally."""
_RIVAL = 8
"""Points within which another proposal keeps the best from being certain."""


class Certainty(StrEnum):
    """How sure a proposal is."""

    EXACT = "exact"
    """Certain."""
    LIKELY = "likely"
    AMBIGUOUS = "ambiguous"
    """Another ledger object, or another BILL object, fits equally."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How one kind of object is matched."""

    comparisons: tuple[Comparison, ...]
    keys: tuple[str, ...]
    """Attributes of candidates by which pairs are found whose names are unlike: those of the same value are compared.
    """
    certain_from: float = 1.0
    """Least likeness of names, of 1, of a certain match."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A ledger object that a BILL object may stand for."""

    ledger_id: str
    score: int
    """0 to 100: how well it fits."""
    supporting: tuple[str, ...]
    """The facts for it, in words."""
    contradicting: tuple[str, ...]
    """The facts against it, in words."""

    @property
    def reason(self) -> str:
        """All facts in one line."""
        return ", but ".join(filter(None, ("; ".join(self.supporting), "; ".join(self.contradicting))))


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What is proposed for one BILL object."""

    bill_id: str
    certainty: Certainty
    proposals: tuple[Proposal, ...]
    """One to three, the best first; of an ambiguous one the first two at least fit equally."""

    @property
    def best(self) -> Proposal:
        """The first of them."""
        return self.proposals[0]


@dataclass(frozen=True, slots=True)
class _Pair:
    bill: Candidate
    ledger: Candidate
    names: Likeness
    facts: tuple[Fact, ...]
    fit: int
    """The score, without its upper bound: what knows more of two that are both sure fits better."""
    is_sure: bool
    """Enough agrees and nothing contradicts; whether anything else fits, too, is another question."""


@dataclass(slots=True)
class _Found:
    """What was found for one BILL object."""

    pairs: list[_Pair] = field(default_factory=list)
    """Good enough to be proposed, the best first."""
    identified: dict[str, str] = field(default_factory=dict)
    """What identifies it with a ledger object, in words, by that object's id; however unlike the names are."""

    def add(self, pair: _Pair) -> None:
        if pair.fit >= LIKELY_FROM:
            self.pairs.append(pair)
        for fact in pair.facts:
            if fact.identifies:
                self.identified[pair.ledger.id] = f'"{pair.ledger.label}" has the {fact.text}'


@dataclass(frozen=True, slots=True)
class _Claim:
    """What another BILL object has to do with a pair's ledger object."""

    text: str
    is_mapped: bool = False
    is_equal: bool = False
    """Neither fits better than the other."""


def match(
    rules: Rules, bill: Sequence[Candidate], ledger: Sequence[Candidate], mapped: Mapping[str, str]
) -> list[Suggestion]:
    """Suggestions for the BILL objects that are not mapped.

    Args:
        rules: The kind's rules.
        bill: All live BILL objects of the kind, mapped ones too.
        ledger: All active ledger objects of the kind.
        mapped: BILL ids that need no suggestion, with their ledger id (empty for one left unmapped by hand).

    Returns:
        At most one suggestion for each BILL object.
    """
    undecided = [one for one in bill if one.id not in mapped]
    if not undecided or not ledger:
        return []
    found = _pairs(rules, undecided, ledger)
    names = {one.id: one.label for one in bill}
    owners = {ledger_id: bill_id for bill_id, ledger_id in mapped.items() if ledger_id}
    claims = _claims(found)
    suggestions = []
    for bill_id, one in found.items():
        if one.pairs:
            others = {pair.ledger.id: _claim(pair, claims, owners, names) for pair in one.pairs}
            suggestions.append(_suggestion(bill_id, one, others))
    return suggestions


def _pairs(rules: Rules, bill: Sequence[Candidate], ledger: Sequence[Candidate]) -> dict[str, _Found]:
    """What was found, by BILL id."""
    weigh = Rarity(one.words for one in ledger)
    found: dict[str, _Found] = defaultdict(_Found)
    for i, j in sorted(_worth_a_look(rules, bill, ledger)):
        found[bill[i].id].add(_compared(rules, bill[i], ledger[j], weigh))
    for one in found.values():
        one.pairs.sort(key=lambda pair: (-pair.fit, pair.ledger.id))
    return found


def _worth_a_look(rules: Rules, bill: Sequence[Candidate], ledger: Sequence[Candidate]) -> set[tuple[int, int]]:
    from billcom_assets.mapping import lookup  # noqa: PLC0415 - imports numpy, for suggestions alone

    found = set(lookup.pairs([one.words for one in bill], [one.words for one in ledger]))
    for key in rules.keys:
        ours, theirs = _by_key(key, bill), _by_key(key, ledger)
        for value in ours.keys() & theirs.keys():
            # Groups so large mean nothing.
            if max(len(ours[value]), len(theirs[value])) <= _MOST_SHARED:
                found |= {(i, j) for i in ours[value] for j in theirs[value]}
    return {(i, j) for i, j in found if not _is_of_its_family(bill[i], ledger[j])}


def _by_key(key: str, candidates: Sequence[Candidate]) -> dict[object, list[int]]:
    groups: dict[object, list[int]] = defaultdict(list)
    for index, candidate in enumerate(candidates):
        value = getattr(candidate, key)
        for one in value if isinstance(value, frozenset) else (value,):
            if one is not None:
                groups[one].append(index)
    return groups


def _is_of_its_family(bill: Candidate, ledger: Candidate) -> bool:
    """One is the other's parent: nobody is mapped to his parent."""
    ours, theirs = (*bill.path, bill.words.core), (*ledger.path, ledger.words.core)
    return ours != theirs and (
        ours[: len(theirs)] == theirs
        or theirs[: len(ours)] == ours
        or bill.path[-1:] == theirs
        or ledger.path[-1:] == ours
    )


def _compared(rules: Rules, bill: Candidate, ledger: Candidate, weigh: Rarity) -> _Pair:
    names = likeness(bill.words, ledger.words, weigh)
    facts = tuple(fact for compare in rules.comparisons if (fact := compare(bill, ledger)) is not None)
    contradicted = any(fact.contradicts for fact in facts) or bool(names.difference)
    strong = sum(fact.is_strong for fact in facts) + names.is_same
    is_sure = strong > 1 and not contradicted and names.share >= rules.certain_from
    points = sum(fact.points for fact in facts if not fact.contradicts)
    against = sum(fact.points for fact in facts if fact.contradicts)
    fit = round(_SAME_NAME * names.share) + points
    if not names.difference:
        fit = max(fit, *(fact.at_least for fact in facts), 0)
    return _Pair(bill, ledger, names, facts, max(fit + against, 0), is_sure)


def _claims(found: Mapping[str, _Found]) -> dict[str, list[_Pair]]:
    """Pairs by ledger id."""
    claims: dict[str, list[_Pair]] = defaultdict(list)
    for one in found.values():
        for pair in one.pairs:
            claims[pair.ledger.id].append(pair)
    return claims


def _claim(
    pair: _Pair, claims: Mapping[str, Sequence[_Pair]], owners: Mapping[str, str], names: Mapping[str, str]
) -> _Claim | None:
    """The other BILL object that goes to the same ledger object or fits it as well."""
    if any(fact.is_shared for fact in pair.facts):
        return None
    owner = owners.get(pair.ledger.id, pair.bill.id)
    if owner != pair.bill.id:
        return _Claim(f'BILL\'s "{names.get(owner, "other object")}" is mapped to it', is_mapped=True)
    rivals = [one for one in claims[pair.ledger.id] if one.bill.id != pair.bill.id]
    rival = min(rivals, key=lambda one: (-one.fit, one.bill.label, one.bill.id), default=None)
    if rival is None or rival.fit < pair.fit - _RIVAL:
        return None
    how = "better" if rival.fit > pair.fit + _EQUALLY else "as well"
    return _Claim(f'BILL\'s "{rival.bill.label}" fits it {how}', is_equal=abs(rival.fit - pair.fit) <= _EQUALLY)


def _suggestion(bill_id: str, found: _Found, claims: Mapping[str, _Claim | None]) -> Suggestion:
    def rank(pair: _Pair) -> int:
        claim = claims[pair.ledger.id]
        # What another BILL object has already is wanted less.
        return pair.fit - _RIVAL if claim is not None and claim.is_mapped else pair.fit

    ranked = sorted(found.pairs, key=lambda pair: (-rank(pair), pair.ledger.id))[:SHOWN]
    best, rest = ranked[0], ranked[1:]
    near = [pair for pair in rest if rank(pair) >= rank(best) - _RIVAL]
    elsewhere = [text for ledger_id, text in sorted(found.identified.items()) if ledger_id != best.ledger.id]
    claim = claims[best.ledger.id]
    if any(rank(pair) >= rank(best) - _EQUALLY for pair in near) or (claim is not None and claim.is_equal):
        certainty = Certainty.AMBIGUOUS
    elif best.is_sure and not near and not elsewhere and claim is None:
        certainty = Certainty.EXACT
    else:
        certainty = Certainty.LIKELY
    proposals = []
    for pair in ranked:
        claim = claims[pair.ledger.id]
        others = [claim.text] if claim is not None else []
        if pair is best:
            others += [f'"{other.ledger.label}" fits as well' for other in near[:1]] or elsewhere[:1]
        proposals.append(_proposal(pair, others, certain=certainty is Certainty.EXACT and pair is best))
    return Suggestion(bill_id, certainty, tuple(proposals))


def _proposal(pair: _Pair, others: Sequence[str], *, certain: bool) -> Proposal:
    are_alike = pair.names.share >= _ALIKE and not pair.names.difference
    named = [pair.names.reason] if are_alike else []
    unlike = [] if are_alike else [pair.names.difference or "the names are unlike"]
    return Proposal(
        pair.ledger.id,
        _CERTAIN if certain else min(pair.fit, _BEST_OF_LIKELY),
        (*named, *(fact.text for fact in pair.facts if not fact.contradicts)),
        (*unlike, *(fact.text for fact in pair.facts if fact.contradicts), *others),
    )
