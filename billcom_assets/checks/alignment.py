"""The check that BILL's chart of accounts is what the ledger's is; it holds nothing up."""

from __future__ import annotations

from collections import Counter
from typing import Final

import dagster as dg
from sqlalchemy import Connection

from billcom_assets.alignment.adopting import adoptions
from billcom_assets.alignment.planning import differences
from billcom_assets.alignment.plans import AlignmentRefused
from billcom_assets.alignment.reading import read_charts
from billcom_assets.entities.plan import ALIGNMENT
from billcom_assets.partitions import INTEGRATIONS, partitioned_checks
from billcom_assets.redaction.counted import counted
from billcom_assets.warehouse.alignment_modes import Alignment, SourceOfTruth
from billcom_assets.warehouse.alignment_settings import alignment_settings

NAME: Final = "chart_of_accounts_aligned"
KEY: Final = dg.AssetCheckKey(dg.AssetKey(ALIGNMENT), NAME)


def spec() -> dg.AssetCheckSpec:
    """Its declaration."""
    with partitioned_checks():
        return dg.AssetCheckSpec(
            name=NAME,
            asset=ALIGNMENT,
            description="BILL's chart of accounts has the ledger's active accounts, by number, name, type, description "
            "and parent, and no others. Where BILL's chart is the one to follow, it is the other way round.",
            partitions_def=INTEGRATIONS,
        )


def evaluation(connection: Connection, integration: str) -> dg.AssetCheckEvaluation:
    """What differs now, and the command that is next."""
    settings = alignment_settings(connection, integration)
    if settings.alignment is not Alignment.OFF and settings.source_of_truth is SourceOfTruth.BILL:
        charts = read_charts(connection, integration)
        kinds = Counter(one.change for one in adoptions(charts) if one.change != "same")
        return _evaluation(integration, dict(kinds), f"billcom align {integration} adopt")
    try:
        found = differences(connection, integration)
    except AlignmentRefused as refused:
        is_off = settings.alignment is Alignment.OFF
        return _of(integration, passed=is_off, description=str(refused), metadata={})
    actions = Counter(one.action.value for one in found.changes)
    return _evaluation(integration, dict(actions), f"billcom align {integration} show")


def _evaluation(integration: str, kinds: dict[str, int], command: str) -> dg.AssetCheckEvaluation:
    total = sum(kinds.values())
    metadata: dict[str, dg.MetadataValue] = {name: dg.MetadataValue.int(count) for name, count in kinds.items()}
    metadata["differences"] = dg.MetadataValue.int(total)
    if not total:
        description = "The charts of accounts agree."
        return _of(integration, passed=True, description=description, metadata=metadata)
    metadata["how_to_fix"] = dg.MetadataValue.text(command)
    description = f"{counted(total, 'difference', 'differences')} between the charts of accounts: {command}"
    return _of(integration, passed=False, description=description, metadata=metadata)


def _of(
    integration: str, *, passed: bool, description: str, metadata: dict[str, dg.MetadataValue]
) -> dg.AssetCheckEvaluation:
    return dg.AssetCheckEvaluation(
        asset_key=KEY.asset_key,
        check_name=NAME,
        partition=integration,
        passed=passed,
        severity=dg.AssetCheckSeverity.WARN,
        description=description,
        metadata=metadata,
        blocking=False,
    )
