"""Object ids as BILL makes them: type prefix, two digits, ten capitals, five lower-case characters.

Deterministic for a seed, never repeated, and in no relation to creation order: a client that leans on
the order of ids, or folds their case, must not get away with it.
"""

from __future__ import annotations

from hashlib import blake2b
from string import ascii_lowercase, ascii_uppercase, digits
from zlib import crc32

_LETTERS = tuple(a + b for a in ascii_uppercase for b in ascii_uppercase)
_PAIRS = len(_LETTERS)
_TAIL_ALPHABET = digits + ascii_lowercase
_TAILS = tuple(a + b for a in _TAIL_ALPHABET for b in _TAIL_ALPHABET)
_LETTER_SPACE = 26**10
_TAIL_SPACE = 36**5
# Coprime to their spaces, so that counting up visits every id once in a scattered order.
_LETTER_STEP = 87_251_436_720_191
_TAIL_STEP = 37_378_741
_TWIN_EVERY = 25
NO_ID = "0" * 20
"""How v2 always, and v3 with ``AbsentIds.ZEROS``, writes the id of nothing."""


class IdSource:
    """Hands out ids for one organization.

    Args:
        seed: Fixes the whole sequence.
        case_twins: Every twenty-fifth id of a kind differs from the one before only in letter case.
    """

    def __init__(self, seed: str, *, case_twins: bool = False) -> None:
        self._seed = seed
        self._case_twins = case_twins
        self._counts: dict[str, int] = {}
        self._starts: dict[str, tuple[int, int]] = {}
        self._last: dict[str, str] = {}

    def new(self, prefix: str) -> str:
        """The next id of the kind with this three-character prefix."""
        count = self._counts[prefix] = self._counts.get(prefix, 0) + 1
        if self._case_twins and count % _TWIN_EVERY == 0:
            twin = self._last[prefix][:15] + self._last[prefix][15:].upper()
            if twin != self._last[prefix]:
                return twin
        fresh = self._spell(prefix, count)
        self._last[prefix] = fresh
        return fresh

    def mark(self) -> tuple[dict[str, int], dict[str, str]]:
        """What has been handed out so far, for ``go_back_to``."""
        return dict(self._counts), dict(self._last)

    def go_back_to(self, mark: tuple[dict[str, int], dict[str, str]]) -> None:
        """Hand out again what was handed out since the mark."""
        self._counts, self._last = mark

    def _spell(self, prefix: str, count: int) -> str:
        if prefix not in self._starts:
            mark = f"{self._seed}/{prefix}".encode()
            self._starts[prefix] = crc32(mark) * 30_011, crc32(mark[::-1])
        start, tail_start = self._starts[prefix]
        # Ten letters are five pairs, the lowest first; split once, so that what follows are small numbers.
        high, low = divmod((start + count * _LETTER_STEP) % _LETTER_SPACE, _PAIRS * _PAIRS)
        second, first = divmod(low, _PAIRS)
        high, third = divmod(high, _PAIRS)
        fifth, fourth = divmod(high, _PAIRS)
        letters = _LETTERS[first] + _LETTERS[second] + _LETTERS[third] + _LETTERS[fourth] + _LETTERS[fifth]
        tail = (tail_start + count * _TAIL_STEP) % _TAIL_SPACE
        tail, last = divmod(tail, 36)
        high, low = divmod(tail, 1296)
        return f"{prefix}02{letters}{_TAILS[high]}{_TAILS[low]}{_TAIL_ALPHABET[last]}"


def derived_id(prefix: str, *of: str) -> str:
    """The id of something that has no place of its own: always the same for what it is made ``of``."""
    number = int.from_bytes(blake2b("/".join(of).encode(), digest_size=12).digest())
    letters, tail = [], []
    for _ in range(10):
        number, letter = divmod(number, 26)
        letters.append(ascii_uppercase[letter])
    for _ in range(5):
        number, char = divmod(number, 36)
        tail.append(_TAIL_ALPHABET[char])
    return f"{prefix}02{''.join(letters)}{''.join(tail)}"
