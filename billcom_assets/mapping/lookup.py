"""Which names may be alike, found among thousands of pairs by the million."""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
from rapidfuzz import fuzz, process

from billcom_assets.mapping.names import Name, alias_of, is_initialism
from billcom_assets.mapping.vocabulary import SHORT_FOR

_PAIRS_AT_ONCE = 2_000_000
_KEPT = 8
_RARE = 25
"""A word in more names than this says little about any of them."""
_SHORTEST_RARE_WORD = 3
_ALIKE_FROM = 70


def pairs(left: Sequence[Name], right: Sequence[Name]) -> Iterator[tuple[int, int]]:
    """Positions of names on the left and on the right that are worth a closer look; some come more than once."""
    if not left or not right:
        return
    yield from _close(left, right)
    yield from _sharing_a_word(left, right)
    yield from _known_otherwise(left, right)


def _close(left: Sequence[Name], right: Sequence[Name]) -> Iterator[tuple[int, int]]:
    """The names spelled most alike."""
    step = max(1, _PAIRS_AT_ONCE // len(right))
    for start in range(0, len(left), step):
        scores = _scores(left[start : start + step], right)
        kept = min(_KEPT, scores.shape[1])
        columns = np.argpartition(scores, -kept, axis=1)[:, -kept:]
        rows = np.repeat(np.arange(len(scores)), kept)
        for row, column in zip(rows.tolist(), columns.ravel().tolist(), strict=True):
            if scores[row, column]:
                yield start + row, column


def _scores(left: Sequence[Name], right: Sequence[Name]) -> npt.NDArray[np.uint8]:
    """Scores of all pairs: the better one of the words as they stand and sorted."""

    def ratios(ours: list[str], theirs: list[str]) -> npt.NDArray[np.uint8]:
        return process.cdist(ours, theirs, scorer=fuzz.ratio, score_cutoff=_ALIKE_FROM, dtype=np.uint8, workers=-1)

    # Sorted words compare in any order, but a slip in a first letter moves its word; so both are looked at.
    as_written = ratios([name.core for name in left], [name.core for name in right])
    in_order = ratios([name.sorted_core for name in left], [name.sorted_core for name in right])
    return np.maximum(as_written, in_order)


def _sharing_a_word(left: Sequence[Name], right: Sequence[Name]) -> Iterator[tuple[int, int]]:
    """Names that share words which few have, in any of the names that they state; those that share most."""
    positions: dict[str, list[int]] = defaultdict(list)
    for position, name in enumerate(right):
        for word in _all_words(name):
            positions[word].append(position)
    for index, name in enumerate(left):
        shared: Counter[int] = Counter()
        for word in _all_words(name):
            holders = positions.get(word, ())
            if len(word) >= _SHORTEST_RARE_WORD and len(holders) <= _RARE:
                shared.update(holders)
        for position in heapq.nsmallest(_KEPT, shared, key=lambda one: (-shared[one], one)):
            yield index, position


def _all_words(name: Name) -> set[str]:
    words = {word for core in name.cores for word in core.split()}
    return words.union(*(SHORT_FOR.get(word, ()) for word in words))


def _known_otherwise(left: Sequence[Name], right: Sequence[Name]) -> Iterator[tuple[int, int]]:
    """Names that one of them is an alias or the initials of."""
    aliases: dict[int, list[int]] = defaultdict(list)
    initials: dict[str, list[int]] = defaultdict(list)
    for position, name in enumerate(right):
        for core in name.cores:
            if (alias := alias_of(core)) is not None:
                aliases[alias].append(position)
            for short in _initials(core):
                initials[short].append(position)
    for index, name in enumerate(left):
        for core in name.cores:
            if (alias := alias_of(core)) is not None:
                yield from ((index, position) for position in aliases.get(alias, ()))
            for short in _initials(core):
                yield from (
                    (index, position) for position in initials.get(short, ()) if _abbreviates(core, right[position])
                )


def _abbreviates(core: str, name: Name) -> bool:
    words = core.split()
    return any(is_initialism(core, one.split()) or is_initialism(one, words) for one in name.cores)


def _initials(core: str) -> set[str]:
    """A word of its own, or the first letters of many."""
    words = core.split()
    if len(words) == 1:
        return {core}
    lesser = [word for word in words if word not in {"and", "of", "the", "for", "a"}]
    return {"".join(word[0] for word in some) for some in (words, lesser)}
