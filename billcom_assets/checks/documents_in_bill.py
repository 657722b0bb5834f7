"""The check that BILL's lists, read again, show what the mirror has; evaluated only where somebody wants that."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import dagster as dg

from billcom_assets.books.recount import Recount
from billcom_assets.checks.identities import differences, how_to_fix, not_looked_at, verdict
from billcom_assets.entities.plan import JOURNAL
from billcom_assets.partitions import INTEGRATIONS, partitioned_checks
from billcom_assets.redaction.excerpt import excerpt
from billcom_assets.text_tables import table

CHECK: Final = dg.AssetCheckKey(dg.AssetKey(JOURNAL), "documents_in_bill")
_COUNTS: Final = ("compared", "differences", "changed", "left_out", "unreadable", "requests")
_COLUMNS: Final = ("documents", "year", "status", "in the mirror", "amount", "in BILL", "amount in BILL")


def spec() -> dg.AssetCheckSpec:
    """Its declaration."""
    with partitioned_checks():
        return dg.AssetCheckSpec(
            name=CHECK.name,
            asset=CHECK.asset_key,
            description="BILL's lists of the books' documents show what the mirror has: the same documents with the "
            "same dates, statuses and amounts.\n\nLooked at only by the job reconcile with against_bill, which reads "
            "the lists to their ends: about one request for 100 documents.",
            partitions_def=INTEGRATIONS,
        )


def evaluation(found: Sequence[Recount] | Exception, integration: str, at: datetime) -> dg.AssetCheckEvaluation:
    """What Dagster keeps of the comparison of each list, or of the error that kept it from being made."""
    if isinstance(found, Exception):
        return not_looked_at(CHECK, integration, found, at)
    counts = {name: sum(getattr(one, name) for one in found) for name in _COUNTS}
    metadata: dict[str, dg.MetadataValue] = {name: dg.MetadataValue.int(count) for name, count in counts.items()}
    metadata["looked_at"] = dg.MetadataValue.timestamp(at)
    metadata["by_year_and_status"] = table(_COLUMNS, [row for one in found for row in _rows(one)])
    if first := [each for one in found for each in one.first]:
        metadata["first_differences"] = differences(first, "in the mirror", "in BILL")
        metadata["how_to_fix"] = how_to_fix(integration, " --against-bill")
    refused = [one for one in found if one.refused]
    if refused:
        metadata["not_shown"] = table(("documents", "why"), [(_words(one), excerpt(one.refused)) for one in refused])
    beside = f"; not shown to this login: {', '.join(map(_words, refused))}" if refused else ""
    return dg.AssetCheckEvaluation(
        asset_key=CHECK.asset_key,
        check_name=CHECK.name,
        partition=integration,
        # A list that is not shown differs in nothing, and says nothing.
        passed=len(refused) < len(found) and all(one.holds for one in found),
        severity=dg.AssetCheckSeverity.ERROR,
        description=f"Documents in BILL: {verdict(counts['compared'], counts['differences'])}{beside}",
        metadata=metadata,
        blocking=False,
    )


def _rows(one: Recount) -> list[tuple[str, ...]]:
    return [
        (
            *(_words(one), str(line.year or ""), line.status),
            *(f"{line.mirror.documents:,}", f"{line.mirror.amount:,f}"),
            *(f"{line.bill.documents:,}", f"{line.bill.amount:,f}"),
        )
        for line in one.lines
    ]


def _words(one: Recount) -> str:
    return one.entity.replace("_", " ")
