"""Running the command in this process, and what it answered."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from billcom_assets.cli import billcom
from billcom_assets.environment import open_database, seal_for
from billcom_assets.sandbox import SandboxServer
from billcom_assets.warehouse.integrations import Integration, Integrations

DEV_KEY = "dev-key-nobody-may-see"


@dataclass(frozen=True)
class Answered:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """Standard output as one JSON document; fails when there is anything else."""
        found: dict[str, Any] = json.loads(self.out)
        return found

    @property
    def everything(self) -> str:
        return self.out + self.err


def billcom_command(*arguments: str, stdin: str = "") -> Answered:
    result = CliRunner().invoke(billcom, list(arguments), input=stdin)
    return Answered(result.exit_code, result.stdout, result.stderr)


@dataclass(frozen=True)
class Desk:
    """Somebody at a command line, with a home folder and a simulated BILL to connect to."""

    home: Path
    bill: SandboxServer

    def run(self, *arguments: str, stdin: str = "") -> Answered:
        return billcom_command(*arguments, stdin=stdin)

    def credentials(self, number: int = 0, **changes: str | None) -> list[str]:
        """Options that sign in to one of the organizations; None leaves an option out."""
        organization = self.bill.world.organizations[number]
        options: dict[str, str | None] = {
            "organization-id": organization.id,
            "username": organization.token.username,
            "password": organization.token.password,
            "dev-key": DEV_KEY,
            **{name.replace("_", "-"): value for name, value in changes.items()},
        }
        return [word for name, value in options.items() if value is not None for word in (f"--{name}", value)]

    def connect(self, key: str, *more: str, number: int = 0, stdin: str = "", **changes: str | None) -> Answered:
        """Connects with whatever is changed or added."""
        changes = {"base_url": self.bill.base_url, "company": f"Company of {key}"} | changes
        return self.run("connect", key, *self.credentials(number, **changes), *more, stdin=stdin)

    def stored(self, key: str) -> Integration:
        warehouse = open_database()
        try:
            with warehouse.read() as connection:
                return Integrations(seal_for(warehouse)).get(connection, key)
        finally:
            warehouse.close()
