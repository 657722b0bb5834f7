"""The simulated BILL that ships with the package: v3, the v2 calls a sync needs, limits, faults and a movable clock.

>>> with SandboxServer(Settings(bills=60)) as server:  # doctest: +SKIP
...     organization = server.world.organization()
...     server.base_url, organization.id, organization.user.username, organization.user.password

The same settings give the same companies, ids and credentials. Organization ``n`` (from 1) has the user
``admin@<slug of its name>.example`` with password ``sandbox-password-<n>`` and the sync token ``sandbox-sync-<n>`` with
value ``sandbox-token-<n>``, the OAuth client ``sandbox-client-<n>`` with secret ``sandbox-client-secret-<n>``, and the
accountant ``accountant@firm.example`` with console token ``sandbox-console-token``; the developer key is
``sandbox-dev-key``. What BILL has now is ``organization.rows(path)``, and ``v2_rows(organization, entity)`` of what v2
shows;
``server.sandbox.change(n, seed)`` lets business happen; the routes under ``/_sandbox/`` do the same from another
process.
"""

from billcom_assets.sandbox.changes import Change
from billcom_assets.sandbox.clock import Clock
from billcom_assets.sandbox.faults import Fault, FaultPlan, FaultRate
from billcom_assets.sandbox.organization import Organization
from billcom_assets.sandbox.server import SandboxServer, run
from billcom_assets.sandbox.settings import Settings
from billcom_assets.sandbox.state import Sandbox
from billcom_assets.sandbox.v2 import v2_rows
from billcom_assets.sandbox.world import World

__all__ = [
    "Change",
    "Clock",
    "Fault",
    "FaultPlan",
    "FaultRate",
    "Organization",
    "Sandbox",
    "SandboxServer",
    "Settings",
    "World",
    "run",
    "v2_rows",
]
