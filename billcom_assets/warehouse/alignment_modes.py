"""The choices of how the charts of accounts are aligned."""

from __future__ import annotations

from enum import StrEnum


class Alignment(StrEnum):
    """What becomes of differences between the charts of accounts."""

    OFF = "off"
    """They are not looked at."""
    PLAN = "plan"
    """Every sync plans what would end them, and a person has it applied."""
    APPLY = "apply"
    """Every sync plans, and what a person has approved is applied by itself."""


class SourceOfTruth(StrEnum):
    """Whose chart of accounts the other follows."""

    LEDGER = "ledger"
    BILL = "bill"
    """Nothing is ever written to BILL."""
