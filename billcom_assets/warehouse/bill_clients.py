"""Clients of BILL that share their session and their developer key's allowance through the database."""

from __future__ import annotations

from typing import Any

from billcom_assets.bill.client import BillClient
from billcom_assets.bill.credentials import Credentials
from billcom_assets.clock import utc_now
from billcom_assets.warehouse.bill_access import SealedSessions, SharedBudget
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.integrations import Integration
from billcom_assets.warehouse.sealing import Seal


def bill_client(warehouse: Warehouse, seal: Seal, integration: Integration, **options: Any) -> BillClient:
    """A client of BILL for the integration, sharing its session and its developer key's allowance with all processes.

    Close it: that gives back what it reserved of the hourly allowance and did not use.

    Args:
        warehouse: Where sessions and the allowance are kept.
        seal: Seals the session.
        integration: Whose BILL organization to sign in to.
        options: Further arguments of :class:`BillClient`, such as ``clock``, or other ``sessions`` than those kept.

    Raises:
        ConfigurationError: a credential is missing or unsafe to use.
    """
    credentials = integration.credentials()
    budget = SharedBudget(warehouse, credentials.key_digest, options.get("clock", utc_now))
    sessions = options.pop("sessions", None) or SealedSessions(warehouse, seal, integration.key)
    return _SharingClient(credentials, budget, integration=integration.key, sessions=sessions, **options)


class _SharingClient(BillClient):
    """A client that gives back its part of the shared allowance when it is closed."""

    def __init__(self, credentials: Credentials, shared: SharedBudget, **options: Any) -> None:
        super().__init__(credentials, budget=shared, **options)
        self._shared = shared

    def close(self) -> None:
        """Keeps the session's time of last use, closes connections and gives the reserved requests back."""
        try:
            super().close()
        finally:
            self._shared.close()
