"""Metadata that Dagster's UI shows as plain text.

The UI renders Markdown metadata and the descriptions of checks and assets with links and images. Text of others goes
into neither: it stands in tables and text metadata, which the UI shows character for character.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import dagster as dg


def table(columns: Sequence[str | dg.TableColumn], rows: Iterable[Sequence[str]]) -> dg.TableMetadataValue:
    """A table of texts, none of which is read as a number, a date or Markdown."""
    described = [dg.TableColumn(one) if isinstance(one, str) else one for one in columns]
    return dg.MetadataValue.table(
        records=[dg.TableRecord(dict(zip((one.name for one in described), row, strict=True))) for row in rows],
        schema=dg.TableSchema(described),
    )
