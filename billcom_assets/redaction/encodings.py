"""Every text that a text may be read as: with its escapes resolved, its Base64 or hexadecimal digits decoded.

Each form remembers from which stretch of the original every one of its characters comes, so that what is found in a
form can be masked in the original.
"""

from __future__ import annotations

import binascii
import html
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

from billcom_assets.redaction.masking import Span

_DEEPEST: Final = 3
"""Encodings inside each other that are taken apart."""
_MOST_FORMS: Final = 120


class TooManyForms(Exception):
    """The text can be read in so many ways that not all were looked at."""


@dataclass(frozen=True, slots=True)
class Form:
    """One reading of a text."""

    text: str
    starts: Sequence[int]
    """For each character, where in the original what it was decoded from begins."""
    ends: Sequence[int]
    is_binary: bool = False
    """Decoded from Base64 or hexadecimal digits, so mostly gibberish."""
    is_joined: bool = False
    """Without blanks, so words and numbers meet that have nothing to do with each other."""

    def original(self, start: int, end: int) -> Span:
        """The stretch of the original that the characters from ``start`` to ``end`` come from."""
        return min(self.starts[start:end]), max(self.ends[start:end])


def forms(text: str) -> Iterator[Form]:
    """``text`` itself, then every other way to read it.

    Raises:
        TooManyForms: there are more than anything but an attack has.
    """
    level = [Form(text, range(len(text)), range(1, len(text) + 1))]
    seen = {text}
    yield level[0]
    for _ in range(_DEEPEST):
        following: list[Form] = []
        for form in level:
            for decoder in _DECODERS:
                for decoded in decoder(form):
                    if decoded.text not in seen:
                        if len(seen) == _MOST_FORMS:
                            raise TooManyForms
                        seen.add(decoded.text)
                        following.append(decoded)
                        yield decoded
        level = following


Decoder = Callable[[Form], Iterator[Form]]


def _replacing(pattern: str, resolve: Callable[[re.Match[str]], str], *, joins: bool = False) -> Decoder:
    """A decoder that replaces what ``pattern`` finds by what it stands for."""
    escape = re.compile(pattern, re.IGNORECASE | re.VERBOSE | re.DOTALL)

    def decode(form: Form) -> Iterator[Form]:
        parts: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        copied = 0
        for found in escape.finditer(form.text):
            start, end = found.span()
            resolved = resolve(found)
            parts += (form.text[copied:start], resolved)
            starts += form.starts[copied:start]
            ends += form.ends[copied:start]
            starts += [form.starts[start]] * len(resolved)
            ends += [form.ends[end - 1]] * len(resolved)
            copied = end
        if copied:
            starts += form.starts[copied:]
            ends += form.ends[copied:]
            text = "".join((*parts, form.text[copied:]))
            yield Form(text, starts, ends, form.is_binary, form.is_joined or joins)

    return decode


def _character(digits: str, base: int = 16) -> str:
    code = int(digits, base)
    return chr(code) if code <= 0x10FFFF else " "


def _backslash(found: re.Match[str]) -> str:
    kind, content = str(found.lastgroup), found[str(found.lastgroup)]
    if kind == "pair":
        return bytes.fromhex(re.sub(r"[^0-9a-fA-F]", "", content)).decode("utf-16-be", "replace")
    if kind == "plain":
        return " " if content in "bfnrtv" else content
    return _character(content.strip("{}"), 8 if kind == "octal" else 16)


def _percent(found: re.Match[str]) -> str:
    if found.lastgroup == "wide":
        return _character(found["wide"])
    if found[0] == "+":
        return " "
    octets = unquote_to_bytes(found[0].replace("=", "%"))
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return octets.decode("latin-1")


def _entity(found: re.Match[str]) -> str:
    named = found[0] if found[0].endswith(";") else f"{found[0]};"
    resolved = html.unescape(named)
    return html.unescape(named.lower()) if resolved == named else resolved


_PERCENT: Final = r"%u(?P<wide>[0-9a-f]{4}) | (?:%[0-9a-f]{2})+"
_DIGITS_OF_64: Final = re.compile(r"[A-Za-z0-9+/_-](?:\s*[A-Za-z0-9+/_-]){5,}")
_DIGITS_OF_16: Final = re.compile(r"(?:0x)?[0-9a-f]{2}(?:[\s:,-]*(?:0x)?[0-9a-f]{2}){3,}", re.IGNORECASE)
_LEAST_INSIDE_GIBBERISH: Final = 10
"""Shorter runs of digits come about by chance there."""


def _base64(form: Form) -> Iterator[Form]:
    """One form for each of the four places at which a group of digits can begin."""
    runs = _runs(form, _DIGITS_OF_64, r"\S")
    for shift in range(4) if runs else ():
        yield _octets(form, [run[shift:] for run in runs], 4, 3, _decode_64)


def _hexadecimal(form: Form) -> Iterator[Form]:
    runs = _runs(form, _DIGITS_OF_16, r"0x|(?P<digit>[0-9a-fA-F])")
    for shift in range(2) if runs else ():
        yield _octets(form, [run[shift:] for run in runs], 2, 1, binascii.unhexlify)


def _runs(form: Form, run: re.Pattern[str], digit: str) -> list[list[int]]:
    """Where the digits of each run stand."""
    digits = re.compile(digit, re.IGNORECASE)
    found = [
        [one.start() for one in digits.finditer(form.text, *match.span()) if len(one[0]) == 1]
        for match in run.finditer(form.text)
    ]
    return [one for one in found if not form.is_binary or len(one) >= _LEAST_INSIDE_GIBBERISH]


def _decode_64(digits: str) -> bytes:
    return binascii.a2b_base64(digits.replace("-", "+").replace("_", "/") + "=" * (-len(digits) % 4))


def _octets(
    form: Form, runs: list[list[int]], digits_in_group: int, octets_in_group: int, decode: Callable[[str], bytes]
) -> Form:
    """What the digits stand for, one character for each octet, runs apart from each other."""
    parts: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for places in runs:
        # A digit alone in the last group stands for nothing.
        used = places[: len(places) - (len(places) % digits_in_group == 1)]
        octets = decode("".join(form.text[place] for place in used)) if used else b""
        parts += (octets.decode("latin-1"), "\0")
        for number in range(len(octets)):
            first = number * digits_in_group // octets_in_group
            starts.append(form.starts[used[first]])
            ends.append(form.ends[used[min(first + 1, len(used) - 1)]])
        starts.append(form.starts[places[-1]] if places else 0)
        ends.append(form.ends[places[-1]] if places else 0)
    return Form("".join(parts), starts, ends, is_binary=True, is_joined=form.is_joined)


def _unless_binary(decoder: Decoder) -> Decoder:
    """Gibberish has all the signs that this decoder looks for, and no use for them."""
    return lambda form: iter(()) if form.is_binary else decoder(form)


_DECODERS: Final[tuple[Decoder, ...]] = (
    _replacing(  # JSON, JavaScript, Python
        r"""
        \\ (?: (?P<pair>u d[89ab][0-9a-f]{2} \\+ u d[c-f][0-9a-f]{2})
             | u (?P<code>[0-9a-f]{4} | \{[0-9a-f]{1,6}\}) | x (?P<octet>[0-9a-f]{2})
             | (?P<octal>[0-3][0-7]{2}) | (?P<plain>.) )
        """,
        _backslash,
    ),
    _replacing(_PERCENT, _percent),
    _replacing(rf"{_PERCENT} | \+", _percent),  # forms write a blank so
    _replacing(r"(?:=[0-9a-f]{2})+", _percent),  # mail
    _replacing(r"&(?: \#\d{1,7} | \#x[0-9a-f]{1,6} | [a-z][a-z0-9]{1,31} );?", _entity),
    _unless_binary(_replacing(r"<[^<>]*>", lambda _: "")),
    _unless_binary(_replacing(r"=?\s+", lambda _: "", joins=True)),  # lines wrapped anywhere, even within an escape
    _base64,
    _hexadecimal,
)
