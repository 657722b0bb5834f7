"""The jobs that a user launches, here or with the command."""

from __future__ import annotations

import dagster as dg

from billcom_assets.assets.integrations import NAME as INTEGRATIONS
from billcom_assets.assets.pulls import PULLS
from billcom_assets.checks.freshness import CHECK
from billcom_assets.entities.catalog import CATALOG
from billcom_assets.entities.plan import seed_plan, sync_plan

# Freshness is reported by its sensor: in a run that stops before bills the check would count as not executed.
_ALL = dg.AssetSelection.assets(*(step.name for step in sync_plan(CATALOG))) - dg.AssetSelection.checks(CHECK)

initial_seed = dg.define_asset_job(
    "initial_seed",
    selection=dg.AssetSelection.assets(*seed_plan(CATALOG)),
    description="First run after connecting: pulls the lists that mappings are made from, whatever setup misses.",
)

full_sync = dg.define_asset_job(
    "full_sync",
    selection=_ALL,
    description="Brings every entity up to date in the mandated order. Stops before bills until setup is complete.",
)

full_refresh = dg.define_asset_job(
    "full_refresh",
    selection=_ALL,
    config={"ops": {PULLS: {"config": {"refresh": True}}}},
    description="Reads every list from end to end and notes what BILL no longer has. Same order and gate as full_sync.",
)

look_over = dg.define_asset_job(
    "look_over",
    selection=dg.AssetSelection.assets(INTEGRATIONS),
    description="Looks at every integration: whether it is ready, when it was last synced, and what all add up to.",
)

JOBS = [initial_seed, full_sync, full_refresh]
"""Jobs that pull, one run for each integration."""
