"""Schedules: what is looked at by the clock, whatever the integrations need."""

from __future__ import annotations

import dagster as dg

from billcom_assets.automation.jobs import look_over
from billcom_assets.automation.pruning import prune_history

SCHEDULES = [
    dg.ScheduleDefinition(
        name="look_over",
        job=look_over,
        cron_schedule="5 * * * *",
        execution_timezone="UTC",
        description="Looks at every integration once an hour, for the asset integrations.",
        default_status=dg.DefaultScheduleStatus.RUNNING,
    ),
    dg.ScheduleDefinition(
        name="prune_history",
        job=prune_history,
        cron_schedule="30 3 * * *",
        execution_timezone="UTC",
        description="Deletes old runs every night at 03:30 UTC.",
        default_status=dg.DefaultScheduleStatus.RUNNING,
    ),
]
