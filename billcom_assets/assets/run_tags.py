"""Tags that a run carries besides Dagster's own."""

from __future__ import annotations

OWNER_TAG = "billcom/owner"
REASON_TAG = "billcom/reason"
"""Why a sensor launched the run."""


def owner_tag(owner: str | None) -> dict[str, str]:
    """Who answers for the run's integration, so that runs can be filtered by it; nothing when nobody was named.

    Owners of Dagster's belong to an asset, which all integrations share.
    """
    return {OWNER_TAG: owner} if owner else {}
