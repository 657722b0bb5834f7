"""What a run leaves in Dagster of what it did, in as few events as possible.

A ``MaterializeResult`` becomes two events, the other of which only tells steps of other ops that they may begin, and
costs as much as everything else about it. It is made where such a step waits; elsewhere the materialization alone.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import dagster as dg

from billcom_assets.assets.evaluations import of_newest

Event = dg.MaterializeResult[None] | dg.AssetMaterialization | dg.AssetObservation | dg.AssetCheckEvaluation


class Results:
    """Of one run of the op."""

    def __init__(self, context: dg.AssetExecutionContext) -> None:
        self._instance = context.instance
        self._partition = context.partition_key
        self._awaited = _awaited(context)
        context.log.addFilter(is_about_more_than_outputs)
        self._selected = context.op_execution_context.selected_asset_keys | context.selected_asset_check_keys

    def materialized(self, asset: str, metadata: Mapping[str, Any], description: str | None = None) -> Event:
        """That the asset is up to date now.

        Args:
            asset: Its name.
            metadata: What is kept with it.
            description: What the run's log says of it.
        """
        key = dg.AssetKey(asset)
        if key in self._awaited:
            return dg.MaterializeResult(asset_key=key, metadata=metadata)
        return dg.AssetMaterialization(key, description=description, metadata=metadata, partition=self._partition)

    def evaluated(self, evaluation: dg.AssetCheckEvaluation) -> dg.AssetCheckEvaluation:
        """The result of a check of an asset that may have been materialized before."""
        return of_newest(self._instance, evaluation)

    def is_selected(self, asset: str, check: str | None = None) -> bool:
        """True when the asset, or that check of it, was selected for the run."""
        key = dg.AssetKey(asset)
        return (dg.AssetCheckKey(key, check) if check else key) in self._selected


def is_about_more_than_outputs(record: logging.LogRecord) -> bool:
    """False for Dagster's notice of checks without an output, which none of ours has."""
    return "did not yield or return expected outputs" not in record.getMessage()


def _awaited(context: dg.AssetExecutionContext) -> set[dg.AssetKey]:
    """Assets that steps of other ops in the run wait for."""
    op_context = context.op_execution_context
    outputs = {
        dependency.output
        for definitions in op_context.job_def.dependencies.values()
        for one in definitions.values()
        for dependency in one.get_node_dependencies()
        if dependency.node == op_context.op_handle.name
    }
    keys = op_context.assets_def.keys_by_output_name
    return {keys[output] for output in outputs if output in keys}
