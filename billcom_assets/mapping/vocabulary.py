"""What is known of words, well-known names and mail domains: the tables of ``words``, ``aliases`` and ``mail``."""

from __future__ import annotations

import tomllib
from importlib import resources
from typing import Any


def _stated(name: str) -> dict[str, Any]:
    return tomllib.loads(resources.files(__package__).joinpath(f"{name}.toml").read_text(encoding="utf-8"))


_WORDS = _stated("words")
_MAIL = _stated("mail")

LEGAL_PHRASES: dict[tuple[str, ...], str] = {
    tuple(spelling.split()): form
    for form, spellings in _WORDS["legal_forms"].items()
    for spelling in (form, *spellings)
}
"""Legal forms as they are written, in words, and the short spelling of each."""
DOUBTFUL_FORMS = frozenset(_WORDS["doubtful_forms"]["forms"])
"""Words that are a legal form only where they are written with dots or a slash."""
SPELLINGS: dict[str, str] = {short: word for word, shorts in _WORDS["spellings"].items() for short in shorts}
"""The word that each short spelling stands for."""
SHORT_FOR: dict[str, frozenset[str]] = {
    short: frozenset(words) for short, words in (_WORDS["given_names"] | _WORDS["short_for"]).items()
}
"""The words that a short spelling may stand for, first names included."""
NUMBERS: dict[str, str] = {word: number for number, words in _WORDS["numbers"].items() for word in words}
"""Numbers in words and in Roman figures."""
BRANCHES = frozenset(_WORDS["branches"]["words"])
"""Words beside a number that tells branches apart."""
PHRASES: dict[str, str] = {short: phrase for phrase, shorts in _WORDS["phrases"].items() for short in shorts}
"""Names in a few letters, and what they stand for."""
WEIGHTS: dict[str, float] = {
    word: weight for group, weight in _WORDS["weights"].items() for word in _WORDS["common"][group]
}
"""How much a common word says of who somebody is, where 1 is a word like any other."""
DISTINGUISHING = frozenset(_WORDS["distinguishing"]["words"])
"""Words that tell things apart of which all else is the same."""
ALSO_KNOWN_AS = tuple(tuple(words.split()) for words in _WORDS["also_known_as"]["words"])
"""Words between two names of the same."""
OUT_OF_USE = tuple(tuple(words.split()) for words in _WORDS["out_of_use"]["marks"])
"""What names say that must no longer be used."""
CURRENCIES = frozenset(_WORDS["currencies"]["codes"])
"""Currency codes as they occur in names."""
ALIASES: list[list[str]] = _stated("aliases")["names"]
"""Well-known names, one list for each that has several."""
SHARED_DOMAINS = frozenset(_MAIL["shared_domains"])
"""Mail domains that say nothing of who writes."""
NOBODY = frozenset(_MAIL["nobody"])
"""Mailboxes that say nothing of whose they are."""
REGISTRIES = frozenset(_MAIL["registries"])
"""Endings of domains below which names are registered."""
