"""The jobs that a user launches, here or with the command."""

from __future__ import annotations

import dagster as dg

from billcom_assets.assets.integrations import NAME as INTEGRATIONS
from billcom_assets.assets.pulls import PULLS, checks_of
from billcom_assets.assets.reconciliation import RECONCILIATION
from billcom_assets.assets.writing_chart import align_chart_of_accounts
from billcom_assets.books.identities.catalog import IDENTITIES
from billcom_assets.checks.identities import check_key
from billcom_assets.dagster_internals import UnresolvedAssetJobDefinition
from billcom_assets.entities.catalog import CATALOG
from billcom_assets.entities.plan import seed_plan, sync_plan
from billcom_assets.partitions import INTEGRATIONS as PARTITIONS

_SYNCED = [dg.AssetKey(step.name) for step in sync_plan(CATALOG)]
# No checks that only some of the runs look at: in the others they would count as skipped, whatever was found before.
_ALL = dg.AssetSelection.assets(*_SYNCED).without_checks() | dg.AssetSelection.checks(*checks_of(_SYNCED))
_BY_ITSELF = {"ops": {RECONCILIATION: {"config": {"against_bill": False}}}}

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

reconcile = dg.define_asset_job(
    "reconcile",
    selection=dg.AssetSelection.checks(*map(check_key, IDENTITIES)),
    # Dagster does not see by itself that a job of checks alone has partitions.
    config=dg.PartitionedConfig(PARTITIONS, run_config_for_partition_key_fn=lambda _integration: _BY_ITSELF),
    description="Looks whether the books agree with themselves, with the mirror and, with against_bill, with BILL: "
    "the checks of journal, trial_balance and held_documents. Pulls and posts nothing.",
)

look_over = dg.define_asset_job(
    "look_over",
    selection=dg.AssetSelection.assets(INTEGRATIONS),
    description="Looks at every integration: whether it is ready, when it was last synced, and what all add up to.",
)

JOBS: list[dg.JobDefinition | UnresolvedAssetJobDefinition] = [
    initial_seed,
    full_sync,
    full_refresh,
    align_chart_of_accounts,
    reconcile,
]
"""One run for each integration."""
