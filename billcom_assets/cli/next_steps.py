"""Which command brings an integration on."""

from __future__ import annotations

from collections.abc import Sequence

from billcom_assets.setup.prerequisites import Finding


def next_step(key: str, missing: Sequence[Finding], *, when_ready: str = "billcom sync {key}") -> str:
    """The command that meets the first missing prerequisite, or ``when_ready`` when none is missing."""
    return missing[0].fix if missing else when_ready.format(key=key)
