"""The prerequisites of a full sync as blocking checks, one result per integration."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg
from sqlalchemy import Connection

from billcom_assets.partitions import INTEGRATIONS, partitioned_checks
from billcom_assets.setup.prerequisites import PREREQUISITES, Finding
from billcom_assets.status.readiness import evaluate


def specs() -> list[dg.AssetCheckSpec]:
    """One per prerequisite, on the asset whose data it looks at."""
    with partitioned_checks():
        return [
            dg.AssetCheckSpec(
                name=prerequisite.name,
                asset=prerequisite.entity,
                description=prerequisite.description,
                blocking=True,
                partitions_def=INTEGRATIONS,
            )
            for prerequisite in PREREQUISITES
        ]


def results(
    connection: Connection, integration: str, entity: str, *, gate_ahead: bool
) -> Iterator[dg.AssetCheckResult]:
    """The results of the prerequisites placed on ``entity``.

    Args:
        connection: For reading.
        integration: Key of the integration.
        entity: Asset that was just materialized.
        gate_ahead: The run goes on to what the prerequisites guard; otherwise what is missing is only a warning.
    """
    for finding in evaluate(connection, integration):
        if finding.prerequisite.entity == entity:
            yield _result(finding, gate_ahead=gate_ahead)


def _result(finding: Finding, *, gate_ahead: bool) -> dg.AssetCheckResult:
    metadata: dict[str, dg.MetadataValue] = {"found": dg.MetadataValue.text(finding.found)}
    if finding.fix:
        metadata["how_to_fix"] = dg.MetadataValue.text(finding.fix)
    return dg.AssetCheckResult(
        asset_key=finding.prerequisite.entity,
        check_name=finding.prerequisite.name,
        passed=finding.met,
        severity=dg.AssetCheckSeverity.ERROR if gate_ahead else dg.AssetCheckSeverity.WARN,
        # Markdown to the UI, so without what others wrote.
        description=finding.summary if finding.met else f"{finding.summary}. {finding.fix}",
        metadata=metadata,
    )
