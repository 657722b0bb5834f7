"""Views that an analyst would otherwise write first: the agings, as of now, mergers, and the books."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from sqlalchemy import Column, Dialect, Select

from billcom_assets.warehouse import aging, books_views, merged
from billcom_assets.warehouse.aging import AGINGS, Aging, AgingQuery, By
from billcom_assets.warehouse.managed_views import ManagedView
from billcom_assets.warehouse.merged import MERGED, merged_query
from billcom_assets.warehouse.mirror import Mirror
from billcom_assets.warehouse.tables import SCHEMA

_AGING: Final = "Open amounts by days overdue today"
_MERGERS: Final = "One row per object that was merged into another in BILL, with the one that is left"
_SUFFIXES: Final = {By.PARTY: "", By.DOCUMENT: "_documents", By.LINE: "_lines"}
VIEWS: Final = (
    *(f"{one.name}{suffix}" for one in AGINGS for suffix in _SUFFIXES.values()),
    MERGED,
    *books_views.VIEWS,
)


def managed_views(dialect: Dialect, mirror: Mirror) -> list[ManagedView]:
    """The views whose tables and columns the mirror has; none reads another, so that each is replaced by itself."""
    wanted: dict[str, tuple[Callable[[], Select[Any]], str, Mapping[str, str]]] = {
        f"{one.name}{suffix}": (partial(_aging, mirror, one, by), _AGING, aging.COMMENTS)
        for one in AGINGS
        for by, suffix in _SUFFIXES.items()
    }
    wanted[MERGED] = partial(merged_query, mirror), _MERGERS, merged.COMMENTS
    for name, make in books_views.VIEWS.items():
        wanted[name] = make, inspect.getdoc(make) or "", books_views.COMMENTS
    found = []
    for name, (make, about, computed) in wanted.items():
        try:
            query = make()
        except (KeyError, AttributeError):
            # Another catalog's mirror, such as an earlier version's; for ours a test names every view.
            continue
        columns = tuple(column.name for column in query.selected_columns)
        comments = _comments(query, computed)
        found.append(ManagedView(name, rendered(dialect, query), columns, about=about, comments=comments))
    return found


def _comments(query: Select[Any], computed: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """What the tables say of the columns that the query takes from them as they are, and what we say of others."""
    taken = ((column.name, getattr(column, "element", column)) for column in query.selected_columns)
    said = ((name, (isinstance(column, Column) and column.comment) or computed.get(name)) for name, column in taken)
    return tuple((name, comment) for name, comment in said if comment)


def _aging(mirror: Mirror, which: Aging, by: By) -> Select[Any]:
    return AgingQuery(mirror, which).by(by)


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
