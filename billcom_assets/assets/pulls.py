"""The pulls as one multi-asset that walks the sync plan.

Each entity is an asset with its own dependencies, materialization and checks; the plan's order and the gate before the
first gated step hold for every selection, gaps included, because one function walks them.
"""

import time
from collections.abc import Iterator, Sequence

import dagster as dg

from billcom_assets.assets import command_runs
from billcom_assets.assets.alignment import compare_charts
from billcom_assets.assets.failures import failure_for
from billcom_assets.assets.metadata import column_schema, pull_metadata
from billcom_assets.assets.refused_lists import RefusedLists
from billcom_assets.bill.errors import LIST_TROUBLE
from billcom_assets.checks import prerequisites, quality
from billcom_assets.clock import utc_now
from billcom_assets.entities.catalog import CATALOG
from billcom_assets.entities.model import Entity
from billcom_assets.entities.plan import ALIGNMENT, Step, sync_plan
from billcom_assets.mapping.kinds import KINDS
from billcom_assets.mapping.suggestions import suggest
from billcom_assets.partitions import INTEGRATIONS
from billcom_assets.resources import Billcom
from billcom_assets.status.readiness import require_setup
from billcom_assets.sync.engine import pull
from billcom_assets.sync.run import Sync
from billcom_assets.warehouse import audit
from billcom_assets.warehouse.audit import Actor, How, What
from billcom_assets.warehouse.catalog_mirror import catalog_mirror
from billcom_assets.warehouse.errors import describe
from billcom_assets.warehouse.tables import SCHEMA

PULLS = "pulls"
"""Name of the op that walks the plan."""
_PLAN = tuple(sync_plan(CATALOG))
_Event = dg.MaterializeResult[None] | dg.AssetCheckResult


class PullConfig(dg.Config):
    """How the pulls of a run read."""

    refresh: bool = False
    """Read every list from end to end and note what BILL no longer has."""
    confirm_deletions: bool = False
    """What this refresh does not see is gone; without it a second one on another day must miss it too."""


def _spec(step: Step) -> dg.AssetSpec:
    if step.entity is None:
        return dg.AssetSpec(
            step.name,
            deps=step.after,
            partitions_def=INTEGRATIONS,
            group_name="bill",
            kinds={"sql"},
            description="Compares BILL's chart of accounts with the ledger's by number and type, and counts what "
            "differs. Changes nothing in BILL.",
        )
    entity = step.entity
    return dg.AssetSpec(
        entity.name,
        deps=step.after,
        partitions_def=INTEGRATIONS,
        group_name="bill",
        kinds={"bill", "sql"},
        description=f"{entity.description}\n\nBILL's documentation: {entity.docs}",
        tags={"billcom/sync_group": entity.group.value},
        metadata={
            "dagster/column_schema": column_schema(catalog_mirror().table(entity.name)),
            "dagster/table_name": f"{SCHEMA}.{entity.name}",
            "bill_path": entity.path,
            "walk": entity.walk.value,
            "tables": ", ".join(entity.tables()),
        },
    )


@dg.multi_asset(
    name=PULLS,
    specs=[_spec(step) for step in _PLAN],
    check_specs=[*prerequisites.specs(), *quality.specs(CATALOG)],
    can_subset=True,
)
def pulls(context: dg.AssetExecutionContext, config: PullConfig, billcom: Billcom) -> Iterator[_Event]:
    """Brings the selected entities of one integration up to date, in the order of the sync plan."""
    key = context.partition_key
    selected = {asset.to_user_string() for asset in context.op_execution_context.selected_asset_keys}
    steps = [step for step in _PLAN if step.name in selected]
    planned = [step.entity.name for step in steps if step.entity is not None]
    gate_ahead = any(step.entity is not None and step.entity.gated for step in steps)
    refused = RefusedLists(key)
    try:
        with billcom.sync(
            key, run_id=context.run.run_id, planned=planned, confirm_deletions=config.confirm_deletions
        ) as sync:
            if config.confirm_deletions and command_runs.COMMAND_TAG not in context.run.tags:
                _record_confirmation(sync, planned)
            for step in steps:
                if step.entity is None:
                    yield _compare(sync)
                    continue
                if step.entity.gated:
                    if refused.hold_back(step.name):
                        continue
                    _pass_gate(sync)
                try:
                    pulled = _pull(context, sync, step.entity, refresh=config.refresh)
                except LIST_TROUBLE as error:
                    # It says nothing about the other lists.
                    refused.add(step.name, error)
                    context.log.error(describe(error))
                    if refused.is_bill_away:
                        raise
                    continue
                refused.note_success()
                _suggest(sync, step.entity)
                yield pulled
                yield from _checks(context, sync, step.entity, gate_ahead=gate_ahead)
    except Exception as error:  # noqa: BLE001 - Dagster would keep its text, and that of all that led to it
        raise failure_for(key, error).with_traceback(error.__traceback__) from None
    refused.end_run()


def _record_confirmation(sync: Sync, planned: Sequence[str]) -> None:
    """A command records by itself who confirms deletions; of a run from the UI only Dagster's own user is known."""
    with sync.warehouse.write() as connection:
        audit.record(
            connection,
            actor=Actor.of_process(How.UI),
            what=What.DELETIONS_CONFIRMED,
            integration=sync.integration,
            subject=", ".join(planned),
            after={"run": sync.run_id},
            now=utc_now(),
        )


def _pass_gate(sync: Sync) -> None:
    with sync.warehouse.read() as connection:
        require_setup(connection, sync.integration)


def _pull(
    context: dg.AssetExecutionContext, sync: Sync, entity: Entity, *, refresh: bool
) -> dg.MaterializeResult[None]:
    reports = pull(sync, entity, refresh=refresh)
    for report in reports:
        c = report.counts
        context.log.info(
            f"{sync.integration}: {report.entity} ({report.kind.value}): {c.fetched} fetched, {c.inserted} inserted, "
            f"{c.updated} updated, {c.unchanged} unchanged, {c.skipped_by_cutoff} before the cutoff, "
            f"{c.rejected} rejected, {report.deleted} deleted; {report.requests} requests in {report.seconds:.1f} s"
        )
    return dg.MaterializeResult(asset_key=entity.name, metadata=pull_metadata(sync, entity, reports))


def _suggest(sync: Sync, entity: Entity) -> None:
    """Looks for the ledger counterparts of what is new or changed."""
    if entity.name in KINDS and sync.changes.get(entity.name, set()) != set():
        with sync.warehouse.write() as connection:
            sync.fence.check(connection)
            suggest(connection, sync.integration, utc_now(), kinds=(entity.name,))


def _compare(sync: Sync) -> dg.MaterializeResult[None]:
    started = time.monotonic()
    with sync.warehouse.read() as connection:
        comparison = compare_charts(connection, sync.warehouse.mirror, sync.integration)
    return dg.MaterializeResult(
        asset_key=ALIGNMENT, metadata={**comparison, "seconds": round(time.monotonic() - started, 3)}
    )


def _checks(
    context: dg.AssetExecutionContext, sync: Sync, entity: Entity, *, gate_ahead: bool
) -> Iterator[dg.AssetCheckResult]:
    selected = {(key.asset_key.to_user_string(), key.name) for key in context.selected_asset_check_keys}
    with sync.warehouse.read() as connection:
        found = list(prerequisites.results(connection, sync.integration, entity.name, gate_ahead=gate_ahead))
    yield from (one for one in found if (entity.name, one.check_name) in selected)
    if (entity.name, quality.NAME) in selected:
        yield quality.look(sync, entity.name)
