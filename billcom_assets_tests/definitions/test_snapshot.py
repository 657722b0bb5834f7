"""What Dagster sees of us, beside what it saw when somebody last looked.

A difference is either a mistake or meant. When it is meant: UPDATE_SNAPSHOTS=1 pytest this file, and read the diff.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from billcom_assets.checks.freshness import CHECK as FOR_ALL_INTEGRATIONS
from billcom_assets.definitions import defs
from billcom_assets.entities.catalog import CATALOG
from billcom_assets.entities.plan import seed_plan, sync_plan

STORED = Path(__file__).with_name("snapshot.json")
UPDATE = "UPDATE_SNAPSHOTS"


def current() -> dict[str, Any]:
    repository = defs.get_repository_def()
    return {
        "assets": _assets(),
        "jobs": {job.name: _job(job) for job in repository.get_all_jobs() if not job.name.startswith("__")},
        "schedules": {
            one.name: {
                "job": one.job_name,
                "cron": one.cron_schedule,
                "zone": one.execution_timezone,
                "default": one.default_status.value,
            }
            for one in repository.schedule_defs
        },
        "sensors": {
            one.name: {
                "jobs": [target.job_name for target in one.targets],
                "seconds": one.minimum_interval_seconds,
                "default": one.default_status.value,
            }
            for one in repository.sensor_defs
        },
    }


def _assets() -> list[dict[str, Any]]:
    graph = defs.resolve_asset_graph()
    order = [step.name for step in sync_plan(CATALOG)]
    keys = {key.to_user_string(): key for key in graph.get_all_asset_keys()}
    return [_asset(graph, keys[name]) for name in [*order, *sorted(keys.keys() - set(order))]]


def _asset(graph: Any, key: dg.AssetKey) -> dict[str, Any]:
    node = graph.get(key)
    checks = sorted(graph.get_check_keys_for_assets({key}), key=lambda one: one.name)
    return {
        "key": key.to_user_string(),
        "after": sorted(parent.to_user_string() for parent in node.parent_keys),
        "group": node.group_name,
        "kinds": sorted(node.kinds),
        "tags": {name: value for name, value in sorted(node.tags.items()) if not name.startswith("dagster/kind/")},
        "partitions": node.partitions_def.name if node.partitions_def else None,
        "checks": [one.name + (" (blocking)" if graph.get_check_spec(one).blocking else "") for one in checks],
    }


def _job(job: dg.JobDefinition) -> dict[str, Any]:
    selected = {key.to_user_string() for key in job.asset_layer.selected_asset_keys}
    return {
        "order": [step.name for step in sync_plan(CATALOG) if step.name in selected],
        "checks": len(job.asset_layer.asset_graph.asset_check_keys),
        "partitions": job.partitions_def.name if job.partitions_def else None,
        "executor": job.executor_def.name,
    }


def test_nothing_that_dagster_sees_has_changed_by_accident() -> None:
    now = json.dumps(current(), indent=1) + "\n"
    if os.environ.get(UPDATE):
        STORED.write_text(now, encoding="utf-8")
        pytest.skip(f"{STORED.name} was written again: read its diff")
    assert now == STORED.read_text(encoding="utf-8"), (
        f"Assets, jobs, schedules or sensors are not what {STORED.name} says. If that is meant, run this file with "
        f"{UPDATE}=1 and commit the diff."
    )


MANDATED_SYNC = [
    "vendors",
    "funding_accounts",
    "accounts",
    "gate",
    "account_alignment",
    "bills",
    "vendor_credits",
    "vendor_payments",
    "items",
    "customers",
    "departments",
    "jobs",
    "locations",
    "accounting_classes",
    "employees",
    "invoices",
    "credit_memos",
    "receivable_payments",
    "recurring_bills",
    "recurring_invoices",
    "users",
    "roles",
    "money_movements",
    "ledger_bills",
    "ledger_vendor_credits",
    "ledger_vendor_payments",
    "ledger_money_movements",
    "journal",
    "trial_balance",
    "held_documents",
    "opening_documents",
    "ap_aging",
    "ar_aging",
    "documents",
]
MANDATED_SEED = [
    "vendors",
    "funding_accounts",
    "accounts",
    "items",
    "departments",
    "jobs",
    "locations",
    "accounting_classes",
    "employees",
]


def test_the_plans_are_the_mandated_orders() -> None:
    assert [step.name for step in sync_plan(CATALOG)] == MANDATED_SYNC
    assert list(seed_plan(CATALOG)) == MANDATED_SEED


def test_every_check_is_partitioned_like_its_asset() -> None:
    graph = defs.resolve_asset_graph()
    for key in graph.asset_check_keys - {FOR_ALL_INTEGRATIONS}:
        assert graph.get_check_spec(key).partitions_def == graph.get(key.asset_key).partitions_def, key


def test_the_definitions_can_be_loaded() -> None:
    dg.Definitions.validate_loadable(defs)


def test_every_asset_has_columns_and_words_for_an_analyst() -> None:
    graph = defs.resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert len(node.description or "") > 20, key
        if key.to_user_string() in CATALOG:
            schema = node.metadata["dagster/column_schema"]
            assert all(column.description for column in schema.columns), key
