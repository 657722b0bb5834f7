"""Database users: those of the three roles, and others that an administrator might be."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from sqlalchemy import make_url

from billcom_assets_tests.cli.commands import Answered, billcom_command


def as_libpq(url: str) -> str:
    """The URL as psycopg and psql take it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


@contextmanager
def connected(url: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection that commits each statement."""
    with psycopg.connect(as_libpq(url), autocommit=True) as connection:
        yield connection


def rows(url: str, statement: str) -> list[tuple[Any, ...]]:
    """What the statement returns; nothing when it is no query."""
    with connected(url) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


@dataclass(frozen=True)
class Logins:
    """The roles of one database, names of their own, and a user in each: roles are common to the whole server."""

    administrator: str
    """URL of whoever made the database."""
    owner: str
    runner: str
    analyst: str

    @classmethod
    def of(cls, url: str) -> Logins:
        mark = uuid.uuid4().hex[:12]
        return cls(url, *(f"{role}_{mark}" for role in ("owner", "runner", "analyst")))

    @property
    def options(self) -> Sequence[str]:
        """How the command is told these names."""
        return ("--owner", self.owner, "--runner", self.runner, "--analyst", self.analyst)

    def command(self, *more: str) -> Answered:
        """``billcom database roles``, of whoever BILLCOM_DATABASE_URL names."""
        return billcom_command("database", "roles", *self.options, *more)

    def user(self, *groups: str, attributes: str = "") -> str:
        """URL of a new user who belongs to the groups."""
        name = f"user_{uuid.uuid4().hex[:12]}"
        rows(self.administrator, f"CREATE ROLE {name} LOGIN {attributes}")
        for group in groups:
            rows(self.administrator, f'GRANT "{group}" TO {name}')
        return make_url(self.administrator).set(username=name).render_as_string(hide_password=False)
