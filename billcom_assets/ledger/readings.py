"""How well a text reads as names and words: decoded wrongly, an accent becomes a symbol or a capital inside a word."""

from __future__ import annotations

import tomllib
import unicodedata
from enum import IntEnum
from importlib import resources

_FILE = resources.files(__package__).joinpath("readings.toml")
_SIGNS: dict[str, str] = tomllib.loads(_FILE.read_text(encoding="utf-8"))
CENTRAL_EUROPEAN = frozenset({"cp1250", "iso8859_2"})
"""Encodings of languages whose letters may stand anywhere in a word."""
_VOWELS = frozenset("aeiouAEIOUáéíóúÁÉÍÓÚ")
_MAY_BEGIN_SMALL = "'" + _SIGNS["apostrophes"]


class Reading(IntEnum):
    """How a character reads where it stands."""

    WELL = 0
    ODD = 1
    """Possible, but seldom written."""
    BADLY = 2


def reading(text: str, at: int, codec: str) -> Reading:
    """How the character at a position reads, which is not ASCII, in a text that was decoded by ``codec``."""
    sign = text[at]
    if unicodedata.category(sign) in {"Lu", "Ll"} and sign not in _SIGNS["no_letters"]:
        return _letter(text, at, codec)
    if sign in _SIGNS["apostrophes"]:
        return _apostrophe(text, at)
    return _sign(sign, *_neighbours(text, at))


def _neighbours(text: str, at: int) -> tuple[str, str]:
    before = text[at - 1] if at else "\n"
    after = text[at + 1] if at + 1 < len(text) else "\n"
    return before, after


def _letter(text: str, at: int, codec: str) -> Reading:
    letter = text[at]
    before, after = _neighbours(text, at)
    if not _has_fitting_case(text, at) or (
        not before.isalpha() and not after.isalpha() and letter not in _SIGNS["words"]
    ):
        return Reading.BADLY
    if codec in CENTRAL_EUROPEAN:
        return Reading.WELL
    begins_small = letter.islower() and after.isalpha() and not before.isalpha() and before not in _MAY_BEGIN_SMALL
    is_odd = letter not in _SIGNS["western_letters"] or begins_small or _is_rare_there(text, at, codec)
    return Reading.ODD if is_odd else Reading.WELL


def _has_fitting_case(text: str, at: int) -> bool:
    """Whether capitals are where names have them: first, or all over the word."""
    letter = text[at]
    before, after = _neighbours(text, at)
    if letter.isupper():
        return not before.isalpha() or (before.isupper() and not any(map(str.islower, word_at(text, at))))
    return not after.isupper() and not (before.isupper() and text[max(at - 2, 0) : at - 1].isupper())


def _is_rare_there(text: str, at: int, codec: str) -> bool:
    """Whether a letter stands where Western languages hardly write it, and others, read wrongly, often seem to."""
    before, after = _neighbours(text, at)
    ahead = text[max(at - 2, 0) : at].casefold()
    match codec, text[at]:
        case "mac_roman", "ü":  # of Polish, ź
            return before in _VOWELS
        case "cp1252", "ñ" | "Ñ":  # of Polish, ń
            return after not in _VOWELS
        case "cp1252", "æ":  # of Croatian, ć
            return not after.isalpha()
        case "cp1252", "ä":  # of Portuguese in DOS, õ
            return after == "e"
        case "cp1252", "á":  # of German in DOS, ß
            return before in "aoe" or ahead in {"ei", "ai", "au", "eu"}
    return False


def _apostrophe(text: str, at: int) -> Reading:
    """Well where something is left out, as in Ada's, O'Brien, d'Or, jusqu'ici and don't."""
    before, after = _neighbours(text, at)
    ahead, behind = text[max(at - 2, 0) : at].rjust(2), text[at + 1 : at + 3].ljust(2)
    if not (before.isalpha() and after.isalpha()):
        return Reading.WELL
    is_possessive = after in "sStT" and not behind[1].isalpha()
    if is_possessive or ahead.casefold() == "qu":
        return Reading.WELL
    if ahead[0].isalpha():
        return Reading.BADLY
    # With a capital before it may be a D'Or, or the í of a Díaz.
    return Reading.ODD if before.isupper() and after.islower() else Reading.WELL


def _sign(sign: str, before: str, after: str) -> Reading:
    if sign in _SIGNS["dashes"] and before.isalpha() and after.isalpha():
        return Reading.ODD if after.isupper() else Reading.BADLY
    between = not before.isalpha() and not after.isalpha()
    behind_number = (before.isdigit() or before in "mMnN") and not after.isalpha()
    places = (
        ("spaces", True, Reading.WELL),
        ("dashes", True, Reading.WELL if between else Reading.ODD),
        ("between_words", between, Reading.WELL),
        ("around_numbers", between, Reading.WELL),
        ("behind_numbers", behind_number, Reading.WELL),
        ("opening", not before.isalnum(), Reading.ODD),
        ("closing", not after.isalnum(), Reading.ODD),
        ("seldom", not after.islower(), Reading.ODD),
    )
    return next((found for name, fits, found in places if fits and sign in _SIGNS[name]), Reading.BADLY)


def word_at(text: str, at: int) -> str:
    """The word around a position."""
    start, end = at, at + 1
    while start and _is_in_word(text[start - 1]):
        start -= 1
    while end < len(text) and _is_in_word(text[end]):
        end += 1
    return text[start:end]


def _is_in_word(character: str) -> bool:
    return character not in ',;|"\t' and not character.isspace() and unicodedata.category(character) != "Cc"
