"""Data quality as checks that do not block, one result per integration."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import dagster as dg
from sqlalchemy import Connection

from billcom_assets.automation.display import table
from billcom_assets.automation.partitions import INTEGRATIONS, partitioned_checks
from billcom_assets.entities.catalog import Catalog
from billcom_assets.entities.model import Entity
from billcom_assets.ledger import data_quality
from billcom_assets.ledger.completeness import completeness
from billcom_assets.ledger.data_quality import IN_USE_KINDS, Quality
from billcom_assets.sync.pull import utc_now

_Measure = Callable[[Connection, str], Quality]


@dataclass(frozen=True, slots=True)
class QualityCheck:
    """One check of one asset."""

    asset: str
    name: str
    description: str
    measure: _Measure


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
        data_quality.unmapped_funding_accounts,
    )
    for kind in IN_USE_KINDS:
        if kind in catalog:
            yield QualityCheck(
                kind,
                "used_ones_mapped",
                f"Every one of the {kind.replace('_', ' ')} that bills refer to is mapped to its ledger counterpart.",
                partial(data_quality.unmapped_in_use, kind=kind),
            )


def _of_every_entity(entity: Entity) -> Iterator[QualityCheck]:
    yield QualityCheck(
        entity.name,
        "conservation",
        "Everything that BILL returned was inserted, updated, unchanged, skipped by the cutoff or rejected.",
        partial(data_quality.conservation, entity=entity.name),
    )
    yield QualityCheck(
        entity.name,
        "completeness",
        "Every object that BILL sends can be read, none is missing in doubt, and no nightly sweep is overdue.",
        lambda connection, integration: completeness(connection, integration, entity, utc_now()),
    )
    yield QualityCheck(
        entity.name,
        "known_fields_and_values",
        "BILL sends no field and no enum value that the catalog does not know; such data is kept in the payload.",
        partial(data_quality.contract, entity=entity.name),
    )
    columns = [*entity.columns, *(column for child in entity.children for column in child.columns)]
    if any(column.references for column in columns):
        yield QualityCheck(
            entity.name,
            "references",
            "Live objects refer to objects that are in the mirror and neither deleted nor archived.",
            partial(data_quality.broken_references, entity=entity),
        )


def specs(catalog: Catalog) -> list[dg.AssetCheckSpec]:
    """The checks' declarations."""
    with partitioned_checks():
        return [
            dg.AssetCheckSpec(name=one.name, asset=one.asset, description=one.description, partitions_def=INTEGRATIONS)
            for one in quality_checks(catalog)
        ]


def results(connection: Connection, integration: str, entity: str, catalog: Catalog) -> Iterator[dg.AssetCheckResult]:
    """The results of the checks placed on ``entity``."""
    for one in quality_checks(catalog):
        if one.asset == entity:
            yield result(one, one.measure(connection, integration))


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
