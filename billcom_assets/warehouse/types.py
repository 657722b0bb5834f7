"""Column types that mean the same on SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import DateTime, Dialect, Numeric
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import TypeCompiler
from sqlalchemy.types import TypeDecorator, UserDefinedType

_decode_json = msgspec.json.Decoder(float_hook=Decimal).decode
_CENT = Decimal("0.01")


class Exact(TypeDecorator[Decimal]):
    """A Decimal that arrives as it left.

    PostgreSQL keeps it as NUMERIC. SQLite keeps 15 significant digits (amounts below ten trillion), compares it as a
    number and sums it exactly to the cent; it is bound as text, so that no float is made on our side.
    """

    impl = Numeric
    cache_ok = True

    def __init__(self, *, money: bool = False) -> None:
        super().__init__(asdecimal=True)
        self.money = money

    def bind_processor(self, dialect: Dialect) -> Any:
        """Text on SQLite, whose NUMERIC affinity turns it into a number; a Decimal elsewhere."""
        if dialect.name != "sqlite":
            return None
        return lambda value: None if value is None else format(value, "f")

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:  # noqa: ARG002 - SQLAlchemy's signature
        """A Decimal; money always shows at least two decimals."""
        money = self.money

        def process(value: Any) -> Decimal | None:
            if value is None:
                return None
            # SQLite itself is not exact beyond 15 digits when it makes a number of a text.
            exact = (
                value if isinstance(value, Decimal) else Decimal(f"{value:.15g}" if isinstance(value, float) else value)
            )
            # A Decimal's exponent is an integer for every finite number, and no other is stored.
            return exact.quantize(_CENT) if money and int(exact.as_tuple().exponent) > -2 else exact

        return process


class UtcTimestamp(TypeDecorator[datetime]):
    """An instant, always timezone-aware and in UTC; a naive datetime is refused."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """TIMESTAMPTZ on PostgreSQL, text in UTC on SQLite."""
        return dialect.type_descriptor(DateTime(timezone=dialect.name != "sqlite"))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """UTC; raises ValueError for a naive datetime."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a timestamp needs a time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Json(UserDefinedType[Any]):
    """JSON written as text that is already JSON, read back with Decimals; JSONB on PostgreSQL."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """TEXT affinity everywhere but on PostgreSQL."""
        return "TEXT"

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:  # noqa: ARG002 - SQLAlchemy's signature
        """The decoded value; PostgreSQL's driver has decoded it already."""
        return lambda value: _decode_json(value) if isinstance(value, str | bytes) else value


@compiles(Json, "postgresql")
def _jsonb(element: Json, compiler: TypeCompiler, **_: Any) -> str:  # noqa: ARG001 - SQLAlchemy's signature
    return "JSONB"
