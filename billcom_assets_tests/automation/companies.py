"""A simulated company with its ledger and mappings in place, as a folder that tests copy."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, delete, select, update

from billcom_assets.cli.demo_ledger import write_ledger
from billcom_assets.cli.ledger import import_files
from billcom_assets.cli.mappings import suggest_and_accept
from billcom_assets.cli.options import acting
from billcom_assets.environment import open_database
from billcom_assets.job_runner import add_partition, launch
from billcom_assets.ledger.account_types import AccountType
from billcom_assets.mapping.suggestions import Accept
from billcom_assets.sandbox import SandboxServer
from billcom_assets.setup.connecting import ConnectionSettings, connect_integration
from billcom_assets.warehouse.catalog_mirror import catalog_mirror
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.integrations import CredentialSources
from billcom_assets.warehouse.ledger_tables import mappings
from billcom_assets.warehouse.tables import integrations

KEY = "acme-us"


def connect(warehouse: Warehouse, server: SandboxServer, key: str = KEY, organization: int = 0) -> None:
    """What ``billcom connect`` does."""
    one = server.world.organizations[organization]
    sources = CredentialSources(one.token.username, one.token.password, "sandbox-dev-key")
    settings = ConnectionSettings(company=one.name, base_url=server.base_url, v2_base_url=server.v2_base_url)
    connect_integration(warehouse, key, one.id, sources, settings, actor=acting(), on_new=add_partition)


def complete_setup(
    warehouse: Warehouse, server: SandboxServer, folder: Path, key: str = KEY, organization: int = 0
) -> None:
    """What ``billcom ledger import`` and ``billcom mappings suggest --accept exact`` do."""
    folder.mkdir(exist_ok=True)
    import_files(warehouse, key, write_ledger(server.world.organizations[organization], folder))
    suggest_and_accept(warehouse, key, Accept.EXACT)


def prepare(server: SandboxServer, home: Path) -> None:
    """Connected, seeded and ready in the home that the environment names; nothing from bills on is there."""
    warehouse = open_database()
    connect(warehouse, server)
    seeded = launch("initial_seed", KEY)
    assert seeded.success, seeded.error
    complete_setup(warehouse, server, home / "ledger")
    warehouse.close()


def copied(template: Path, home: Path) -> Path:
    """A home of the test's own with everything in it."""
    shutil.copytree(template, home, dirs_exist_ok=True)
    return home


@dataclass(frozen=True)
class Breakage:
    """One prerequisite made unmet, and what must be told."""

    name: str
    also: tuple[str, ...] = ()
    """Prerequisites that cannot hold without it."""
    types: frozenset[AccountType] = frozenset()

    @property
    def failing(self) -> set[str]:
        return {self.name, *self.also}

    def apply(self, connection: Connection) -> None:
        getattr(self, f"_break_{self.name}", self._unmap_types)(connection)

    def _break_company_attached(self, connection: Connection) -> None:
        connection.execute(update(integrations).values(company=" "))

    def _break_authenticated(self, connection: Connection) -> None:
        connection.execute(update(integrations).values(status="error", status_message="BILL refused the last login."))

    def _break_vendors_pulled(self, connection: Connection) -> None:
        connection.execute(update(catalog_mirror().table("vendors")).values(archived=True))

    def _break_accounts_pulled(self, connection: Connection) -> None:
        connection.execute(update(catalog_mirror().table("accounts")).values(archived=True))

    def _break_vendors_mapped(self, connection: Connection) -> None:
        connection.execute(delete(mappings).where(mappings.c.kind == "vendors"))

    def _break_accounts_mapped(self, connection: Connection) -> None:
        connection.execute(delete(mappings).where(mappings.c.kind == "accounts"))

    def _unmap_types(self, connection: Connection) -> None:
        accounts = catalog_mirror().table("accounts").c
        ids = select(accounts.id).where(accounts.account_type.in_([one.value for one in self.types]))
        connection.execute(delete(mappings).where(mappings.c.kind == "accounts", mappings.c.bill_id.in_(ids)))
