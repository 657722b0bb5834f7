"""Comparing two sides that amounts of documents add up to: by group, and within each by document."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    Select,
    and_,
    case,
    func,
    literal_column,
    or_,
    select,
    type_coerce,
    union_all,
)

from billcom_assets.books.identities.findings import SHOWN, Difference, Document
from billcom_assets.books.identities.labels import Label, document_of
from billcom_assets.books.run import Run
from billcom_assets.warehouse.books_tables import ledger_documents
from billcom_assets.warehouse.sums import MoneySum
from billcom_assets.warehouse.types import Exact

MONEY: Final = Exact(money=True)
NO_DOCUMENT: Final = ""
"""Kind of rows that are of no document."""
_ZERO: Final = type_coerce(literal_column("0"), MONEY)


def on_left(query: Select[Any], amount: ColumnElement[Any]) -> Select[Any]:
    """The query's rows with their amounts on the left side."""
    return query.add_columns(_money(amount).label("left"), _ZERO.label("right"))


def on_right(query: Select[Any], amount: ColumnElement[Any]) -> Select[Any]:
    """The query's rows with their amounts on the right side."""
    return query.add_columns(_ZERO.label("left"), _money(amount).label("right"))


def _money(amount: ColumnElement[Any]) -> ColumnElement[Any]:
    return type_coerce(func.coalesce(amount, 0), MONEY)


class Comparison:
    """Rows of two sides, added up.

    Args:
        key: Names of the columns that make up a group.
        rows: Queries with those columns, ``kind`` and ``id`` of a document, ``left`` and ``right``.
    """

    def __init__(self, key: Sequence[str], rows: Sequence[Select[Any]]) -> None:
        self._key = tuple(key)
        both: CompoundSelect[Any] = union_all(*rows)
        row = both.subquery("rows").c
        of_document = (*(row[name] for name in self._key), row.kind, row.id)
        document = select(*of_document, MoneySum(row.left).label("left"), MoneySum(row.right).label("right"))
        self._documents = document.group_by(*of_document).subquery("documents")
        one = self._documents.c
        differs = func.count(case((one.left != one.right, 1)))
        group = tuple(one[name] for name in self._key)
        totals = (MoneySum(one.left).label("left"), MoneySum(one.right).label("right"), differs.label("differing"))
        self._groups = select(*group, *totals).group_by(*group).subquery("groups")

    def counts(self, connection: Connection) -> tuple[int, int]:
        """How many groups there are, and of how many of them documents differ."""
        differing = func.count(case((self._groups.c.differing > 0, 1)))
        row = connection.execute(select(func.count(), differing).select_from(self._groups)).one()
        return int(row[0]), int(row[1])

    def first(
        self, connection: Connection, run: Run, labels: Callable[[Sequence[Any]], list[Label]]
    ) -> list[Difference]:
        """The first groups that differ, with the documents that do.

        Args:
            connection: A reading one.
            run: Whose books.
            labels: Says what groups are of.
        """
        g = self._groups.c
        key = [g[name] for name in self._key]
        rows = connection.execute(
            select(self._groups).where(g.differing > 0).order_by(*(one.nulls_first() for one in key)).limit(SHOWN)
        ).all()
        documents = self._differing(connection, run, rows)
        return [
            Difference(of.what, row.left, row.right, tuple(documents[self._key_of(row)]), of.name)
            for of, row in zip(labels(rows), rows, strict=True)
        ]

    def _key_of(self, row: Any) -> tuple[Any, ...]:
        return tuple(getattr(row, name) for name in self._key)

    def _differing(
        self, connection: Connection, run: Run, groups: Sequence[Any]
    ) -> defaultdict[tuple[Any, ...], list[Document]]:
        found: defaultdict[tuple[Any, ...], list[Document]] = defaultdict(list)
        if not groups:
            return found
        one, book = self._documents.c, ledger_documents.c
        key = [one[name] for name in self._key]
        wanted = or_(
            *(
                and_(
                    *(column.is_not_distinct_from(value) for column, value in zip(key, self._key_of(row), strict=True))
                )
                for row in groups
            )
        )
        same = and_(book.integration == run.integration, book.kind == one.kind, book.id == one.id)
        place = func.row_number().over(partition_by=key, order_by=(one.kind, one.id)).label("place")
        ranked = (
            select(*key, one.kind, one.id, book.number, place)
            .select_from(self._documents.outerjoin(ledger_documents, same))
            .where(wanted, one.left != one.right, one.kind != NO_DOCUMENT)
            .subquery("ranked")
        )
        for row in connection.execute(select(ranked).where(ranked.c.place <= SHOWN).order_by(ranked.c.place)):
            found[self._key_of(row)].append(document_of(row))
        return found
