"""What somebody wants of the alignment of an integration's chart of accounts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from billcom_assets.warehouse import audit
from billcom_assets.warehouse.alignment_modes import Alignment, SourceOfTruth
from billcom_assets.warehouse.audit import Actor, What
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
    is_production: bool = False
    """BILL's environment is that of real companies."""


def alignment_settings(connection: Connection, key: str) -> AlignmentSettings:
    """The settings of an integration.

    Raises:
        UnknownIntegration: there is no such integration.
    """
    require_integration(connection, key)
    c = integrations.c
    query = select(c.alignment, c.source_of_truth, c.second_approver, c.other_accounting_system, c.environment)
    row = connection.execute(query.where(c.key == key)).one()
    return AlignmentSettings(
        Alignment(row.alignment),
        SourceOfTruth(row.source_of_truth),
        row.second_approver,
        row.other_accounting_system,
        row.environment == "production",
    )


def keep_other_accounting_system(connection: Connection, key: str, system: str, actor: Actor, now: datetime) -> None:
    """Remembers what somebody has said of BILL's own sync, so that nobody is asked again."""
    connection.execute(update(integrations).where(integrations.c.key == key).values(other_accounting_system=system))
    audit.record(
        connection,
        actor=actor,
        what=What.SETTING_CHANGED,
        integration=key,
        subject="other_accounting_system",
        after=system,
        now=now,
    )
