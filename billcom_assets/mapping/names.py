"""When two names are the same: case, accents, punctuation, & and legal forms put aside."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_UNDECOMPOSED = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "\u0131": "i", "&": " and ", "+": " and "}
)
_ACCENTS = re.compile("[\u0300-\u036f]")
_APOSTROPHES = re.compile("['`\u2018\u2019\u02bc]")
_INITIALS = re.compile(r"(?<!\w)(?:[^\W\d_][./])+[^\W\d_](?!\w)")

_SHORT_FORMS = (
    *("ab", "ag", "aps", "as", "bv", "co", "corp", "cv", "doo", "eurl", "gbr", "gmbh", "inc", "kft", "kg", "kk"),
    *("llc", "llp", "lp", "ltd", "ltda", "nv", "ohg", "oy", "pa", "pc", "plc", "pllc", "pte", "pty", "pvt", "sa"),
    *("sarl", "sas", "scrl", "sl", "snc", "spa", "srl", "sro", "ug"),
)
_LEGAL_FORMS = {
    **{form: form for form in _SHORT_FORMS},
    "company": "co",
    "corporation": "corp",
    "incorporated": "inc",
    "limitada": "ltda",
    "limited": "ltd",
}
_PHRASES = (
    ("limited liability company", "llc"),
    ("limited liability partnership", "llp"),
    ("limited partnership", "lp"),
    ("public limited company", "plc"),
    ("professional corporation", "pc"),
    ("gesellschaft mit beschrankter haftung", "gmbh"),
)


@dataclass(frozen=True, slots=True)
class Name:
    """A name in the forms in which names are compared; empty where nothing of it is letters or digits."""

    full: str
    """Words in lower case, legal forms in their short spelling."""
    core: str
    """``full`` without "the" before and legal forms behind, unless nothing else is there."""
    legal_forms: frozenset[str]

    @property
    def words(self) -> frozenset[str]:
        """Words of the core."""
        return frozenset(self.core.split())

    @property
    def numbers(self) -> frozenset[str]:
        """Words of the core that hold a digit: they tell stores, years and projects apart."""
        return frozenset(word for word in self.core.split() if any(map(str.isdigit, word)))

    @property
    def sorted_core(self) -> str:
        """The core's words in alphabetical order, for names whose order is free ("Doe, Jane")."""
        return " ".join(sorted(self.core.split()))


def name_of(text: str | None) -> Name:
    """The comparable forms of a name."""
    words = _words(text or "")
    core, forms = _split(words)
    if len(core) > 1 and core[0] == "the":
        core = core[1:]
    full = " ".join(_LEGAL_FORMS.get(word, word) for word in words)
    return Name(full, " ".join(core) or full, frozenset(forms))


def _split(words: list[str]) -> tuple[list[str], list[str]]:
    """The words before the legal forms, and the legal forms; "GmbH and Co KG" is one, "Smith and Co" is a name."""
    end = len(words)
    forms: list[str] = []
    while end and words[end - 1] in _LEGAL_FORMS:
        is_joined = end > 1 and words[end - 2] == "and"
        if is_joined and (end == 2 or words[end - 3] not in _LEGAL_FORMS):
            break
        forms.append(_LEGAL_FORMS[words[end - 1]])
        end -= 2 if is_joined else 1
    return words[:end], forms


def _words(text: str) -> list[str]:
    # Folding may leave letters to decompose, and decomposing (of signs such as \u213b) letters to fold.
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    plain = _ACCENTS.sub("", _APOSTROPHES.sub("", folded)).translate(_UNDECOMPOSED)
    joined = _INITIALS.sub(lambda match: match.group().replace(".", "").replace("/", ""), plain)
    spaced = " ".join("".join(char if _is_of_word(char) else " " for char in joined).split())
    for phrase, form in _PHRASES:
        if spaced.endswith(f" {phrase}"):
            return [*spaced.removesuffix(phrase).split(), form]
    return spaced.split()


def _is_of_word(char: str) -> bool:
    """Letters, digits, and the vowel signs that many scripts write as marks of their own."""
    return char.isalnum() or unicodedata.category(char).startswith("M")
