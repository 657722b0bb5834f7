"""The checks of the books in a sync: looked at after it has posted something."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg

from billcom_assets.assets.evaluations import last_of, of_newest
from billcom_assets.books.identities.catalog import IDENTITIES
from billcom_assets.books.reconciliation import outcomes_apart
from billcom_assets.checks.identities import check_key, evaluation
from billcom_assets.sync.run import Sync
from billcom_assets.warehouse.errors import describe


def evaluations(
    context: dg.AssetExecutionContext, sync: Sync, *, has_posted: bool
) -> Iterator[dg.AssetCheckEvaluation]:
    """What the identities say; one that cannot look fails its check and not the run.

    What is not looked at, because nothing was posted or because it would take too long, is reported as it was last
    found, with the time of that: Dagster would show neither a failure nor a pass of before the newest materialization.
    """
    wanted = [one for one in IDENTITIES if has_posted and not one.is_costly]
    now = sync.clock()
    outcomes = outcomes_apart(sync.warehouse, sync.integration, now, wanted) if wanted else []
    for identity, outcome in zip(wanted, outcomes, strict=True):
        if isinstance(outcome, Exception):
            context.log.error(f"{identity.title} could not be looked at: {describe(outcome)}")
        yield of_newest(context.instance, evaluation(identity, outcome, sync.integration, now))
    for identity in IDENTITIES:
        if identity not in wanted:
            last = last_of(context.instance, check_key(identity), sync.integration)
            if last is not None:
                yield of_newest(context.instance, last)
