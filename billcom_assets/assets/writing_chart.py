"""The op that writes approved plans of the chart of accounts to BILL, and undoes them; no other writes there."""

# No postponed annotations: Dagster reads those of the op.
from collections.abc import Mapping

import dagster as dg

from billcom_assets.alignment.applying import apply_plan
from billcom_assets.alignment.guards import Consent
from billcom_assets.alignment.undoing import undo_plan
from billcom_assets.alignment.work import Work, Written
from billcom_assets.assets.command_runs import COMMAND_TAG
from billcom_assets.assets.evaluations import of_newest
from billcom_assets.assets.failures import failure_for
from billcom_assets.assets.run_tags import REASON_TAG
from billcom_assets.checks import alignment as check
from billcom_assets.entities.plan import ALIGNMENT
from billcom_assets.partitions import INTEGRATIONS
from billcom_assets.redaction.errors import UserFacingError
from billcom_assets.redaction.excerpt import excerpt
from billcom_assets.resources import Billcom
from billcom_assets.setup.prerequisites import SetupIncomplete
from billcom_assets.status.readiness import gate
from billcom_assets.sync.run import Sync
from billcom_assets.text_tables import table
from billcom_assets.warehouse.audit import Actor, How

WRITING = "write_chart_of_accounts"
"""Name of the op."""


class NotAllWritten(UserFacingError):
    """A plan was written in part; the text names what was not and why."""


class WritingConfig(dg.Config):
    """What is to be written, and what whoever wants it has said."""

    plan: int | None = None
    """Number of the plan; the newest that was approved, or for undoing written, when none is given."""
    undo: bool = False
    """Take back what the plan has written."""
    production: bool = False
    """The first time: a real company's chart is meant to be changed."""
    approver: str | None = None
    """The first time: name of who approved the plan."""
    no_other_sync: bool = False
    """BILL itself syncs with no accounting program; remembered."""
    acting_as: str | None = None
    """Name for the audit log, beside that of the system's user."""


@dg.op(
    name=WRITING,
    description="Writes the newest approved plan to BILL, one account at a time, and holds BILL against it afterwards.",
)
def write_chart(context: dg.OpExecutionContext, config: WritingConfig, billcom: Billcom) -> None:
    """Applies a plan of one integration, or undoes it."""
    key = context.partition_key
    actor = Actor.of_process(_how(context.run.tags), config.acting_as)
    try:
        with billcom.sync(key, run_id=context.run.run_id) as sync:
            _require_setup(sync)
            consent = Consent(config.production, config.approver, config.no_other_sync)
            work = Work(sync, actor, consent)
            written = undo_plan(work, config.plan) if config.undo else apply_plan(work, config.plan)
            _report(context, written, undo=config.undo)
            with sync.warehouse.read() as connection:
                evaluation = check.evaluation(connection, key)
            # Dagster takes it; its annotation does not say so.
            context.log_event(of_newest(context.instance, evaluation))  # type: ignore[arg-type]
        if not written.is_complete and not config.undo:
            raise NotAllWritten(f"{_summary(written, undo=False)} Next step: billcom align {key} plan")
    except Exception as error:  # noqa: BLE001 - Dagster would keep its text, and that of all that led to it
        raise failure_for(key, error).with_traceback(error.__traceback__) from None


@dg.job(
    partitions_def=INTEGRATIONS,
    # Left to the definitions, Dagster would make the sensor anew and warn of what is beta in that.
    resource_defs={"billcom": Billcom()},
    description="Writes the newest approved plan of the chart of accounts to BILL, or goes on with one that was "
    "interrupted; with undo it takes back the one that was written last.",
)
def align_chart_of_accounts() -> None:
    """Writes plans."""
    write_chart()


def _how(tags: Mapping[str, str]) -> How:
    if COMMAND_TAG in tags:
        return How.COMMAND
    return How.SENSOR if REASON_TAG in tags else How.UI


def _require_setup(sync: Sync) -> None:
    with sync.warehouse.read() as connection:
        missing = gate(connection, sync.integration)
    if missing:
        raise SetupIncomplete(sync.integration, tuple(missing))


def _summary(written: Written, *, undo: bool) -> str:
    done, total = written.done, written.done + len(written.failed)
    said = f"Plan {written.plan}: {done} of {total} changes {'undone' if undo else 'written and seen in BILL'}."
    reasons = " ".join(f"{title}: {reason}" for title, reason in list(written.failed.items())[:3])
    return f"{said} {excerpt(reasons, limit=1_500)}" if reasons else said


def _report(context: dg.OpExecutionContext, written: Written, *, undo: bool) -> None:
    context.log.info(_summary(written, undo=undo))
    rows = [(excerpt(title), excerpt(reason, limit=500)) for title, reason in written.failed.items()]
    metadata = {
        "plan_number": dg.MetadataValue.int(written.plan),
        "undone" if undo else "written": dg.MetadataValue.int(written.done),
        "not_undone" if undo else "not_written": dg.MetadataValue.int(len(written.failed)),
        **({"reasons": table(("change", "why"), rows)} if rows else {}),
    }
    context.log_event(
        dg.AssetMaterialization(
            ALIGNMENT, description=_summary(written, undo=undo), partition=context.partition_key, metadata=metadata
        )
    )
