"""The prerequisites of a full sync as checks of the asset ``gate``, one result per integration.

None of them is blocking in Dagster's sense, which would fail the run and with it every asset behind the gate: the plan
itself goes no further while one does not hold.
"""

from __future__ import annotations

import dagster as dg

from billcom_assets.entities.plan import GATE
from billcom_assets.partitions import INTEGRATIONS, partitioned_checks
from billcom_assets.setup.prerequisites import PREREQUISITES, Finding


def specs() -> list[dg.AssetCheckSpec]:
    """One per prerequisite."""
    with partitioned_checks():
        return [
            dg.AssetCheckSpec(
                name=prerequisite.name,
                asset=GATE,
                description=f"{prerequisite.description} Until then nothing behind the gate is pulled.",
                partitions_def=INTEGRATIONS,
            )
            for prerequisite in PREREQUISITES
        ]


def evaluation(finding: Finding, integration: str) -> dg.AssetCheckEvaluation:
    """What Dagster keeps of a prerequisite and whether it holds.

    A warning at most: an error of one integration would show the gate as failed for all of them.
    """
    metadata: dict[str, dg.MetadataValue] = {"found": dg.MetadataValue.text(finding.found)}
    if finding.fix:
        metadata["how_to_fix"] = dg.MetadataValue.text(finding.fix)
    return dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey(GATE),
        check_name=finding.prerequisite.name,
        partition=integration,
        passed=finding.met,
        severity=dg.AssetCheckSeverity.WARN,
        # Markdown to the UI, so without what others wrote.
        description=finding.summary if finding.met else f"{finding.summary}. {finding.fix}",
        metadata=metadata,
        blocking=False,
    )
