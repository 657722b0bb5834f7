"""What a file is, by its content: its name and what BILL says of it may say anything.

A file is kept under an ending that its content deserves; what nobody knows is ``bin``. Not kept are programs and
pages, so that nothing that would be carried out comes in under the name of an invoice, and words in place of a file: a
page, or text that is not called so, is what a server says about a link that ended.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from billcom_assets.bill.responses import says_error

_LOOKED_AT: Final = 4096
"""Bytes of the beginning that decide."""


@dataclass(frozen=True, slots=True)
class MediaType:
    """One kind of file."""

    name: str
    endings: tuple[str, ...]
    """Endings of names that may be kept for it; the first stands in for any other."""
    begins: bytes = b""
    at: int = 0
    """Where it begins so."""

    def ending(self, name: str) -> str:
        """How a file of this name is called; never an ending that says it is something else."""
        given = PurePosixPath(name).suffix.lower().removeprefix(".")
        return given if given in self.endings else self.endings[0]


XML: Final = MediaType("application/xml", ("xml",), b"<?xml")
OTHER: Final = MediaType("application/octet-stream", ("bin",))
TEXT: Final = MediaType("text/plain", ("txt", "csv", "eml", "json"))
MEDIA_TYPES: Final = (
    MediaType("application/pdf", ("pdf",), b"%PDF-"),
    MediaType("image/png", ("png",), b"\x89PNG\r\n\x1a\n"),
    MediaType("image/jpeg", ("jpg", "jpeg"), b"\xff\xd8\xff"),
    MediaType("image/gif", ("gif",), b"GIF8"),
    MediaType("image/tiff", ("tif", "tiff"), b"II*\x00"),
    MediaType("image/tiff", ("tif", "tiff"), b"MM\x00*"),
    MediaType("image/heic", ("heic", "heif"), b"ftypheic", 4),
    MediaType("image/heic", ("heic", "heif"), b"ftypmif1", 4),
    MediaType("image/webp", ("webp",), b"WEBP", 8),
    MediaType("application/zip", ("zip", "docx", "xlsx", "pptx", "odt", "ods"), b"PK\x03\x04"),
    MediaType("application/x-ole-storage", ("doc", "xls", "ppt", "msg"), b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
    MediaType("application/rtf", ("rtf",), b"{\\rtf"),
)
"""The first that fits counts."""
PROGRAMS: Final = (
    *(b"MZ", b"\x7fELF", b"#!", b"\xca\xfe\xba\xbe"),
    *(b"\xfe\xed\xfa", b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe"),
)
"""How they begin."""
_IN_BROWSERS: Final = (b"html", b"svg", b"script", b"xml-stylesheet")
"""What makes a page of XML."""
_MARKUP: Final = (b"<", b"\xef\xbb\xbf<")
_BOM: Final = b"\xef\xbb\xbf"


def media_type(begin: bytes, name: str) -> MediaType | None:
    """What begins like this; None for what is not kept.

    Text is kept only under the name of a text: where a server has no file it may send words about it.
    """
    begin = begin[:_LOOKED_AT]
    for one in MEDIA_TYPES:
        if begin[one.at : one.at + len(one.begins)] == one.begins:
            return one
    # Mail and scanner programs put something before it; readers look for it in the first 1,024 bytes.
    if MEDIA_TYPES[0].begins in begin[:1024] and not begin.lstrip().startswith(_MARKUP):
        return MEDIA_TYPES[0]
    if not begin or begin.startswith(PROGRAMS):
        return None
    return _as_text(begin, name) if _is_text(begin) else OTHER


def _as_text(begin: bytes, name: str) -> MediaType | None:
    called = PurePosixPath(name).suffix.lower().removeprefix(".")
    if called in XML.endings and begin.removeprefix(_BOM).lstrip().startswith(XML.begins):
        return None if any(mark in begin.lower() for mark in _IN_BROWSERS) else XML
    return TEXT if called in TEXT.endings and _is_a_text(begin) else None


def _is_text(begin: bytes) -> bool:
    return not any(byte < 9 or (13 < byte < 32 and byte != 27) for byte in begin)


def _is_a_text(begin: bytes) -> bool:
    """False for nothing, a page, and BILL's words about an error."""
    stripped = begin.removeprefix(_BOM).lstrip()
    return bool(stripped) and not stripped.startswith(b"<") and not says_error(begin)
