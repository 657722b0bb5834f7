"""Takes apart JSON that strict readers refuse, so that one bad object on a page is not a lost list.

Only strings and brackets are looked at, without recursion: numbers such as ``NaN`` and nesting of any depth pass
through as bytes, for whoever reads the part to judge. What is cut off stays refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

_TOKENS: Final = re.compile(rb'"(?:[^"\\]++|\\.?)*+(?P<closing>")?|[\[\]{},]', re.DOTALL)
"""Also a text that does not end: whatever the input, no character is looked at twice."""
_KEY: Final = re.compile(rb'("(?:[^"\\]++|\\.)*+")\s*:', re.DOTALL)
_CLOSES: Final = {b"[": b"]", b"{": b"}"}


class NotSalvageable(ValueError):
    """Not even the brackets of the bytes are in order."""


def elements(array: bytes) -> list[bytes]:
    """The elements of a JSON array as they stand there.

    Raises:
        NotSalvageable: it is none, or cut off.
    """
    return [part for part in _parts(array, b"[") if part]


def members(document: bytes) -> dict[str, bytes]:
    """The values of a JSON object as they stand there, by key; of equal keys the last.

    Raises:
        NotSalvageable: it is none, or cut off.
    """
    found: dict[str, bytes] = {}
    for part in filter(None, _parts(document, b"{")):
        key = _KEY.match(part)
        if key is None:
            raise NotSalvageable("a member without a key")
        found[_text(key[1])] = part[key.end() :].strip()
    return found


def _parts(document: bytes, opening: bytes) -> Iterator[bytes]:
    """What the commas of the outermost bracket divide."""
    document = document.strip()
    if document[:1] != opening:
        raise NotSalvageable("another kind of value")
    expected: list[bytes] = []
    begins = 1
    for token in _TOKENS.finditer(document):
        sign = token[0]
        if sign[:1] == b'"':
            if token["closing"] is None:
                break
        elif sign in _CLOSES:
            expected.append(_CLOSES[sign])
        elif sign in (b"]", b"}"):
            if not expected or expected.pop() != sign:
                raise NotSalvageable("brackets that do not match")
            if not expected:
                if token.end() != len(document):
                    raise NotSalvageable("something after the end")
                yield document[begins : token.start()].strip()
                return
        elif sign == b"," and len(expected) == 1:
            yield document[begins : token.start()].strip()
            begins = token.end()
    raise NotSalvageable("cut off")


def _text(quoted: bytes) -> str:
    try:
        return str(json.loads(quoted, strict=False))
    except ValueError:
        raise NotSalvageable("a key that is no text") from None
