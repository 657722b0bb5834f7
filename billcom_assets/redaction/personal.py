"""Masks what looks like personal, tax or bank data, wherever in a text it stands.

Masked by shape: tax ids (SSN, ITIN, EIN), card numbers, IBANs, every number of nine digits or more (account and routing
numbers), shorter numbers behind the name of such data, e-mail addresses and phone numbers. What has another meaning
stays as it is: BILL's ids, UUIDs, dates and times, amounts, invoice numbers, counts.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Sequence
from typing import Final

from billcom_assets.redaction.masking import MASK, Span, masked

__all__ = ["MASK", "mask_personal_data", "personal_data"]

_GAP: Final = r"[ \u00a0\u202f._/\-\u2010-\u2015\u2212]"
"""What people and programs put between groups of digits."""
_DATE: Final = r"(?:19|20)\d\d-\d\d-\d\d"

_WORTH_A_LOOK: Final = re.compile(r"[\d@]")
_KEPT: Final = re.compile(
    rf"""
    (?<![\w-])[0-9a-f]{{8}}-(?:[0-9a-f]{{4}}-){{3}}[0-9a-f]{{12}}(?![\w-])        # UUID
    | (?<!\d){_DATE}[T ]\d\d:\d\d(?::\d\d(?:\.\d{{1,9}})?)?(?![\d.])                 # time with a fraction
    """,
    re.VERBOSE | re.IGNORECASE,
)

_SHAPES: Final = tuple(
    re.compile(shape, re.VERBOSE)
    for shape in (
        rf"(?<!\d)\d{{3}}{_GAP}\d{{2}}{_GAP}\d{{4}}(?!\d)",  # SSN, ITIN
        r"(?<!\d)\d{2}[\-\u2010-\u2015\u2212]\d{7}(?!\d)",  # EIN
        r"(?<!\w)\d{9,}(?!\w)",  # account, routing and card numbers, tax ids without dashes
        r"(?<!\w)[A-Z]{2}\d{2}[A-Z0-9]{11,30}(?!\w)",  # IBAN, whatever its checksum
        r"(?<![\w.+\-])[\w.+\-]+@[\w\-]+(?:\.[\w\-]+)+",  # e-mail address
        r"(?<![\w.\-])(?:\+?1[ .\-])?(?:\(\d{3}\)[ ]?|\d{3}[.\-])\d{3}[.\-]\d{4}(?!\w)",  # phone, North America
    )
)

_NAMED: Final = re.compile(
    rf"""
    (?<![^\W_])
    (?: bank .? acc(?:oun)?t | acct | routing | aba | (?:fe|e|it|t)in | ssn | iban | social .? security
      | tax .? (?:payer .?)? id | (?:credit|debit) .? card | card .? (?=n) )
    (?: s | .? (?:number|num|no|id) )?
    (?: [^\w\r\n]{{1,4}} (?: \w{{1,20}} [^\w\r\n]{{1,4}} ){{0,2}}? )?
    (?P<value> (?!{_DATE}) \d (?:{_GAP}?\d){{3,30}} )
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""A number of four digits or more, after what says that it is a tax id or a bank's."""

_CARD: Final = re.compile(rf"(?<![\w])\d{{3,12}}(?:{_GAP}\d{{3,12}}){{1,4}}(?:{_GAP}\d{{1,2}})?(?!\w)")
_CARD_ISSUERS: Final = re.compile(r"4|5|6|3[04-9]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720")
_FOURS: Final = re.compile(r"(?<!\d)\d{4}(?:[ \u00a0.\-]\d{4}){2,4}(?!\d)")
_YEAR: Final = re.compile(r"(?:19|20)\d\d")
_PHONE_ABROAD: Final = re.compile(r"(?<![\w+])\+[1-9]\d{0,2}(?:[ .\-]?\(?\d{1,4}\)?){2,5}(?!\w)")
_IBAN: Final = re.compile(
    r"(?<![A-Z0-9])(?:IBAN)?(?P<value>[A-Z]{2}\d{2}(?:[ .\-]?[A-Z0-9]){11,30})", re.IGNORECASE | re.ASCII
)
_IBAN_DIGITS: Final = {one: str(int(one, 36)) for one in string.digits + string.ascii_letters}
_SHORTEST_IBAN: Final = 15


def mask_personal_data(text: str) -> str:
    """``text`` with everything masked that has the shape of personal, tax or bank data."""
    return masked(text, personal_data(text))


def personal_data(text: str) -> Iterator[Span]:
    """Where in ``text`` there is something of that shape."""
    if not _WORTH_A_LOOK.search(text):
        return
    kept = [found.span() for found in _KEPT.finditer(text)]
    for start, end in (*_candidates(text), *_ibans(text, kept)):
        if not any(begin <= start and end <= stop for begin, stop in kept):
            yield start, end


def _candidates(text: str) -> Iterator[Span]:
    for shape in _SHAPES:
        yield from (found.span() for found in shape.finditer(text))
    yield from (found.span("value") for found in _NAMED.finditer(text))
    yield from (found.span() for found in _CARD.finditer(text) if _is_card(found[0]))
    yield from (found.span() for found in _PHONE_ABROAD.finditer(text) if len(_digits(found[0])) >= 8)
    yield from (found.span() for found in _FOURS.finditer(text) if not _looks_like_years(found[0]))


def _ibans(text: str, kept: Sequence[Span]) -> Iterator[Span]:
    found = _IBAN.search(text)
    while found:
        start = found.start("value")
        # A group of a UUID and the words behind it may have a right checksum, too.
        is_inside = any(begin < start < stop for begin, stop in kept)
        length = 0 if is_inside else _iban_length(found["value"])
        if length:
            yield start, start + length
        # What followed was read along, and may be another one.
        found = _IBAN.search(text, start + (length or 2))


def _is_card(text: str) -> bool:
    """13 to 19 digits that an issuer of cards would give out, with a right check digit (ISO 7812)."""
    digits = _digits(text)
    number = "".join(map(str, digits))
    if not 13 <= len(digits) <= 19 or not _CARD_ISSUERS.match(number):
        return False
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _digits(text: str) -> list[int]:
    return [int(character) for character in text if character.isdecimal()]


def _looks_like_years(text: str) -> bool:
    groups = re.findall(r"\d{4}", text)
    years = [bool(_YEAR.fullmatch(group)) for group in groups]
    return all(years) or (len(groups) == 3 and any(years))


def _iban_length(text: str) -> int:
    """How much of ``text``, from its beginning, is an IBAN with a right checksum (ISO 13616); 0 for none."""
    for length in range(len(text), _SHORTEST_IBAN - 1, -1):
        if text[length - 1].isalnum() and not text[length : length + 1].isalnum():
            compact = "".join(filter(str.isalnum, text[:length]))
            if len(compact) < _SHORTEST_IBAN:
                break
            if int("".join(_IBAN_DIGITS[one] for one in compact[4:] + compact[:4])) % 97 == 1:
                return length
    return 0
