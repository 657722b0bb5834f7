"""Placeholder."""

from __future__ import annotations

from dataclasses import dataclass

from billcom_assets.sandbox.world import Organization


@dataclass(frozen=True, slots=True)
class Change:
    """x."""

    what: str
    path: str
    id: str


def change(organization: Organization, n: int, seed: int) -> list[Change]:
    """X."""
    raise NotImplementedError
