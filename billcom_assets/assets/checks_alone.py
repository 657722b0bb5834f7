"""Checks that somebody executes without pulling anything: "Execute" and "Execute all" in the UI.

Dagster launches them without a partition, so they look at every integration, and at all of its rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Set
from functools import partial

import dagster as dg

from billcom_assets.assets.failures import failure_for
from billcom_assets.checks import alignment, prerequisites, quality
from billcom_assets.entities.catalog import CATALOG
from billcom_assets.entities.plan import GATE
from billcom_assets.resources import Billcom
from billcom_assets.status.integrations import every_integration
from billcom_assets.status.readiness import evaluate
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.errors import describe

Evaluations = Iterator[dg.AssetCheckEvaluation]


def execute(context: dg.AssetExecutionContext, billcom: Billcom, selected: Set[dg.AssetCheckKey]) -> Evaluations:
    """The results of the selected checks of what was pulled.

    Raises:
        dagster.Failure: the only integration of the run could not be looked at.
    """
    yield from for_each(context, billcom.warehouse, partial(_of_one, context, billcom, selected))


def for_each(
    context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext,
    warehouse: Warehouse,
    look: Callable[[str], Evaluations],
) -> Evaluations:
    """What ``look`` finds, integration by integration; one that cannot be looked at stops no other.

    Raises:
        dagster.Failure: the only integration of the run could not be looked at.
    """
    op_context = context.op_execution_context
    if op_context.has_partition_key:
        try:
            yield from look(op_context.partition_key)
        except Exception as error:  # noqa: BLE001 - Dagster would keep its text
            raise failure_for(op_context.partition_key, error).with_traceback(error.__traceback__) from None
        return
    with warehouse.read() as connection:
        keys = [one.key for one in every_integration(connection) if one.left is None]
    for key in keys:
        try:
            yield from look(key)
        except Exception as error:  # noqa: BLE001 - the trouble of one integration must not hold up the others
            context.log.warning(f"{key} was not looked at: {describe(error)}")


def _of_one(
    context: dg.AssetExecutionContext, billcom: Billcom, selected: Set[dg.AssetCheckKey], key: str
) -> Evaluations:
    with billcom.warehouse.read() as connection:
        findings = evaluate(connection, key)
    yield from (
        prerequisites.evaluation(finding, key)
        for finding in findings
        if dg.AssetCheckKey(dg.AssetKey(GATE), finding.prerequisite.name) in selected
    )
    if alignment.KEY in selected:
        with billcom.warehouse.read() as connection:
            yield alignment.evaluation(connection, key)
    names = [name for name in CATALOG.names() if dg.AssetCheckKey(dg.AssetKey(name), quality.NAME) in selected]
    if names:
        with billcom.sync(key, run_id=context.run.run_id) as sync:
            # As after reading everything.
            sync.changes.update(dict.fromkeys(names))
            for name in names:
                if sync.state(name).first_pulled_at is None:
                    yield quality.never_pulled(name, key)
                else:
                    yield quality.look(sync, name)
