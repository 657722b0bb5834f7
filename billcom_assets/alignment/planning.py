"""Making a plan of what the database holds of both charts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from billcom_assets.alignment.changes import Change
from billcom_assets.alignment.chart import Charts
from billcom_assets.alignment.planner import plan
from billcom_assets.alignment.plans import MAX_CHANGES, AlignmentRefused, Planned, save_plan
from billcom_assets.alignment.reading import read_charts
from billcom_assets.sync.state import pulled_completely
from billcom_assets.warehouse.alignment_modes import Alignment, SourceOfTruth
from billcom_assets.warehouse.alignment_settings import alignment_settings
from billcom_assets.warehouse.audit import Actor


@dataclass(frozen=True, slots=True)
class Differences:
    """What differs between the charts now, nothing of it stored."""

    charts: Charts
    changes: tuple[Change, ...]
    """As a plan would have them, conflicts too."""


def differences(connection: Connection, integration: str) -> Differences:
    """What would be planned now.

    Raises:
        AlignmentRefused: nothing is planned for the integration; the text says why and what to do.
        UnknownIntegration: there is no such integration.
    """
    refuse_to_plan(connection, integration)
    if "accounts" not in pulled_completely(connection, integration):
        raise AlignmentRefused(
            f"BILL's chart of accounts of {integration} was never fetched, so there is nothing to compare. "
            f"Fetch it with: billcom seed {integration}"
        )
    charts = read_charts(connection, integration)
    if not charts.active:
        raise AlignmentRefused(
            f"{integration} has no active account in its ledger, so there is no chart that BILL's could follow. "
            f"Load it with: billcom ledger import {integration} --accounts FILE"
        )
    return Differences(charts, plan(charts))


def make_plan(
    connection: Connection,
    integration: str,
    actor: Actor,
    now: datetime,
    *,
    run_id: str | None = None,
    max_changes: int = MAX_CHANGES,
    again: bool = False,
) -> tuple[Differences, Planned]:
    """Plans and stores the plan where it says something new; see :func:`save_plan`. Nothing is asked of BILL.

    Raises:
        AlignmentRefused: nothing is planned for the integration; the text says why and what to do.
        UnknownIntegration: there is no such integration.
    """
    found = differences(connection, integration)
    planned = save_plan(
        connection, found.charts, found.changes, actor, now, run_id=run_id, max_changes=max_changes, again=again
    )
    return found, planned


def refuse_to_plan(connection: Connection, integration: str) -> None:
    """Raises AlignmentRefused where the integration's settings want no plan."""
    settings = alignment_settings(connection, integration)
    if settings.alignment is Alignment.OFF:
        raise AlignmentRefused(
            f"The charts of accounts of {integration} are not compared: alignment is off. "
            f"To plan again: billcom connect {integration} --alignment plan"
        )
    if settings.source_of_truth is SourceOfTruth.BILL:
        raise AlignmentRefused(
            f"BILL's chart of accounts is the one to follow for {integration}, so nothing is planned to be written to "
            f"BILL. See what the ledger should adopt: billcom align {integration} adopt"
        )


def refuse_items(integration: str) -> None:
    """Items go from BILL to the ledger alone.

    Raises:
        AlignmentRefused: always.
    """
    raise AlignmentRefused(
        "Items are never written to BILL: they are read from BILL and mapped to the ledger's, because BILL's documents "
        "keep the price and account that an item had, and a changed item would alter what new documents are coded to. "
        f"Map them with: billcom mappings suggest {integration} --kind items"
    )
