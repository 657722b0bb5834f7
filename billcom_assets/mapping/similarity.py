"""Names that are alike, found among thousands of pairs by the million."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from rapidfuzz import fuzz, process

from billcom_assets.mapping.names import Name

_PAIRS_AT_ONCE = 2_000_000
_KEPT = 12
_RARE = 25
"""A word in more names than this says little about any of them."""
_SHORTEST_RARE_WORD = 4
_SAME_WORDS = "the names differ at most in order, legal form or punctuation"


@dataclass(frozen=True, slots=True)
class Likeness:
    """Two names that are alike, by their positions in the two lists."""

    left: int
    right: int
    score: int
    """0 to 100."""
    reason: str


def similar_names(left: Sequence[Name], right: Sequence[Name], *, at_least: int) -> Iterator[Likeness]:
    """The closest counterparts on the right for each name on the left, and names that contain one another.

    Names whose numbers differ ("Store 12", "Store 13") are never alike.
    """
    if not left or not right:
        return
    yield from _close(left, right, at_least)
    yield from _contained(left, right, at_least)


def _close(left: Sequence[Name], right: Sequence[Name], at_least: int) -> Iterator[Likeness]:
    numbers = [name.numbers for name in right]
    step = max(1, _PAIRS_AT_ONCE // len(right))
    for start in range(0, len(left), step):
        part = left[start : start + step]
        scores = _scores(part, right, at_least)
        for row, column in _best(scores):
            if part[row].core and _numbers_agree(part[row].numbers, numbers[column]):
                score = int(scores[row, column])
                yield Likeness(start + row, column, score, _SAME_WORDS if score == 100 else "the names are alike")


def _scores(left: Sequence[Name], right: Sequence[Name], at_least: int) -> npt.NDArray[np.uint8]:
    """Scores of all pairs, 0 below ``at_least``: the better one of the words as they stand and sorted."""

    def ratios(ours: list[str], theirs: list[str]) -> npt.NDArray[np.uint8]:
        return process.cdist(ours, theirs, scorer=fuzz.ratio, score_cutoff=at_least, dtype=np.uint8, workers=-1)

    # Sorted words compare in any order, but a slip in a first letter moves its word; so both are looked at.
    as_written = ratios([name.core for name in left], [name.core for name in right])
    in_order = ratios([name.sorted_core for name in left], [name.sorted_core for name in right])
    return np.maximum(as_written, in_order)


def _best(scores: npt.NDArray[np.uint8]) -> Iterator[tuple[int, int]]:
    """Row and column of the highest scores of each row that are not 0."""
    kept = min(_KEPT, scores.shape[1])
    columns = np.argpartition(scores, -kept, axis=1)[:, -kept:]
    rows = np.repeat(np.arange(len(scores)), kept)
    for row, column in zip(rows.tolist(), columns.ravel().tolist(), strict=True):
        if scores[row, column]:
            yield row, column


def _contained(left: Sequence[Name], right: Sequence[Name], at_least: int) -> Iterator[Likeness]:
    """Pairs of which one name holds all words of the other, found by a word that few names share."""
    positions: dict[str, list[int]] = defaultdict(list)
    words = [name.words for name in right]
    for position, theirs in enumerate(words):
        for word in theirs:
            positions[word].append(position)
    for index, name in enumerate(left):
        ours = name.words
        holders = (positions.get(word, []) for word in ours if len(word) >= _SHORTEST_RARE_WORD)
        for position in sorted({position for found in holders if len(found) <= _RARE for position in found}):
            score = _containment(ours, words[position])
            if score >= at_least and _numbers_agree(name.numbers, right[position].numbers):
                yield Likeness(index, position, score, "one name contains the other")


def _containment(ours: frozenset[str], theirs: frozenset[str]) -> int:
    shared = ours & theirs
    if ours == theirs or shared not in (ours, theirs):
        return 0
    return 88 if len(shared) > 1 else 83


def _numbers_agree(one: frozenset[str], other: frozenset[str]) -> bool:
    return not one or not other or one == other
