"""Everything that people want to know about integrations, gathered."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, func, select

from billcom_assets.books.missing_settings import MissingSetting, missing_settings
from billcom_assets.books.policy import proposed_policy
from billcom_assets.documents.known import Summary, summary
from billcom_assets.entities.catalog import CATALOG
from billcom_assets.mapping.blocked import Blocked
from billcom_assets.mapping.coverage import Coverage, mapping_coverage, unpostable
from billcom_assets.mapping.next_step import mapping_command
from billcom_assets.mapping.overview import Overviews
from billcom_assets.setup.prerequisites import Finding, next_step
from billcom_assets.status.entities import EntityStatus, entity_statuses
from billcom_assets.status.errors import OpenErrors, held_documents, open_errors
from billcom_assets.status.integrations import IntegrationStatus, every_integration, one_integration
from billcom_assets.status.readiness import evaluate
from billcom_assets.status.runs import RunStatus, last_runs
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.integrations import CredentialCheck
from billcom_assets.warehouse.tables import integration_errors, sync_state


@dataclass(frozen=True, slots=True)
class CredentialStatus:
    """Whether an integration's stored credentials can be used."""

    usable: bool | None
    """None when nobody can know without the key."""
    problem: str | None


@dataclass(frozen=True, slots=True)
class IntegrationSummary:
    """One integration in a line."""

    integration: IntegrationStatus
    last_sync: datetime | None
    """When a pull last ended."""
    up_to_date_at: datetime | None
    """The same, or when BILL last said that there is nothing new."""
    rows: int
    """Objects in the mirror that BILL still has."""
    open_errors: int
    credentials: CredentialStatus


@dataclass(frozen=True, slots=True)
class IntegrationReport:
    """Everything about one integration."""

    summary: IntegrationSummary
    findings: list[Finding]
    coverage: list[Coverage]
    entities: list[EntityStatus]
    runs: list[RunStatus]
    errors: list[OpenErrors]
    held: int
    files: Summary
    """Files attached in BILL."""
    unpostable: tuple[Blocked, ...]
    """Documents that could not be posted because objects that they use are not mapped."""
    missing_settings: tuple[MissingSetting, ...]
    """Settings of the posting policy that documents need or wait for; a sync can run without them."""
    mapping_command: str | None
    """The command that decides most of what waits to be mapped; None when nothing does."""

    @property
    def is_ready(self) -> bool:
        """True when a full sync may run."""
        return self.summary.credentials.usable is not False and all(finding.met for finding in self.findings)

    @property
    def next_step(self) -> str:
        """The command that brings the integration on."""
        key = self.summary.integration.key
        if self.summary.credentials.usable is False:
            return f"billcom connect {key}"
        missing = [finding for finding in self.findings if not finding.met]
        if not missing and self.unpostable and self.mapping_command:
            return self.mapping_command
        waited_for = [one for one in self.missing_settings if one.documents]
        if not missing and waited_for:
            return waited_for[0].command
        return next_step(key, missing)


def summaries(warehouse: Warehouse, connection: Connection, check: CredentialCheck) -> list[IntegrationSummary]:
    """Every integration, by key."""
    integrations = every_integration(connection)
    totals = _totals(warehouse, connection)
    return [_summary(connection, check, one, totals) for one in integrations]


def report(warehouse: Warehouse, connection: Connection, check: CredentialCheck, key: str) -> IntegrationReport:
    """Everything about one integration.

    Raises:
        UnknownIntegration: there is none of that key.
    """
    integration, views = one_integration(connection, key), Overviews(connection, key)
    return IntegrationReport(
        summary=_summary(connection, check, integration, _totals(warehouse, connection, key)),
        findings=evaluate(connection, key),
        coverage=mapping_coverage(views),
        entities=entity_statuses(warehouse, connection, key),
        runs=last_runs(connection, key),
        errors=open_errors(connection, key),
        held=held_documents(connection, key),
        files=summary(connection, key),
        unpostable=unpostable(views),
        missing_settings=missing_settings(connection, key, proposed_policy(connection, key)),
        mapping_command=mapping_command(views),
    )


@dataclass(frozen=True, slots=True)
class _Totals:
    """By integration."""

    rows: Counter[str]
    errors: dict[str, int]
    last_syncs: dict[str, datetime | None]
    last_probes: dict[str, datetime | None]


def _totals(warehouse: Warehouse, connection: Connection, key: str | None = None) -> _Totals:
    """Of one integration, or of all."""

    def by_integration(table: Table, value: ColumnElement[Any], *conditions: ColumnElement[bool]) -> dict[str, Any]:
        mine = [] if key is None else [table.c.integration == key]
        grouped = select(table.c.integration, value).where(*mine, *conditions).group_by(table.c.integration)
        return {row[0]: row[1] for row in connection.execute(grouped)}

    rows: Counter[str] = Counter()
    for entity in CATALOG:
        mirrored = warehouse.mirror.table(entity.name)
        rows.update(by_integration(mirrored, func.count(), mirrored.c.deleted_at.is_(None)))
    return _Totals(
        rows,
        errors=by_integration(integration_errors, func.count(), integration_errors.c.status == "open"),
        last_syncs=by_integration(sync_state, func.max(sync_state.c.synced_at)),
        last_probes=by_integration(sync_state, func.max(sync_state.c.probed_at)),
    )


def _summary(
    connection: Connection, check: CredentialCheck, integration: IntegrationStatus, totals: _Totals
) -> IntegrationSummary:
    key = integration.key
    return IntegrationSummary(
        integration,
        last_sync=totals.last_syncs.get(key),
        up_to_date_at=max((at for at in (totals.last_syncs.get(key), totals.last_probes.get(key)) if at), default=None),
        rows=totals.rows[key],
        open_errors=totals.errors.get(key, 0),
        credentials=_credentials(connection, check, key),
    )


def _credentials(connection: Connection, check: CredentialCheck, key: str) -> CredentialStatus:
    if check.unchecked:
        return CredentialStatus(None, f"Not checked. {check.unchecked}")
    refusal = check.refusal(connection, key)
    return CredentialStatus(refusal is None, refusal)
