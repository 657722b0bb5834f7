"""Comparing whole tables with one another."""

from __future__ import annotations

from sqlalchemy import Connection


def compare_by_hash(connection: Connection) -> None:
    """Lets PostgreSQL compare tables row set by row set until the transaction ends, whatever its statistics say.

    Those of a table that has just been filled are of the time before: for a list of 20,000 the planner expects one row,
    reads it once for each row of the other table, and takes minutes for what takes a moment. What it compares by is
    kept in memory, and statements that are carried out once are not compiled to machine code first.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL enable_nestloop = off")
        connection.exec_driver_sql("SET LOCAL work_mem = '64MB'")
        connection.exec_driver_sql("SET LOCAL jit = off")
