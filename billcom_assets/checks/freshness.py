"""The check that the sensor ``freshness`` reports on; run by hand it gives the same verdict at once."""

# No postponed annotations: Dagster reads those of the resources.
import dagster as dg

from billcom_assets.automation.freshness import CHECK, WATCHED, assess
from billcom_assets.resources import Billcom
from billcom_assets.sync.run import utc_now


@dg.asset_check(
    asset=WATCHED,
    name=CHECK.name,
    description="Every integration that was ever synced was synced recently: syncs run hourly, and two may be missed. "
    "A sensor tells it, without runs; one result stands for all integrations and names the late ones.",
)
def freshness(billcom: Billcom) -> dg.AssetCheckResult:
    """How fresh the data of all integrations is now."""
    verdict = assess(billcom.warehouse, utc_now()).evaluation()
    return dg.AssetCheckResult(
        passed=verdict.passed,
        severity=verdict.severity,
        description=verdict.description,
        metadata=verdict.metadata,
    )
