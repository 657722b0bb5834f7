"""The checks of the books by themselves: the identities, and where somebody wants it BILL's lists beside the mirror.

Nothing is pulled and nothing posted. Without a partition, as "Execute all" in the UI launches checks, every integration
is looked at.
"""

# No postponed annotations: Dagster reads those of the op.
from collections.abc import Iterator, Sequence
from functools import partial

import dagster as dg

from billcom_assets.assets import checks_alone
from billcom_assets.assets.evaluations import of_newest
from billcom_assets.assets.results import is_about_more_than_outputs
from billcom_assets.books.identities.catalog import IDENTITIES
from billcom_assets.books.reconciliation import outcomes_apart
from billcom_assets.books.recount import Recount, recount
from billcom_assets.checks import documents_in_bill, identities
from billcom_assets.clock import utc_now
from billcom_assets.redaction.errors import UserFacingError
from billcom_assets.resources import Billcom, open_sync
from billcom_assets.sync.run import lock_name

RECONCILIATION = "reconciliation"
"""Name of the op."""


class ReconciliationConfig(dg.Config):
    """What else the mirror is compared with."""

    against_bill: bool = False
    """Read the lists of the books' documents in BILL again and compare them: a request for 100 documents."""


class NotLookedAt(UserFacingError):
    """Something could not be looked at; its checks say why."""


@dg.multi_asset_check(name=RECONCILIATION, specs=[*identities.specs(), documents_in_bill.spec()], can_subset=True)
def reconciliation(
    context: dg.AssetCheckExecutionContext, config: ReconciliationConfig, billcom: Billcom
) -> Iterator[dg.AssetCheckEvaluation]:
    """Whether the selected identities hold."""
    context.log.addFilter(is_about_more_than_outputs)
    for one in checks_alone.for_each(context, billcom.warehouse, partial(_of_one, context, config, billcom)):
        yield of_newest(context.instance, one)


def _of_one(
    context: dg.AssetCheckExecutionContext, config: ReconciliationConfig, billcom: Billcom, key: str
) -> checks_alone.Evaluations:
    wanted = [one for one in IDENTITIES if identities.check_key(one) in context.selected_asset_check_keys]
    missed: list[str] = []
    now = utc_now()
    # The lock says as long as it looks that its process lives.
    with billcom.warehouse.exclusive(lock_name(key)):
        outcomes = outcomes_apart(billcom.warehouse, key, now, wanted)
        for identity, outcome in zip(wanted, outcomes, strict=True):
            yield identities.evaluation(identity, outcome, key, now)
            if isinstance(outcome, Exception):
                missed.append(identity.name)
        if config.against_bill:
            found = _recounts(billcom, key, context.run.run_id)
            yield documents_in_bill.evaluation(found, key, now)
            if isinstance(found, Exception):
                missed.append(documents_in_bill.CHECK.name)
    if missed:
        raise NotLookedAt(f"{' and '.join(missed)} could not be looked at; the checks say why.")


def _recounts(billcom: Billcom, key: str, run_id: str) -> Sequence[Recount] | Exception:
    try:
        with open_sync(billcom.warehouse, key, run_id=run_id) as sync:
            return list(recount(sync))
    except Exception as error:  # noqa: BLE001 - the check tells it
        return error
