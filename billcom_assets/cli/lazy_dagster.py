"""Starting Dagster jobs; Dagster is imported here, when a command needs it, because that takes seconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from billcom_assets.environment import dagster_home

if TYPE_CHECKING:
    from billcom_assets.automation.forgetting import Kept
    from billcom_assets.job_runner import Launched
    from billcom_assets.sync.report import Progress
    from billcom_assets.warehouse.engine import Warehouse


def add_partition(key: str) -> None:
    """Makes the integration known to Dagster; a known one is left as it is."""
    dagster_home()
    from billcom_assets.job_runner import add_partition as add  # noqa: PLC0415 - imports Dagster

    add(key)


def launch(
    job: str,
    key: str,
    *,
    entities: Sequence[str] | None,
    confirm_deletions: bool,
    on_progress: Callable[[Progress], None],
) -> Launched:
    """Runs a job for the integration on the Dagster instance, and waits for its end."""
    dagster_home()
    from billcom_assets.job_runner import launch as start  # noqa: PLC0415 - imports Dagster

    return start(job, key, entities=entities, confirm_deletions=confirm_deletions, on_progress=on_progress)


def launch_writing(key: str, config: Mapping[str, Any], *, on_progress: Callable[[Progress], None]) -> Launched:
    """Writes a plan of the chart of accounts, or undoes one, in a run of ``align_chart_of_accounts``."""
    dagster_home()
    from billcom_assets.assets.writing_chart import WRITING, align_chart_of_accounts  # noqa: PLC0415 - imports Dagster
    from billcom_assets.job_runner import launch as start  # noqa: PLC0415 - imports Dagster

    return start(align_chart_of_accounts.name, key, ops={WRITING: config}, on_progress=on_progress)


def kept_by_dagster(warehouse: Warehouse, key: str) -> Kept:
    """What Dagster has of the integration."""
    dagster_home()
    from billcom_assets.automation.forgetting import kept  # noqa: PLC0415 - imports Dagster
    from billcom_assets.job_runner import open_instance  # noqa: PLC0415 - imports Dagster

    with open_instance() as instance:
        return kept(instance, warehouse, key)


def delete_from_dagster(key: str) -> dict[str, int]:
    """Deletes what Dagster has of the integration; returns how much that was."""
    dagster_home()
    from billcom_assets.automation.forgetting import delete_all  # noqa: PLC0415 - imports Dagster
    from billcom_assets.job_runner import open_instance  # noqa: PLC0415 - imports Dagster

    with open_instance() as instance:
        return delete_all(instance, key)
