"""Data quality as one check of each entity that does not block, one result per integration."""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg

from billcom_assets.clock import utc_now
from billcom_assets.entities.catalog import Catalog
from billcom_assets.partitions import INTEGRATIONS, partitioned_checks
from billcom_assets.quality.entity import Look, Measure, keep, look_at, measures_of
from billcom_assets.quality.measures import Quality, Severity
from billcom_assets.status.integrations import entity_states
from billcom_assets.status.scope import Refusal
from billcom_assets.sync.run import Sync
from billcom_assets.text_tables import table

NAME = "data_quality"


def specs(catalog: Catalog) -> list[dg.AssetCheckSpec]:
    """The checks' declarations."""
    with partitioned_checks():
        return [
            dg.AssetCheckSpec(
                name=NAME,
                asset=entity.name,
                description="\n".join(f"- {one.name}: {one.description}" for one in measures_of(entity)),
                partitions_def=INTEGRATIONS,
            )
            for entity in catalog
        ]


def look(sync: Sync, entity: str) -> dg.AssetCheckEvaluation:
    """The result of the entity's check after its pull; what it found is kept for the next one."""
    with sync.warehouse.read() as connection:
        states = entity_states(connection, sync.integration)
        looked = Look(
            connection,
            sync.integration,
            sync.catalog[entity],
            sync.changes,
            utc_now(),
            states={name: state for name, state in states.items() if name not in sync.excluded},
            limits=(sync.cutoff, sync.history_start),
        )
        taken = look_at(looked)
        is_worth_keeping = looked.is_worth_keeping(taken)
    if is_worth_keeping:
        with sync.warehouse.write() as connection:
            sync.fence.check(connection)
            keep(connection, looked, taken)
    return evaluation(entity, sync.integration, taken)


def evaluation(entity: str, integration: str, taken: Sequence[tuple[Measure, Quality]]) -> dg.AssetCheckEvaluation:
    """What Dagster keeps of the measures.

    The description is Markdown to the UI and holds words of ours alone; samples, which BILL wrote, are a table of text.
    """
    measured = [(measure, quality) for measure, quality in taken if quality.is_measured]
    failed = [(measure, quality) for measure, quality in measured if not quality.passed]
    waiting = [f"{measure.name} {quality.description}" for measure, quality in taken if not quality.is_measured]
    is_error = any(quality.severity is Severity.ERROR for _, quality in failed)
    rows = [(m.name, _verdict(q), str(q.count), q.description) for m, q in taken]
    metadata: dict[str, dg.MetadataValue] = {
        "count": dg.MetadataValue.int(sum(quality.count for _, quality in failed)),
        "measures": table(("measure", "result", "count", "found"), rows),
    }
    samples = [(measure.name, one) for measure, quality in failed for one in quality.sample]
    if samples:
        metadata["sample"] = table(("measure", "found"), samples)
    if failed:
        metadata["how_to_fix"] = table(("measure", "how"), [(measure.name, quality.fix) for measure, quality in failed])
    return dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey(entity),
        check_name=NAME,
        partition=integration,
        passed=bool(measured) and not failed,
        severity=dg.AssetCheckSeverity.ERROR if is_error else dg.AssetCheckSeverity.WARN,
        description="; ".join(
            [quality.description for _, quality in failed]
            or [f"{len(measured)} of {len(measured)} measures hold", *waiting]
        ),
        metadata=metadata,
        blocking=False,
    )


def never_pulled(entity: str, integration: str) -> dg.AssetCheckEvaluation:
    """The result for an entity of which nothing is there yet."""
    title = entity.replace("_", " ")
    return _unmeasured(entity, integration, f"not measured yet: {title} were never pulled. billcom sync {integration}")


def not_permitted(entity: str, integration: str, refusal: Refusal) -> dg.AssetCheckEvaluation:
    """The result for a list that BILL does not show to the login; its words are metadata, not Markdown."""
    title = entity.replace("_", " ")
    return _unmeasured(
        entity,
        integration,
        f"not permitted: BILL does not show {title} to this login; what is stored of it stays as it is",
        found=dg.MetadataValue.text(refusal.message),
        how_to_fix=dg.MetadataValue.text(refusal.next_step),
        refused_at=dg.MetadataValue.timestamp(refusal.at),
    )


def _unmeasured(entity: str, integration: str, why: str, **metadata: dg.MetadataValue) -> dg.AssetCheckEvaluation:
    """Nothing was looked at, which is no pass."""
    return dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey(entity),
        check_name=NAME,
        partition=integration,
        passed=False,
        severity=dg.AssetCheckSeverity.WARN,
        description=why,
        metadata=metadata,
        blocking=False,
    )


def _verdict(quality: Quality) -> str:
    if not quality.is_measured:
        return "not measured yet"
    return "passed" if quality.passed else "failed"
