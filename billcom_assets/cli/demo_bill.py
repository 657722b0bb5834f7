"""The demo's company and its simulated BILL: the one that runs already, or else one of the command's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests

from billcom_assets.sandbox import Change, Organization, SandboxServer, Settings, World
from billcom_assets.sandbox.app import CONTROL_BASE, V2_BASE, V3_BASE
from billcom_assets.status.integrations import find_integration
from billcom_assets.warehouse.engine import Warehouse

BILLS = 600
_KEY = "demo"
_THIS_MACHINE = "http://127.0.0.1:"
_SECONDS = 10


@dataclass(frozen=True)
class DemoCompany:
    """Which simulated company the demo uses: every size is another one, with an integration of its own."""

    key: str
    name: str
    settings: Settings

    @classmethod
    def of_size(cls, bills: int) -> DemoCompany:
        """The company with so many bills; the same data every time."""
        # A seed of its own makes an organization id of its own: that of billcom sandbox stays free to be connected.
        settings = Settings(bills=bills, orgs=1, seed=1_000 + bills)
        if bills == BILLS:
            return cls(_KEY, "Demo company", settings)
        return cls(f"{_KEY}-{bills}", f"Demo company with {bills} bills", settings)

    @property
    def command(self) -> str:
        """What shows this company."""
        return "billcom demo" if self.key == _KEY else f"billcom demo --bills {self.settings.bills}"


@dataclass(frozen=True)
class DemoBill:
    """A simulated BILL that is served.

    Attributes:
        root: Such as ``http://127.0.0.1:49152``.
        organization: The company as it was at the beginning.
        is_own: It ends with this command; others use it, too, when it is not.
    """

    root: str
    organization: Organization
    is_own: bool

    @property
    def base_url(self) -> str:
        """Where v3 is."""
        return self.root + V3_BASE

    @property
    def v2_base_url(self) -> str:
        """Where v2 is."""
        return self.root + V2_BASE

    def change(self, what: str) -> list[Change]:
        """Lets something happen in the company, called as the simulated BILL calls it."""
        return [Change(**one) for one in _control(self.root, "change", {"only": what})]


@contextmanager
def demo_bill(warehouse: Warehouse, company: DemoCompany) -> Iterator[DemoBill]:
    """The company's BILL, so that everybody sees the same state of it."""
    root = _running(warehouse, company)
    if root is not None:
        yield DemoBill(root, World(company.settings).organization(), is_own=False)
        return
    with SandboxServer(company.settings) as server:
        root = server.base_url.removesuffix(V3_BASE)
        yield DemoBill(root, server.world.organization(), is_own=True)


def _running(warehouse: Warehouse, company: DemoCompany) -> str | None:
    """Root of the BILL that the company was connected to last, if that still runs."""
    with warehouse.read() as connection:
        integration = find_integration(connection, company.key)
    address = (integration and integration.base_url) or ""
    # Nobody but a simulated BILL of this machine is asked.
    if not (address.startswith(_THIS_MACHINE) and address.endswith(V3_BASE)):
        return None
    root = address.removesuffix(V3_BASE)
    try:
        found = _control(root, "settings")
        is_it = (found["seed"], found["bills"]) == (company.settings.seed, company.settings.bills)
    except (requests.RequestException, ValueError, TypeError, KeyError):
        # Nobody listens there any more, or another program does.
        return None
    return root if is_it else None


def _control(root: str, route: str, body: dict[str, Any] | None = None) -> Any:
    with requests.Session() as session:
        session.trust_env = False  # A proxy could not reach it.
        url = f"{root}{CONTROL_BASE}/{route}"
        asked = session.get(url, timeout=_SECONDS) if body is None else session.post(url, json=body, timeout=_SECONDS)
        asked.raise_for_status()
        return asked.json()
