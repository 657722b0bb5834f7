"""Takes secrets out of text that others wrote, such as BILL's messages, before it reaches an error or a log.

Masking comes before every other change of the text: a message that was shortened or cleaned first may end in half a
secret, which nothing recognizes any more.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

from billcom_assets.redaction.encodings import Form, TooManyForms, forms
from billcom_assets.redaction.masking import Span, masked
from billcom_assets.redaction.personal import personal_data

WITHHELD: Final = "(a message that is encoded too often to be shown safely)"
_READ: Final = 3_000
"""Characters of a text that are looked at; what follows is dropped."""
_UNSURE: Final = 1_000
"""So many characters before the end of what is read are masked: they may be the head of a secret cut off there."""
_SHORTEST: Final = 4
"""A shorter secret is only masked as a word of its own, or every message would be riddled with masks."""
_LONG: Final = 8
"""A secret of so many letters and digits is known by them alone, whatever stands between them."""

_NAMED_SECRET: Final = re.compile(
    r"""
    (?:session.?id | (?:dev(?:eloper)?|api|secret|private|access).?key | pass(?:word|wd|phrase) | pwd | client.?secret
      | (?:api|access|refresh|auth|sync|bearer).?token)
    (?:\s*=\s* | ["']\s*[:=]\s*)                      # name=value or "name": "value", not "name: explanation"
    (?: "(?P<quoted>[^"]+) | '(?P<apostrophes>[^']+) | (?P<plain>[^\s"',;&}]+) )
    | \b(?:Basic|Bearer)\s+(?P<header>[\w.~+/=-]{8,})
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""A credential that a message quotes with its name, for example of another session than ours."""


@dataclass(frozen=True)
class _Reading:
    """A form of a text, made comparable: without regard to case, accents, blanks and invisible characters."""

    form: Form
    original: str

    @cached_property
    def folded(self) -> str:
        return _folded(self.form.text)

    @cached_property
    def places(self) -> list[int]:
        """Where in the form each character of :attr:`folded` stands."""
        return [place for place, character in enumerate(self.form.text) for _ in _folded_character(character)]

    @cached_property
    def bare(self) -> str:
        """The letters and digits of :attr:`folded`."""
        return _bare(self.folded)

    @cached_property
    def bare_places(self) -> list[int]:
        return [place for place, character in zip(self.places, self.folded, strict=True) if character.isalnum()]

    def stands_alone(self, start: int, end: int) -> bool:
        """False for letters that only meet because blanks between words do not count."""
        if self.form.is_binary:
            return True
        start, end = self.form.original(start, end)
        has_blanks = any(character.isspace() for character in self.original[start:end])
        return not has_blanks or not (
            self.original[max(0, start - 1) : start].isalnum() or self.original[end : end + 1].isalnum()
        )


@dataclass(frozen=True)
class _Secret:
    """What to look for to find one secret."""

    text: str

    @cached_property
    def needles(self) -> frozenset[str]:
        # Encodings of octets are read as one character for each.
        return frozenset({_folded(self.text), _folded(self.text.encode("utf-8", "replace").decode("latin-1"))})

    def found_in(self, reading: _Reading) -> Iterator[Span]:
        """Stretches of the form that hold it."""
        for needle in self.needles:
            if len(needle) < _SHORTEST:
                yield from self._as_written(reading.form.text)
                continue
            if needle in reading.folded:
                for start, end in _occurrences(needle, reading.folded, reading.places):
                    if len(needle) >= _LONG or reading.stands_alone(start, end):
                        yield start, end
            bare = _bare(needle)
            if len(bare) >= _LONG and bare != needle and bare in reading.bare:
                yield from _occurrences(bare, reading.bare, reading.bare_places)

    def _as_written(self, text: str) -> Iterator[Span]:
        word = re.escape(self.text)
        pattern = word if len(self.text) >= _SHORTEST else rf"(?<!\w){word}(?!\w)"
        yield from (found.span() for found in re.finditer(pattern, text))


class Redactor:
    """Masks known secrets, credentials that are quoted with their names, and personal data, however encoded."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = tuple(_Secret(secret) for secret in dict.fromkeys(secrets) if secret)

    def __call__(self, text: str, *more: str) -> str:
        """``text`` without the known secrets and without ``more``; a very long one loses its end."""
        secrets = (*self._secrets, *(_Secret(secret) for secret in more if secret))
        read, hidden = text[:_READ], set[Span]()
        if len(text) > _READ:
            hidden.add((_READ - _UNSURE, _READ))
        try:
            for form in forms(read):
                hidden.update(form.original(start, end) for start, end in _found_in(form, read, secrets))
        except TooManyForms:
            return WITHHELD
        return masked(read, hidden)


def _found_in(form: Form, original: str, secrets: Iterable[_Secret]) -> Iterator[Span]:
    reading = _Reading(form, original)
    for secret in secrets:
        yield from secret.found_in(reading)
    if not form.is_joined:
        yield from (found.span(str(found.lastgroup)) for found in _NAMED_SECRET.finditer(form.text))
        yield from personal_data(form.text)


def _occurrences(needle: str, text: str, places: list[int]) -> Iterator[Span]:
    at = text.find(needle)
    while at >= 0:
        yield places[at], places[at + len(needle) - 1] + 1
        at = text.find(needle, at + 1)


def _folded(text: str) -> str:
    return "".join(map(_folded_character, text))


def _bare(text: str) -> str:
    return "".join(filter(str.isalnum, text))


@lru_cache(maxsize=4096)
def _folded_character(character: str) -> str:
    """Nothing for blanks, controls and accents; one letter for all that look alike."""
    return "".join(
        one for one in unicodedata.normalize("NFKD", character.casefold()) if unicodedata.category(one)[0] not in "CZM"
    )
