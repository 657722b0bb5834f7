"""The check that the sensor ``freshness`` reports on; run by hand it gives the same verdict at once."""

# No postponed annotations: Dagster reads those of the resources.
import dagster as dg

from billcom_assets.automation.freshness import CHECK, WATCHED, evaluation
from billcom_assets.automation.partitions import INTEGRATIONS, partitioned_checks
from billcom_assets.ledger.data_quality import freshness as measure
from billcom_assets.resources import Billcom
from billcom_assets.sync.pull import utc_now


def _check() -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=WATCHED,
        name=CHECK.name,
        partitions_def=INTEGRATIONS,
        description="The last sync is recent: hourly ones, of which two may be missed. A sensor tells it, without "
        "runs.",
    )
    def freshness(context: dg.AssetCheckExecutionContext, billcom: Billcom) -> dg.AssetCheckResult:
        key = context.partition_key
        with billcom.warehouse.read() as connection:
            verdict = evaluation(key, measure(connection, key, WATCHED, utc_now()))
        return dg.AssetCheckResult(
            passed=verdict.passed,
            severity=verdict.severity,
            description=verdict.description,
            metadata=verdict.metadata,
        )

    return freshness


with partitioned_checks():
    freshness = _check()
