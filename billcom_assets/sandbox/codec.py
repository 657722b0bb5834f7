"""JSON in and out with exact numbers."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

Doc = dict[str, Any]

_ENCODER = msgspec.json.Encoder(decimal_format="number")
_DECODER: msgspec.json.Decoder[Any] = msgspec.json.Decoder(float_hook=Decimal)

encode = _ENCODER.encode
"""JSON bytes; Decimals become numbers with exactly the digits they carry."""


def decode(body: bytes) -> Any:
    """Parsed JSON; numbers with a point become Decimal.

    Raises:
        ValueError: ``body`` is no JSON.
    """
    try:
        return _DECODER.decode(body)
    except (msgspec.DecodeError, RecursionError) as cause:
        raise ValueError(str(cause)) from cause


def compact(doc: Doc) -> Doc:
    """``doc`` without its None members, as v3 omits what is not populated."""
    return {key: value for key, value in doc.items() if value is not None}
