"""Names in the form in which they are compared: case, accents, punctuation and legal forms put aside."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from billcom_assets.mapping.vocabulary import (
    ALIASES,
    ALSO_KNOWN_AS,
    CURRENCIES,
    DOUBTFUL_FORMS,
    LEGAL_PHRASES,
    NUMBERS,
    OUT_OF_USE,
    PHRASES,
    SPELLINGS,
)

_UNDECOMPOSED = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "\u0131": "i", "&": " and ", "+": " and "}
)
_ACCENTS = re.compile("[\u0300-\u036f]")
_APOSTROPHES = re.compile("['`\u2018\u2019\u02bc]")
_IN_CARE_OF = re.compile(r"\s(?:c/o|attn:?|in care of|care of)\s+\w.*")
_INITIALS = re.compile(r"(?<!\w)(?:[^\W\d_][./])+(?:[^\W\d_](?!\w)|(?!\w))")
_ABBREVIATED_FORM = re.compile(rf"(?<!\w)({'|'.join(sorted(DOUBTFUL_FORMS))})\.(?!\w)")
_PARENTHESES = re.compile(r"\(([^()]*)\)")
_DASH = re.compile(r"\s[-\u2013\u2014]\s")
_ONLY_BEHIND = {("old",), ("closed",)}
_FORM = "\ue000"
"""Behind a word that is written as a legal form; no name holds it."""
_LONGEST_FORM = max(map(len, LEGAL_PHRASES))
_SHORTEST_INITIALISM = 3
_PREFIXES = frozenset({"mc", "o"})
"""Beginnings of surnames that are written apart as well: "Mc Allister"."""


@dataclass(frozen=True, slots=True)
class Name:
    """A name in the forms in which names are compared; empty where nothing of it is letters or digits."""

    full: str
    """Words in lower case, legal forms in their short spelling."""
    core: str
    """``full`` without "the" before, and without currency and legal forms behind, unless nothing else is there."""
    legal_forms: frozenset[str]
    currencies: frozenset[str] = frozenset()
    """Currencies that the name states: "Global Freight EUR"."""
    others: tuple[str, ...] = ()
    """Cores of other names that the name itself states: "Smith LLC dba Quick Print"."""
    out_of_use: bool = False
    """The name says that it must no longer be used: "(deleted)", "DO NOT USE"."""

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

    @property
    def cores(self) -> tuple[str, ...]:
        """The core and those of the other names."""
        return self.core, *self.others


@lru_cache(maxsize=50_000)
def name_of(text: str | None) -> Name:
    """The comparable forms of a name."""
    plain = _plain(text or "")
    main, others = _names_in(_IN_CARE_OF.sub("", plain))
    words, out_of_use = _without_marks(_words(main))
    words = words or _words(plain)
    core, forms = _split(words)
    core, currencies = _without_currencies(core)
    if len(core) > 1 and core[0] == "the":
        core = core[1:]
    full = " ".join(word.removesuffix(_FORM) for word in [*core, *reversed(forms)])
    spelled = _spelled(" ".join(core)) or full
    return Name(
        _spelled(full),
        spelled,
        frozenset(forms),
        currencies,
        tuple(dict.fromkeys(other for other in map(_core, others) if other and other != spelled)),
        out_of_use,
    )


def _core(text: str) -> str:
    core, _ = _split(_words(text))
    return _spelled(" ".join(core))


def _plain(text: str) -> str:
    # Folding may leave letters to decompose, and decomposing (of signs such as \u213b) letters to fold.
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return _ACCENTS.sub("", _APOSTROPHES.sub("", folded)).translate(_UNDECOMPOSED).replace(_FORM, " ")


def _names_in(text: str) -> tuple[str, list[str]]:
    """The name itself, and other names of the same that it states."""
    for pattern in (_PARENTHESES, _DASH):
        found = pattern.search(text)
        if found is None:
            continue
        before, after = text[: found.start()], text[found.end() :]
        inside = found.group(1) if pattern is _PARENTHESES else after
        outside = f"{before} {after}" if pattern is _PARENTHESES else before
        for long, short in ((outside, inside), (inside, outside)):
            if is_initialism(" ".join(_words(short)), tuple(_words(long))):
                return long, [short]
    for words in ALSO_KNOWN_AS:
        link = r"[\s,(]+" + r"[\s./]*".join(words) + r"[\s.:]+"
        parts = re.split(link, text.replace(")", " "), maxsplit=1)
        if len(parts) > 1 and all(_words(part) for part in parts):
            return parts[0], [parts[1]]
    found = _PARENTHESES.search(text)
    if found is not None and len(_words(found.group(1))) > 1 and not _without_marks(_words(found.group(1)))[1]:
        outside = f"{text[: found.start()]} {text[found.end() :]}"
        if _words(outside):
            return outside, [found.group(1)]
    return text, []


def is_initialism(short: str, long: Sequence[str]) -> bool:
    """True when ``short`` is one word of the first letters of three or more words."""
    if " " in short or len(short) < _SHORTEST_INITIALISM or len(long) < len(short):
        return False
    every = "".join(word[0] for word in long)
    lesser = "".join(word[0] for word in long if word not in {"and", "of", "the", "for", "a"})
    bare = _split(list(long))[0]
    return short in {every, lesser, "".join(word[0] for word in bare if word not in {"and", "of", "the", "for"})}


def _without_marks(words: list[str]) -> tuple[list[str], bool]:
    """The words without what says that the name must no longer be used, at either end, and whether anything does."""
    found = False
    again = True
    while again and words:
        again = False
        for mark in OUT_OF_USE:
            size = len(mark)
            if tuple(words[-size:]) == mark:
                words, found, again = words[:-size], True, True
            elif tuple(words[:size]) == mark and mark not in _ONLY_BEHIND:
                words, found, again = words[size:], True, True
    return words, found


def _without_currencies(words: list[str]) -> tuple[list[str], frozenset[str]]:
    """The words without currency codes behind, unless nothing else is there."""
    end = len(words)
    while end > 1 and words[end - 1] in CURRENCIES:
        end -= 1
    return words[:end], frozenset(words[end:])


def _split(words: list[str]) -> tuple[list[str], list[str]]:
    """The words before the legal forms, and the legal forms; "GmbH and Co KG" is one, "Smith and Co" is a name."""
    end = len(words)
    forms: list[str] = []
    while end:
        size, form = _form_before(words, end)
        if not size:
            break
        is_joined = end > size and words[end - size - 1] == "and"
        if is_joined and (end == size + 1 or not _form_before(words, end - size - 1)[0]):
            break
        if not is_joined and end == size:
            break
        forms.append(form)
        end -= size + 1 if is_joined else size
        # "GmbH and Co KG": the Co of it is no word.
        while forms and end > 1 and words[end - 1] == "co" and words[end - 2] == "and":
            if not _form_before(words, end - 2)[0]:
                break
            end -= 2
    return [word.removesuffix(_FORM) for word in words[:end]], forms


def _form_before(words: Sequence[str], end: int) -> tuple[int, str]:
    """How many words before ``end`` are a legal form, and its short spelling; none: 0."""
    last = words[end - 1]
    if last.endswith(_FORM):
        return 1, last.removesuffix(_FORM)
    for size in range(min(_LONGEST_FORM, end), 0, -1):
        phrase = tuple(words[end - size : end])
        form = LEGAL_PHRASES.get(phrase)
        if form is not None and not (size == 1 and last in DOUBTFUL_FORMS):
            return size, form
    return 0, ""


def _words(plain: str) -> list[str]:
    joined = _ABBREVIATED_FORM.sub(rf"\1{_FORM}", _INITIALS.sub(_joined, plain))
    words = "".join(char if char == _FORM or _is_of_word(char) else " " for char in joined).split()
    for index in range(len(words) - 2, -1, -1):
        if words[index] in _PREFIXES:
            words[index : index + 2] = [words[index] + words[index + 1]]
    return words


def _joined(match: re.Match[str]) -> str:
    word = match.group().replace(".", "").replace("/", "")
    return f"{word}{_FORM} " if word in DOUBTFUL_FORMS or (word,) in LEGAL_PHRASES else f"{word} "


def _is_of_word(char: str) -> bool:
    """Letters, digits, and the vowel signs that many scripts write as marks of their own."""
    return char.isalnum() or unicodedata.category(char).startswith("M")


def _spelled(text: str) -> str:
    """The words with short spellings written out."""
    phrase = PHRASES.get(text)
    return phrase or " ".join(map(_written_out, _phrases_written_out(text).split()))


def _written_out(word: str) -> str:
    if any(map(str.isdigit, word)):
        # Store 09 is store 9.
        return NUMBERS.get(word) or word.lstrip("0") or word
    return SPELLINGS.get(word, word)


def _phrases_written_out(text: str) -> str:
    for short, phrase in _LONGER_PHRASES:
        if f" {short} " in f" {text} ":
            text = f" {text} ".replace(f" {short} ", f" {phrase} ").strip()
    return text


_LONGER_PHRASES = [(short, phrase) for short, phrase in PHRASES.items() if " " in short]


def _known() -> Iterator[tuple[str, int]]:
    for number, names in enumerate(ALIASES):
        for one in names:
            yield name_of(one).core, number


_ALIAS_OF: dict[str, int] = {}


def alias_of(core: str) -> int | None:
    """What a well-known name stands for, as a number that all its names share; None for any other name."""
    if not _ALIAS_OF:
        _ALIAS_OF.update(_known())
    known = _ALIAS_OF.get(core)
    bare, _, last = core.rpartition(" ")
    return _ALIAS_OF.get(bare) if known is None and last in DOUBTFUL_FORMS else known
