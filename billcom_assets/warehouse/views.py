"""Views over the mirror that an analyst would otherwise write first: the agings, as of now, and mergers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from sqlalchemy import Dialect, Select

from billcom_assets.warehouse.aging import AGINGS, Aging, AgingQuery, By
from billcom_assets.warehouse.managed_views import ManagedView
from billcom_assets.warehouse.merged import MERGED, merged_query
from billcom_assets.warehouse.mirror import Mirror
from billcom_assets.warehouse.tables import SCHEMA

_SUFFIXES: Final = {By.PARTY: "", By.DOCUMENT: "_documents", By.LINE: "_lines"}
VIEWS: Final = (*(f"{aging.name}{suffix}" for aging in AGINGS for suffix in _SUFFIXES.values()), MERGED)


def managed_views(dialect: Dialect, mirror: Mirror) -> list[ManagedView]:
    """The views whose tables and columns the mirror has; none reads another, so that each is replaced by itself."""
    makers: dict[str, Callable[[], Select[Any]]] = {
        f"{aging.name}{suffix}": partial(_aging, mirror, aging, by)
        for aging in AGINGS
        for by, suffix in _SUFFIXES.items()
    }
    makers[MERGED] = partial(merged_query, mirror)
    found = []
    for name, make in makers.items():
        try:
            query = make()
        except (KeyError, AttributeError):
            # Another catalog's mirror, such as an earlier version's; for ours a test names every view.
            continue
        columns = tuple(column.name for column in query.selected_columns)
        found.append(ManagedView(name, rendered(dialect, query), columns))
    return found


def _aging(mirror: Mirror, aging: Aging, by: By) -> Select[Any]:
    return AgingQuery(mirror, aging).by(by)


def rendered(dialect: Dialect, query: Select[Any]) -> str:
    """The query as SQL without parameters."""
    schemas = None if dialect.name == "postgresql" else {SCHEMA: "main"}
    compiled = query.compile(
        dialect=dialect,
        compile_kwargs={"literal_binds": True},
        schema_translate_map=schemas,
        render_schema_translate=schemas is not None,
    )
    return str(compiled)
