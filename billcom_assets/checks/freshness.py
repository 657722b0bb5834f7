"""The check that the sensor ``freshness`` reports on; run by hand it returns the same result at once.

One result stands for all integrations and names the late ones. Dagster keeps a result without a run only once for each
partition (``asset_check_executions`` is unique by asset, check, run and partition), so one per integration could not be
reported a second time.
"""

# No postponed annotations: Dagster reads those of the resources.
import dagster as dg

from billcom_assets.clock import utc_now
from billcom_assets.resources import Billcom
from billcom_assets.status.freshness import FreshnessReport, freshness_of_all
from billcom_assets.text_tables import table

_WATCHED = "bills"
"""The asset on which the check stands; it looks at every entity."""
CHECK = dg.AssetCheckKey(dg.AssetKey(_WATCHED), "freshness")


@dg.asset_check(
    asset=_WATCHED,
    name=CHECK.name,
    description="Every integration that was ever synced is up to date: BILL is asked about bills every hour, and two "
    "may be missed; other lists are pulled every night at the latest. "
    "A sensor reports it, without runs; one result stands for all integrations and names the late ones.",
)
def freshness(billcom: Billcom) -> dg.AssetCheckResult:
    """How fresh the data of all integrations is now."""
    evaluated = evaluation(freshness_of_all(billcom.warehouse, utc_now()))
    return dg.AssetCheckResult(
        passed=evaluated.passed,
        severity=evaluated.severity,
        description=evaluated.description,
        metadata=evaluated.metadata,
    )


def evaluation(report: FreshnessReport) -> dg.AssetCheckEvaluation:
    """What Dagster keeps of the report."""
    metadata: dict[str, dg.MetadataValue] = {
        "fresh": dg.MetadataValue.int(report.fresh),
        "late": dg.MetadataValue.int(len(report.troubled)),
        "not_synced_yet": dg.MetadataValue.int(report.never),
    }
    if report.troubled:
        metadata["how_to_fix"] = table(("integration", "found", "fix"), report.fixes())
    return dg.AssetCheckEvaluation(
        asset_key=CHECK.asset_key,
        check_name=CHECK.name,
        passed=report.is_measured and not report.troubled,
        severity=dg.AssetCheckSeverity.WARN,
        description=report.description,
        metadata=metadata,
        blocking=False,
    )
