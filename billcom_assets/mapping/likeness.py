"""How much two names are alike: rare words weigh more than common ones, and some words tell things apart."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz.distance import OSA

from billcom_assets.mapping.names import Name, alias_of, is_initialism
from billcom_assets.mapping.vocabulary import (
    BRANCHES,
    DISTINGUISHING,
    DOUBTFUL_FORMS,
    NUMBERS,
    SHORT_FOR,
    WEIGHTS,
)

SAME = "same name"

_PLURAL = 0.97
_SHORT_FOR = 0.96
_BEGINNING = 0.86
_INITIAL = 0.8
_ORDER = 0.98
_SPACES = 0.97
_ALIAS = 0.97
_INITIALISM = 0.91
_OTHER_NAME = 0.98
_NUMBER_ADDED = 0.95
_BOTH_DIFFER = 0.88
_NOT_THE_SAME = 0.5
_ONE_SAYS_MORE = 0.85
_SAYS_NOTHING = 0.12
_BEGINS = 0.88
_RARE_WORD = 0.85
_RUN_TOGETHER = 0.94
_LONG_NAME = 12
_VOWELS = frozenset("aeiou")
_ONE_WORD_OF_MANY = 0.8
_ONE_LETTER = 0.35
_DOUBTFUL_FORM = 0.2
_LEAST_RARITY = 0.4
_SHORTEST_BEGINNING = 3
_FEWEST_NAMES = 50


@dataclass(frozen=True, slots=True)
class Likeness:
    """How much two names are alike."""

    share: float
    """0 to 1."""
    reason: str
    """What is alike, in words."""
    difference: str = ""
    """What tells the two apart, in words; empty when nothing does."""

    @property
    def is_same(self) -> bool:
        """The two are one name, but for case, punctuation, short spellings and legal form."""
        return self.reason == SAME


class Rarity:
    """How much each word says of who somebody is, from 0 to 1, among the names of one list."""

    def __init__(self, names: Iterable[Name]) -> None:
        names = list(names)
        self._counts = Counter(word for name in names for word in name.words)
        self._scale = math.log(max(len(names), _FEWEST_NAMES))
        self._known: dict[str, float] = {}

    def __call__(self, word: str) -> float:
        """The weight of a word."""
        if word not in self._known:
            self._known[word] = self._weight(word)
        return self._known[word]

    def _weight(self, word: str) -> float:
        if word in DISTINGUISHING:
            return 1.0
        if len(word) == 1 and not word.isdigit():
            return _ONE_LETTER
        if word in DOUBTFUL_FORMS:
            return _DOUBTFUL_FORM
        shared = max(_LEAST_RARITY, 1 - math.log(self._counts[word] or 1) / self._scale)
        return WEIGHTS.get(word, 1.0) * shared


def likeness(one: Name, other: Name, weigh: Rarity) -> Likeness:
    """How much two names are alike, by the best pair of all the names that either states."""
    if not one.core or not other.core:
        return Likeness(0, "")
    best = _compared(one.core, other.core, weigh)
    if not best.is_same and one.full == other.full:
        best = Likeness(1, SAME)
    for ours in one.cores:
        for theirs in other.cores:
            if (ours, theirs) != (one.core, other.core):
                found = _compared(ours, theirs, weigh)
                if found.share * _OTHER_NAME > best.share:
                    best = Likeness(found.share * _OTHER_NAME, "one names the other as its other name")
    return best


def _compared(one: str, other: str, weigh: Rarity) -> Likeness:
    if one == other:
        return Likeness(1, SAME)
    ours, theirs = tuple(one.split()), tuple(other.split())
    best = _by_words(ours, theirs, weigh)
    for applies, share, reason in _WHOLE:
        if share > best.share and applies(ours, theirs):
            best = Likeness(share, reason)
    return best


def _is_reordered(ours: Sequence[str], theirs: Sequence[str]) -> bool:
    return sorted(ours) == sorted(theirs)


def _is_spaced_otherwise(ours: Sequence[str], theirs: Sequence[str]) -> bool:
    return "".join(ours) == "".join(theirs)


def _is_alias(ours: Sequence[str], theirs: Sequence[str]) -> bool:
    alias = alias_of(" ".join(ours))
    return alias is not None and alias == alias_of(" ".join(theirs))


def _are_initials(ours: Sequence[str], theirs: Sequence[str]) -> bool:
    return is_initialism(" ".join(ours), theirs) or is_initialism(" ".join(theirs), ours)


def _is_run_together(ours: Sequence[str], theirs: Sequence[str]) -> bool:
    """Long names that differ in a letter once their spaces are gone: "Mapleleaf Mover", "Maple Leaf Movers"."""
    one, other = "".join(ours), "".join(theirs)
    is_long = min(len(one), len(other)) > _LONG_NAME and not any(map(str.isdigit, one + other))
    is_near = is_long and one[0] == other[0] and len(ours) != len(theirs)
    return is_near and OSA.distance(one, other, score_cutoff=1) <= 1


_WHOLE: tuple[tuple[Callable[[Sequence[str], Sequence[str]], bool], float, str], ...] = (
    (_is_reordered, _ORDER, "same words in another order"),
    (_is_spaced_otherwise, _SPACES, "same name but for spaces"),
    (_is_alias, _ALIAS, "well known under both names"),
    (_is_run_together, _RUN_TOGETHER, "names alike but for spaces and spelling"),
    (_are_initials, _INITIALISM, "one is the initials of the other"),
)
"""What makes whole names alike, and how much."""


def _by_words(ours: Sequence[str], theirs: Sequence[str], weigh: Rarity) -> Likeness:
    pairs, left, right = _paired(ours, theirs)
    matched = sum((weigh(one) + weigh(other)) * alike for one, other, alike in pairs)
    total = sum(map(weigh, ours)) + sum(map(weigh, theirs))
    share = matched / total if total else 0.0
    numbers = [_numbers(left), _numbers(right)]
    telling = [[word for word in words if word in DISTINGUISHING] for words in (left, right)]
    if all(numbers):
        return Likeness(min(share, _NOT_THE_SAME), "alike", f"their numbers differ ({_listed(*numbers)})")
    if any(telling):
        words = " / ".join(" ".join(words) for words in telling if words)
        return Likeness(
            min(share, _ONE_SAYS_MORE if not all(telling) else _NOT_THE_SAME), "alike", f'"{words}" tells them apart'
        )
    rest = [word for word in (*left, *right) if not _is_number(word)]
    if any(numbers) and pairs and all(alike >= _SHORT_FOR for *_, alike in pairs) and BRANCHES.issuperset(rest):
        return Likeness(_NUMBER_ADDED, "same name but for a number that one of them has")
    says = [sum(map(weigh, words)) > _SAYS_NOTHING for words in (left, right)]
    if all(says):
        # Words on both sides that fit nothing: "Sunrise Equipment Rental", "River Equipment Rental".
        share *= _BOTH_DIFFER
    elif any(says) and min(len(ours), len(theirs)) == 1 and any(weigh(word) > _ONE_LETTER for word in rest):
        # "Delta" is part of too many names.
        share = min(share, _ONE_WORD_OF_MANY)
    elif any(says) and _begins(ours, theirs, weigh):
        share = max(share, _BEGINS)
    return Likeness(share, _reason(left, right))


def _begins(ours: Sequence[str], theirs: Sequence[str], weigh: Rarity) -> bool:
    """One name is the beginning of the other, and not of many others."""
    short, long = sorted((ours, theirs), key=len)
    return len(short) > 1 and tuple(long[: len(short)]) == tuple(short) and max(map(weigh, short)) > _RARE_WORD


def _reason(left: Sequence[str], right: Sequence[str]) -> str:
    if not left and not right:
        return "names alike but for spelling"
    if left and right:
        return "names alike"
    return "one name contains the other"


def _numbers(words: Iterable[str]) -> list[str]:
    return [word for word in words if _is_number(word)]


def _is_number(word: str) -> bool:
    return word in NUMBERS or any(map(str.isdigit, word))


def _listed(one: Sequence[str], other: Sequence[str]) -> str:
    return f"{' '.join(one)}, {' '.join(other)}"


def _paired(ours: Sequence[str], theirs: Sequence[str]) -> tuple[list[tuple[str, str, float]], list[str], list[str]]:
    """Words that fit one another, the best pairs first, and the words of either side that are left."""
    left, right = list(ours), list(theirs)
    pairs = []
    for word in ours:
        if word in right:
            left.remove(word)
            right.remove(word)
            pairs.append((word, word, 1.0))
    options = sorted(
        (
            (alike(one, other), i, j)
            for i, one in enumerate(left)
            for j, other in enumerate(right)
            if one[0] == other[0] or one in SHORT_FOR or other in SHORT_FOR or one in NUMBERS or other in NUMBERS
        ),
        reverse=True,
    )
    used: tuple[set[int], set[int]] = set(), set()
    for share, i, j in options:
        if share and i not in used[0] and j not in used[1]:
            used[0].add(i)
            used[1].add(j)
            pairs.append((left[i], right[j], share))
    return (
        pairs,
        [word for i, word in enumerate(left) if i not in used[0]],
        [word for i, word in enumerate(right) if i not in used[1]],
    )


@lru_cache(maxsize=200_000)
def alike(one: str, other: str) -> float:
    """How much two words are alike: short spellings, plurals, first letters and slips of typing; 0 for not at all."""
    if one == other or NUMBERS.get(one, one) == NUMBERS.get(other, other):
        return 1.0
    short, long = sorted((one, other), key=len)
    if any(_is_number(word) or word in DISTINGUISHING for word in (one, other)):
        return 0.0
    return max((share for applies, share in _WAYS if applies(short, long)), default=0.0) or _slip(short, long)


def _may_stand_for(short: str, long: str) -> bool:
    meant = {_singular(word) for word in SHORT_FOR.get(short, ())}
    return _singular(long) in meant or not meant.isdisjoint(map(_singular, SHORT_FOR.get(long, ())))


def _is_plural(short: str, long: str) -> bool:
    return _singular(short) == _singular(long)


def _is_initial(short: str, long: str) -> bool:
    return len(short) == 1 and long[0] == short


def _is_beginning(short: str, long: str) -> bool:
    is_cut = len(short) >= _SHORTEST_BEGINNING and len(long) > len(short) + 1
    return is_cut and long.startswith(short) and short not in WEIGHTS


def _is_contraction(short: str, long: str) -> bool:
    """The consonants of a longer word, from its first letter on: "hdwe" of "hardware"."""
    if len(short) < _SHORTEST_BEGINNING or len(long) < len(short) + 2 or short[0] != long[0] or short in WEIGHTS:
        return False
    letters = iter(long)
    return not _VOWELS.intersection(short[1:-1]) and all(letter in letters for letter in short)


_WAYS = (
    (_may_stand_for, _SHORT_FOR),
    (_is_plural, _PLURAL),
    (_is_initial, _INITIAL),
    (_is_beginning, _BEGINNING),
    (_is_contraction, _BEGINNING),
)


def _singular(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        return f"{word[:-3]}y"
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _slip(short: str, long: str) -> float:
    """For words of which one may be the other mistyped; the shorter they are the fewer slips."""
    if short in WEIGHTS and long in WEIGHTS:
        return 0.0
    most = 2 if len(short) > 7 else 1
    distance = OSA.distance(short, long, score_cutoff=most)
    is_swap = distance == 1 and sorted(short) == sorted(long)
    # In a word of four letters another letter makes another word; a missing one rarely does.
    is_long_enough = len(short) > 4 or len(long) > len(short) >= 3
    if distance > most or not (is_swap or (short[0] == long[0] and is_long_enough)):
        return 0.0
    return 1 - distance / (len(long) + 1)
