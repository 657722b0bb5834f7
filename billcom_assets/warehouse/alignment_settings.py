"""What somebody wants of the alignment of an integration's chart of accounts."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from billcom_assets.warehouse.alignment_modes import Alignment, SourceOfTruth
from billcom_assets.warehouse.known_integrations import require_integration
from billcom_assets.warehouse.tables import integrations


@dataclass(frozen=True, slots=True)
class AlignmentSettings:
    """The settings of one integration."""

    alignment: Alignment
    source_of_truth: SourceOfTruth
    second_approver: bool
    """Whoever approves a plan is not who made it."""
    other_accounting_system: str | None
    """What BILL itself syncs with; ``none``; None while unknown."""


def alignment_settings(connection: Connection, key: str) -> AlignmentSettings:
    """The settings of an integration.

    Raises:
        UnknownIntegration: there is no such integration.
    """
    require_integration(connection, key)
    c = integrations.c
    query = select(c.alignment, c.source_of_truth, c.second_approver, c.other_accounting_system)
    row = connection.execute(query.where(c.key == key)).one()
    return AlignmentSettings(
        Alignment(row.alignment), SourceOfTruth(row.source_of_truth), row.second_approver, row.other_accounting_system
    )
