"""Results of checks with partitions, of which Dagster shows those that are of the newest materialization."""

from __future__ import annotations

import dagster as dg

from billcom_assets.dagster_internals import (
    COMPLETED_ASSET_CHECK_EXECUTION_RECORD_STATUSES,
    AssetCheckEvaluationTargetMaterializationData,
    PartitionKeyFilter,
)


def of_newest(instance: dg.DagsterInstance, evaluation: dg.AssetCheckEvaluation) -> dg.AssetCheckEvaluation:
    """The evaluation as one of the newest materialization of its asset for the integration.

    Of a check with partitions the UI shows by partition only what says which materialization it is of.
    """
    wanted = dg.AssetRecordsFilter(evaluation.asset_key, asset_partitions=[str(evaluation.partition)])
    found = instance.fetch_materializations(wanted, limit=1).records
    if not found:
        return evaluation
    newest = found[0]
    return dg.AssetCheckEvaluation(
        asset_key=evaluation.asset_key,
        check_name=evaluation.check_name,
        partition=evaluation.partition,
        passed=evaluation.passed,
        severity=evaluation.severity,
        description=evaluation.description,
        metadata=evaluation.metadata,
        blocking=evaluation.blocking,
        target_materialization_data=AssetCheckEvaluationTargetMaterializationData(
            storage_id=newest.storage_id, run_id=newest.run_id, timestamp=newest.timestamp
        ),
    )


def last_of(instance: dg.DagsterInstance, key: dg.AssetCheckKey, integration: str) -> dg.AssetCheckEvaluation | None:
    """What the check last found of the integration; None when it was never looked at."""
    found = instance.event_log_storage.get_asset_check_execution_history(
        key,
        limit=1,
        status=COMPLETED_ASSET_CHECK_EXECUTION_RECORD_STATUSES,
        partition_filter=PartitionKeyFilter(key=integration),
    )
    return found[0].evaluation if found else None
