"""Telling text from garbage, and one text encoding from another, before anything is parsed."""

from __future__ import annotations

import codecs
import itertools
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from charset_normalizer import from_bytes

from billcom_assets.ledger.problems import quoted
from billcom_assets.ledger.readings import CENTRAL_EUROPEAN, Reading, reading, word_at

_HEAD = 64 * 1024
_CHUNK = 1024 * 1024
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x19\x1b-\x1f\x7f]")
_UTF8_SEQUENCE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_HIGH_BYTE = re.compile(rb"[\x80-\xff]")
_LONG_HIGH_RUN = re.compile(rb"[\x80-\xff]{4}")
_LINE_WITH_ACCENTS = re.compile(rb"[^\r\n]*[\x80-\xff][^\r\n]*")
_LOOKED_AT = 2_000
"""Lines with accents, which decide."""
_ONE_IN = 20
"""Of so many accents one may read oddly or badly: names hold all kinds of signs."""
_SAVE_AS = "Save it as CSV UTF-8."

NAMES = {
    "utf-8-sig": "UTF-8",
    "utf-16": "UTF-16",
    "cp1252": "Windows-1252",
    "mac_roman": "Mac Roman",
    "cp850": "DOS code page 850",
    "cp1250": "Windows-1250",
    "iso8859_2": "ISO 8859-2",
}
"""What people call each encoding that is read."""
_SINGLE_BYTE = ("cp1252", "mac_roman", "cp850", "cp1250", "iso8859_2")

_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "is an Excel workbook or a zip archive, not a CSV file"),
    (b"\xd0\xcf\x11\xe0", "is an old Excel workbook, not a CSV file"),
    (b"%PDF", "is a PDF, not a CSV file"),
    (b"\x1f\x8b", "is compressed, not a CSV file"),
)


class NotText(Exception):
    """The bytes are no text that we can read; the message completes "the file ..."."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


def encoding_of(raw: bytes) -> str:
    """The codec that reads ``raw``: utf-8-sig, utf-16 (with a byte order mark), or the one of a Windows, Mac or DOS.

    Text that is not Unicode is accepted only where its words read well in one encoding alone, or in Windows-1252: a
    letter that is as good a letter there, such as the capital Í of DOS, does not tell the two apart by itself.

    Raises:
        NotText: it is binary, or in an unknown or doubtful encoding; names the byte or the word, and its line.
    """
    for signature, what in _SIGNATURES:
        if raw.startswith(signature):
            raise NotText(f"{what}. {_SAVE_AS}")
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        wrong = _first_undecodable(raw, "utf-16")
        if wrong is not None:
            raise NotText(_wrong_encoding(raw, wrong, "UTF-16"))
        return "utf-16"
    # The head decides nearly always, at the price of a few kilobytes.
    control = _CONTROL.search(raw, 0, _HEAD) or _CONTROL.search(raw, _HEAD)
    if control is not None:
        offset = control.start()
        raise NotText(
            f"is not a text file: byte {offset} is 0x{raw[offset]:02X}, which no CSV file holds. {_SAVE_AS}",
            _line_of(raw, offset),
        )
    wrong = _first_undecodable(raw, "utf-8")
    if wrong is None:
        return "utf-8-sig"
    if _may_be_single_byte(raw):
        return _single_byte_codec(raw, wrong)
    raise NotText(_wrong_encoding(raw, wrong, "UTF-8"), _line_of(raw, wrong))


@dataclass(slots=True)
class _Candidate:
    """An encoding and how the text reads in it."""

    codec: str
    text: str
    """The lines with accents."""
    readings: Counter[Reading] = field(default_factory=Counter)

    def look(self) -> None:
        """Reads every character that is not ASCII."""
        for at, character in enumerate(self.text):
            if character.isascii():
                continue
            self.readings[reading(self.text, at, self.codec)] += 1

    @property
    def worst(self) -> Reading:
        """How the text reads as a whole."""
        allowed = self.readings.total() // _ONE_IN
        if self.readings[Reading.BADLY] > allowed:
            return Reading.BADLY
        return Reading.ODD if self.readings[Reading.ODD] > allowed else Reading.WELL


def _single_byte_codec(raw: bytes, wrong: int) -> str:
    lines = [match.group() for match in itertools.islice(_LINE_WITH_ACCENTS.finditer(raw), _LOOKED_AT)]
    readable = [one for one in _candidates(raw, b"\n".join(lines)) if one.worst is not Reading.BADLY]
    likely = _likely(readable)
    if len({one.text for one in likely}) == 1:
        return likely[0].codec
    if b"\n" not in raw and "mac_roman" in {one.codec for one in likely}:
        # Programs on Macs end lines with a carriage return alone.
        return "mac_roman"
    raise _doubtful(raw, wrong, likely)


def _likely(readable: list[_Candidate]) -> list[_Candidate]:
    """Those of the readable encodings that may be meant; of the same text the most frequent encoding first."""
    usual = [one for one in readable if one.codec == "cp1252"]
    western = [one for one in readable if one.codec not in CENTRAL_EUROPEAN]
    # Windows-1252 is by far the most frequent: where it reads well it is meant, even if another would do so too. Where
    # it does not, another may be meant, or it holds what is seldom written.
    for preferred in (usual, [] if usual else western):
        if well := [one for one in preferred if one.worst is Reading.WELL]:
            return well
    best = min((one.worst for one in readable), default=None)
    return readable if usual else [one for one in readable if one.worst is best]


def _candidates(raw: bytes, sample: bytes) -> Iterator[_Candidate]:
    """The encodings in which the text is no garbage, as the library sees it, each with how its words read."""
    possible = from_bytes(sample, cp_isolation=list(_SINGLE_BYTE), threshold=0.5, preemptive_behaviour=False)
    named = {name for match in possible for name in match.could_be_from_charset}
    for codec in _SINGLE_BYTE:
        if codec in named and _first_undecodable(raw, codec) is None:
            candidate = _Candidate(codec, sample.decode(codec))
            candidate.look()
            yield candidate


def _doubtful(raw: bytes, wrong: int, readable: list[_Candidate]) -> NotText:
    """The refusal, with the first word on which the encodings differ."""
    texts: dict[str, _Candidate] = {}
    for one in readable:
        texts.setdefault(one.text, one)
    if len(texts) < 2:
        said = _wrong_encoding(raw, wrong, "UTF-8", advice="")
        shown = quoted(_word_around(raw, wrong))
        return NotText(f"{said} In Windows-1252 the word would read {shown}. {_SAVE_AS}", _line_of(raw, wrong))
    first, second, *_ = texts.values()
    at = next(at for at, (one, other) in enumerate(zip(first.text, second.text, strict=True)) if one != other)
    words = " or ".join(f"{quoted(word_at(one.text, at))} ({NAMES[one.codec]})" for one in (first, second))
    line = first.text.split("\n")[first.text.count("\n", 0, at)].encode(first.codec)
    return NotText(
        f"has an encoding that cannot be told for certain: a word reads {words}. {_SAVE_AS}",
        _line_of(raw, raw.index(line)),
    )


def _word_around(raw: bytes, offset: int) -> str:
    start = max(offset - 60, 0)
    return word_at(raw[start : offset + 60].decode("cp1252", errors="replace"), offset - start)


def _wrong_encoding(raw: bytes, offset: int, tried: str, advice: str = f" {_SAVE_AS}") -> str:
    return f"has the wrong encoding: byte {offset} (0x{raw[offset]:02X}) is not {tried}.{advice}"


def _first_undecodable(raw: bytes, codec: str) -> int | None:
    """Offset of the first byte that ``codec`` cannot read, or of the piece that holds a zero character.

    Decodes piece by piece, to need little memory.
    """
    decoder = codecs.getincrementaldecoder(codec)()
    view = memoryview(raw)
    for start in range(0, len(raw) + 1, _CHUNK):
        pending = len(decoder.getstate()[0])
        try:
            text = decoder.decode(view[start : start + _CHUNK], final=start + _CHUNK > len(raw))
        except UnicodeDecodeError as error:
            return start - pending + error.start
        if "\0" in text:
            return start
    return None


def _may_be_single_byte(raw: bytes) -> bool:
    """Whether the accents are as sparse as in names of Latin letters, and the text is no damaged UTF-8."""
    if _LONG_HIGH_RUN.search(raw):
        return False
    high = sum(1 for _ in _HIGH_BYTE.finditer(raw))
    in_utf8 = sum(len(match.group()) for match in _UTF8_SEQUENCE.finditer(raw))
    # Mostly well-formed UTF-8 with a few broken bytes is damaged UTF-8; read otherwise, it would garble every accent.
    return high * 4 <= len(raw) and in_utf8 * 2 <= high


def _line_of(raw: bytes, offset: int) -> int:
    return len(raw[:offset].replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n"))
