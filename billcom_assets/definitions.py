"""What Dagster loads: the wiring and nothing else."""

from __future__ import annotations

import dagster as dg

from billcom_assets.assets.integrations import integrations
from billcom_assets.assets.pulls import pulls
from billcom_assets.assets.reconciliation import reconciliation
from billcom_assets.assets.source_code import with_source_code
from billcom_assets.automation.freshness import freshness as freshness_sensor
from billcom_assets.automation.jobs import JOBS, look_over
from billcom_assets.automation.pruning import prune_history
from billcom_assets.automation.schedules import SCHEDULES
from billcom_assets.automation.sensors import SENSORS
from billcom_assets.checks.freshness import freshness
from billcom_assets.resources import Billcom

defs = dg.Definitions(
    assets=with_source_code(pulls, integrations),
    asset_checks=[freshness, reconciliation],
    jobs=[*JOBS, look_over, prune_history],
    schedules=SCHEDULES,
    sensors=[*SENSORS, freshness_sensor],
    resources={"billcom": Billcom()},
    # One process per run: one BILL session, and no process per step.
    executor=dg.in_process_executor,
)
