"""Starting Dagster jobs; Dagster is imported here, when a command needs it, because that takes seconds."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from billcom_assets.environment import dagster_home

_NOTICE = ".*currently in preview.*|.*currently in beta.*"
"""How Dagster's notices about what we use of it begin; they tell a user of the command nothing."""

if TYPE_CHECKING:
    from billcom_assets.launch import Launched
    from billcom_assets.sync.report import Progress


def add_partition(key: str) -> None:
    """Makes the integration known to Dagster; a known one is left as it is."""
    _prepare()
    from billcom_assets.launch import add_partition as add  # noqa: PLC0415 - imports Dagster

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
    _prepare()
    from billcom_assets.launch import launch as start  # noqa: PLC0415 - imports Dagster

    return start(job, key, entities=entities, confirm_deletions=confirm_deletions, on_progress=on_progress)


def _prepare() -> None:
    dagster_home()
    warnings.filterwarnings("ignore", message=_NOTICE)
