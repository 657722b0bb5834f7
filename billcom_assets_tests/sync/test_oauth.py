"""Syncs with an OAuth client's short-lived tokens mirror what any other sign-in does."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from billcom_assets.bill.client import CallEvent
from billcom_assets.bill.credentials import Credentials
from billcom_assets.bill.errors import AuthenticationRefused
from billcom_assets.sandbox import SandboxServer, Settings
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets_tests.sync.company import INTEGRATION, Company
from billcom_assets_tests.sync.truth import differences, truth_of

READINGS: dict[str, dict[str, Any]] = {
    "a dead token is a bare 401": {"dead_token": "gateway"},
    "a dead token is a dead session": {"dead_token": "bill"},
    "BILL does not say whose token it is": {"oauth_session_info": False},
    "the token endpoint is at the root": {"token_path": "at_root"},
}


class AppCompany(Company):
    """A company that a developer app signs in for."""

    def credentials(self) -> Credentials:
        """Its OAuth client's."""
        client = self.organization.client
        return Credentials(
            self.organization.id, client_id=client.id, client_secret=client.secret, base_url=self.server.base_url
        )


@pytest.mark.parametrize("reading", READINGS.values(), ids=READINGS)
def test_tokens_that_end_in_mid_walk_leave_equal_tables_and_are_each_asked_for_once(
    reading: dict[str, Any], warehouse: Warehouse
) -> None:
    with SandboxServer(Settings(bills=120, orgs=1, **reading)) as server:
        company, requests, ended = AppCompany(server), count(1), []

        def end_every_twelfth(_event: CallEvent) -> None:
            if next(requests) % 12 == 0 and len(ended) < 5:
                ended.append(server.sandbox.sessions.end_all())

        company.on_event = end_every_twelfth
        company.sync(warehouse)

        assert differences(warehouse, INTEGRATION, truth_of(company.organization, v2=False)) == []
        assert sum(ended) >= 3
        assert server.sandbox.stats.logins == 1 + sum(ended)


def test_a_client_revoked_in_mid_sync_ends_it_and_one_given_back_goes_on(warehouse: Warehouse) -> None:
    with SandboxServer(Settings(bills=40, orgs=1)) as server:
        company = AppCompany(server)
        company.sync(warehouse, only=["vendors", "accounts"])
        company.organization.client.revoked = True
        server.sandbox.sessions.end_all()

        with pytest.raises(AuthenticationRefused, match="Client authentication failed"):
            company.sync(warehouse)
        company.organization.client.revoked = False
        company.sync(warehouse)

        assert differences(warehouse, INTEGRATION, truth_of(company.organization, v2=False)) == []
