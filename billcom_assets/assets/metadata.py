"""What a materialization tells in the Dagster UI: numbers that plot, and samples without personal data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dagster as dg
import pandas as pd
from sqlalchemy import func, select

from billcom_assets.entities.model import ColumnType, Entity
from billcom_assets.sync.pull import Sync
from billcom_assets.sync.report import Counts, PullReport
from billcom_assets.warehouse.engine import Warehouse

_SAMPLE_ROWS = 5
_SAMPLE_COLUMNS = 7
_MASK = "•••"


def column_schema(warehouse_table: Any) -> dg.TableSchema:
    """The table's columns with their descriptions."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=column.name,
                type=_type_name(column.type),
                description=column.comment,
                constraints=dg.TableColumnConstraints(nullable=bool(column.nullable)),
            )
            for column in warehouse_table.columns
        ]
    )


def _type_name(sql_type: Any) -> str:
    return str(getattr(sql_type, "impl", sql_type)).split("(", maxsplit=1)[0].lower() or "json"


def pull_metadata(sync: Sync, entity: Entity, reports: Sequence[PullReport]) -> dict[str, Any]:
    """Metadata of one entity's materialization from all pulls of it in this step."""
    own = [report for report in reports if report.entity == entity.name]
    counts = Counts()
    for report in own:
        counts.add(report.counts)
    table = sync.warehouse.mirror.table(entity.name)
    with sync.warehouse.read() as connection:
        total = connection.scalar(select(func.count()).select_from(table)) or 0
        mine = connection.scalar(select(func.count()).select_from(table).where(table.c.integration == sync.integration))
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
        "api_requests": sum(report.requests for report in own),
        "api_retries": sum(report.retries for report in own),
        "seconds": round(sum(report.seconds for report in own), 3),
        "read_again_elsewhere": sum(report.counts.fetched for report in reports if report.entity != entity.name),
        "sample": dg.MetadataValue.md(sample(sync.warehouse, entity, sync.integration)),
    }
    if starts:
        metadata["watermark_from"] = dg.MetadataValue.timestamp(starts[0])
    if ends:
        metadata["watermark_to"] = dg.MetadataValue.timestamp(ends[-1])
    if entity.cutoff and sync.cutoff:
        metadata["cutoff"] = sync.cutoff.isoformat()
    return metadata


def sample(warehouse: Warehouse, entity: Entity, integration: str) -> str:
    """The rows written last, as a Markdown table; names and other personal data are masked."""
    table = warehouse.mirror.table(entity.name)
    shown = [column for column in entity.columns if column.type is not ColumnType.JSON][:_SAMPLE_COLUMNS]
    query = (
        select(table.c.id, *(table.c[column.name] for column in shown))
        .where(table.c.integration == integration)
        .order_by(table.c.synced_at.desc(), table.c.id)
        .limit(_SAMPLE_ROWS)
    )
    with warehouse.read() as connection:
        rows = connection.execute(query).all()
    if not rows:
        return "No rows yet."
    frame = pd.DataFrame([tuple(row) for row in rows], columns=["id", *(column.name for column in shown)], dtype=object)
    for column in shown:
        if column.sensitive or (column.name.endswith("name") and column.type is ColumnType.TEXT):
            frame[column.name] = frame[column.name].map(lambda value: value if value is None else _MASK)
    return frame.fillna("").astype(str).to_markdown(index=False)
