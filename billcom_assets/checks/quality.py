"""Data quality as checks that do not block, one result per integration."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

import dagster as dg
from sqlalchemy import Connection

from billcom_assets.automation.display import table
from billcom_assets.automation.partitions import INTEGRATIONS, partitioned_checks
from billcom_assets.entities.catalog import Catalog
from billcom_assets.entities.model import Entity
from billcom_assets.ledger import data_quality
from billcom_assets.ledger.broken_references import broken_references
from billcom_assets.ledger.completeness import completeness
from billcom_assets.ledger.data_quality import IN_USE_KINDS, Changes, Quality
from billcom_assets.sync.pull import utc_now

_Measure = Callable[[Connection, str, Changes | None], Quality]


@dataclass(frozen=True, slots=True)
class QualityCheck:
    """One check of one asset."""

    asset: str
    name: str
    description: str
    measure: _Measure
    after: str = ""
    """The entity whose pull it waits for, where a run pulls it later than the asset; by default the asset's own."""


def quality_checks(catalog: Catalog) -> Iterator[QualityCheck]:
    """Every check of every entity."""
    for entity in catalog:
        yield from _of_every_entity(entity)
    yield QualityCheck(
        "vendors",
        "unique_names",
        "No two live vendors have the same name but for case, accents, punctuation and legal form.",
        data_quality.duplicate_vendor_names,
    )
    yield QualityCheck(
        "accounts",
        "unique_numbers",
        "No two live accounts share a number.",
        data_quality.duplicate_account_numbers,
    )
    yield QualityCheck(
        "funding_accounts",
        "all_mapped",
        "Every live bank account of BILL is mapped to a bank or credit card account of the ledger.",
        lambda connection, integration, _changes: data_quality.unmapped_funding_accounts(connection, integration),
    )
    for kind in IN_USE_KINDS:
        if kind in catalog:
            yield QualityCheck(
                kind,
                "used_ones_mapped",
                f"Every one of the {kind.replace('_', ' ')} that bills refer to is mapped to its ledger counterpart.",
                _used_ones_mapped(kind),
                after="bills",
            )


def _used_ones_mapped(kind: str) -> _Measure:
    return lambda connection, integration, _changes: data_quality.unmapped_in_use(connection, integration, kind)


def _of_every_entity(entity: Entity) -> Iterator[QualityCheck]:
    yield QualityCheck(
        entity.name,
        "conservation",
        "Everything that BILL returned was inserted, updated, unchanged, skipped by the cutoff or rejected.",
        lambda connection, integration, _changes: data_quality.conservation(connection, integration, entity.name),
    )
    yield QualityCheck(
        entity.name,
        "completeness",
        "Every object that BILL sends can be read, none is missing in doubt, and no nightly sweep is overdue.",
        lambda connection, integration, _changes: completeness(connection, integration, entity, utc_now()),
    )
    yield QualityCheck(
        entity.name,
        "known_fields_and_values",
        "BILL sends no field and no enum value that the catalog does not know; such data is kept in the payload.",
        lambda connection, integration, _changes: data_quality.contract(connection, integration, entity.name),
    )
    columns = [*entity.columns, *(column for child in entity.children for column in child.columns)]
    if any(column.references for column in columns):
        yield QualityCheck(
            entity.name,
            "references",
            "Live objects refer to objects that are in the mirror and neither deleted nor archived.",
            lambda connection, integration, changes: broken_references(
                connection, integration, entity, changes=changes
            ),
        )


def specs(catalog: Catalog) -> list[dg.AssetCheckSpec]:
    """The checks' declarations."""
    with partitioned_checks():
        return [
            dg.AssetCheckSpec(name=one.name, asset=one.asset, description=one.description, partitions_def=INTEGRATIONS)
            for one in quality_checks(catalog)
        ]


def results(
    connection: Connection,
    integration: str,
    entity: str,
    catalog: Catalog,
    *,
    planned: Collection[str],
    changes: Changes,
) -> Iterator[dg.AssetCheckResult]:
    """The results of the checks whose time has come with the pull of ``entity``.

    A check that looked only at what this run has changed speaks when it has found something; else its last result,
    about everything, goes on standing.

    Args:
        connection: A reading one.
        integration: Whose.
        entity: What was pulled just now.
        catalog: All entities.
        planned: What the run pulls.
        changes: What it has written so far.
    """
    for one in quality_checks(catalog):
        if entity == (one.after if one.after in planned else one.asset):
            found = one.measure(connection, integration, changes)
            if not (found.passed and found.is_partial):
                yield result(one, found)


def result(check: QualityCheck, quality: Quality) -> dg.AssetCheckResult:
    """What Dagster keeps of a measurement.

    The description is Markdown to the UI and holds words of ours alone; the sample, which BILL wrote, is a table of
    text.
    """
    metadata: dict[str, dg.MetadataValue] = {"count": dg.MetadataValue.int(quality.count)}
    if quality.sample:
        metadata["sample"] = table(("found",), [(one,) for one in quality.sample])
    if quality.fix:
        metadata["how_to_fix"] = dg.MetadataValue.text(quality.fix)
    return dg.AssetCheckResult(
        asset_key=check.asset,
        check_name=check.name,
        passed=quality.passed,
        severity=dg.AssetCheckSeverity(quality.severity.value),
        description=quality.description,
        metadata=metadata,
    )
