"""What a materialization shows in the Dagster UI: numbers that plot, and samples without personal data."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import dagster as dg
from sqlalchemy import func, select

from billcom_assets.entities.model import Column, ColumnType, Entity, text
from billcom_assets.redaction.excerpt import excerpt
from billcom_assets.sync.report import Counts, PullKind, PullReport
from billcom_assets.sync.run import Sync
from billcom_assets.text_tables import table
from billcom_assets.warehouse.engine import Warehouse

_SAMPLE_ROWS = 5
_SAMPLE_COLUMNS = 7
_CELL = 80
"""Characters shown of a text."""
_MASK = "•••"
_ID = text("id", "BILL's id")


def column_schema(warehouse_table: Any) -> dg.TableSchema:
    """The table's columns with their descriptions."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=column.name,
                type=str(getattr(column.type, "impl", column.type)).split("(", maxsplit=1)[0].lower() or "json",
                description=column.comment,
                constraints=dg.TableColumnConstraints(nullable=bool(column.nullable)),
            )
            for column in warehouse_table.columns
        ]
    )


def pull_metadata(sync: Sync, entity: Entity, reports: Sequence[PullReport]) -> dict[str, Any]:
    """Metadata of one entity's materialization from all pulls of it in this step."""
    own = [report for report in reports if report.entity == entity.name and report.kind is not PullKind.V2]
    v2 = [report for report in reports if report.kind is PullKind.V2]
    counts = Counts()
    for report in own:
        counts.add(report.counts)
    mirrored = sync.warehouse.mirror.table(entity.name)
    count = select(func.count()).select_from(mirrored)
    with sync.warehouse.read() as connection:
        total = connection.scalar(count) or 0
        mine = connection.scalar(count.where(mirrored.c.integration == sync.integration))
    starts = [report.watermark_from for report in own if report.watermark_from]
    ends = [report.watermark_to for report in own if report.watermark_to]
    metadata: dict[str, Any] = {
        "dagster/row_count": total,
        "dagster/partition_row_count": mine or 0,
        "kind": ", ".join(dict.fromkeys(report.kind.value for report in own)),
        "rows_fetched": counts.fetched,
        "rows_inserted": counts.inserted,
        "rows_updated": counts.updated,
        "rows_unchanged": counts.unchanged,
        "rows_skipped_by_cutoff": counts.skipped_by_cutoff,
        "rows_rejected": counts.rejected,
        "rows_deleted": sum(report.deleted for report in own),
        "api_requests": sum(report.requests for report in (*own, *v2)),
        "api_retries": sum(report.retries for report in (*own, *v2)),
        "seconds": round(sum(report.seconds for report in (*own, *v2)), 3),
        "read_again_elsewhere": sum(
            report.counts.fetched
            for report in reports
            if report.entity != entity.name and report.kind is not PullKind.V2
        ),
        "sample": sample(sync.warehouse, entity, sync.integration),
    }
    if v2:
        metadata["v2_records_fetched"] = sum(report.counts.fetched for report in v2)
        metadata["v2_records_changed"] = sum(report.counts.written for report in v2)
        metadata["v2_requests"] = sum(report.requests for report in v2)
    if starts:
        metadata["watermark_from"] = dg.MetadataValue.timestamp(starts[0])
    if ends:
        metadata["watermark_to"] = dg.MetadataValue.timestamp(ends[-1])
    if entity.cutoff and sync.cutoff:
        metadata["cutoff"] = sync.cutoff.isoformat()
    return metadata


def told(report: PullReport) -> str:
    """What a pull did, in a line."""
    c = report.counts
    parts = {
        "inserted": c.inserted,
        "updated": c.updated,
        "unchanged": c.unchanged,
        "before the cutoff": c.skipped_by_cutoff,
        "rejected": c.rejected,
        "deleted": report.deleted,
    }
    counted = "".join(f", {count:,} {what}" for what, count in parts.items() if count)
    requests = f"{report.requests} request{'s' if report.requests != 1 else ''}"
    return (
        f"{report.entity.replace('_', ' ')} ({report.kind.value}): {c.fetched:,} fetched{counted}; "
        f"{requests} in {report.seconds:.1f} s"
    )


def sample(warehouse: Warehouse, entity: Entity, integration: str) -> dg.TableMetadataValue:
    """The rows written last, each value as it is stored; names and what looks like personal data are masked."""
    mirrored = warehouse.mirror.table(entity.name)
    shown = [column for column in entity.columns if column.type is not ColumnType.JSON][:_SAMPLE_COLUMNS]
    query = (
        select(mirrored.c.id, *(mirrored.c[column.name] for column in shown))
        .where(mirrored.c.integration == integration)
        .order_by(mirrored.c.synced_at.desc(), mirrored.c.id)
        .limit(_SAMPLE_ROWS)
    )
    with warehouse.read() as connection:
        rows = connection.execute(query).all()
    header = [dg.TableColumn(column.name, column.type.value, column.description) for column in (_ID, *shown)]
    return table(header, [[_cell(*pair) for pair in zip((_ID, *shown), row, strict=True)] for row in rows])


def _cell(column: Column, value: Any) -> str:
    if value is None:
        return ""
    if column.sensitive or (column.name.endswith("name") and column.type is ColumnType.TEXT):
        return _MASK
    if isinstance(value, str):
        return excerpt(value, limit=_CELL)
    # Never 1E+5.
    return format(value, "f") if isinstance(value, Decimal) else str(value)
