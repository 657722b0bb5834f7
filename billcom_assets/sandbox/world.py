"""The simulated companies and their current state, which is also the truth that tests compare with."""

from __future__ import annotations

import threading
from typing import Any

from billcom_assets.sandbox.clock import Clock
from billcom_assets.sandbox.faults import Faults
from billcom_assets.sandbox.generate.company import write_history
from billcom_assets.sandbox.organization import Organization
from billcom_assets.sandbox.settings import Readings, Settings


class World:
    """All organizations of a sandbox.

    Args:
        settings: What the sandbox is like.
        clock: Stamps every change.

    Attributes:
        by_client: Organizations by the id of their OAuth client.
        lock: Held by whoever reads or changes the world from another thread than the server's.
    """

    def __init__(self, settings: Settings | None = None, clock: Clock | None = None) -> None:
        self.readings = Readings(settings or Settings())
        self.clock = clock or Clock()
        self.faults = Faults(self.readings.settings.faults)
        self.lock = threading.RLock()
        self.organizations = tuple(
            Organization(self.readings, self.clock, self.faults, number)
            for number in range(self.readings.settings.orgs)
        )
        for organization in self.organizations:
            write_history(organization)
        self.by_client = {organization.client.id: organization for organization in self.organizations}
        self._by_id = {organization.id: organization for organization in self.organizations}

    def organization(self, organization_id: str | None = None) -> Organization:
        """The organization with this id; the first one without.

        Raises:
            KeyError: No organization has this id.
        """
        if organization_id is None:
            return self.organizations[0]
        return self._by_id[organization_id]

    def find(self, organization_id: Any) -> Organization | None:
        """The organization with this id, or None."""
        return self._by_id.get(organization_id) if isinstance(organization_id, str) else None
