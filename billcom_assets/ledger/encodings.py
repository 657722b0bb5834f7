"""Telling text from garbage, and one text encoding from another, before anything is parsed."""

from __future__ import annotations

import codecs
import re

_HEAD = 64 * 1024
_CHUNK = 1024 * 1024
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x19\x1b-\x1f\x7f]")
_UTF8_SEQUENCE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_HIGH_BYTE = re.compile(rb"[\x80-\xff]")
_LONG_HIGH_RUN = re.compile(rb"[\x80-\xff]{4}")
_CP1252_GAPS = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")
_SAVE_AS = "Save it as CSV UTF-8."

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
    """The codec that reads ``raw``: utf-8-sig, utf-16 (with a byte order mark) or cp1252.

    Western Windows text is accepted only where every byte has a meaning in it and the accents are sparse, as in names.

    Raises:
        NotText: it is binary, or in an unknown encoding; names the byte and its line.
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
    if _is_plausible_cp1252(raw):
        return "cp1252"
    raise NotText(_wrong_encoding(raw, wrong, "UTF-8"), _line_of(raw, wrong))


def _wrong_encoding(raw: bytes, offset: int, tried: str) -> str:
    return f"has the wrong encoding: byte {offset} (0x{raw[offset]:02X}) is not {tried}. {_SAVE_AS}"


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


def _is_plausible_cp1252(raw: bytes) -> bool:
    if _CP1252_GAPS.search(raw) or _LONG_HIGH_RUN.search(raw):
        return False
    high = sum(1 for _ in _HIGH_BYTE.finditer(raw))
    in_utf8 = sum(len(match.group()) for match in _UTF8_SEQUENCE.finditer(raw))
    # Mostly well-formed UTF-8 with a few broken bytes is damaged UTF-8; reading it as cp1252 would garble every accent.
    return high * 4 <= len(raw) and in_utf8 * 2 <= high


def _line_of(raw: bytes, offset: int) -> int:
    return raw.count(b"\n", 0, offset) + 1
