"""The simulated BILL that ships with the package: v3, the v2 calls a sync needs, limits, faults and a movable clock."""

from billcom_assets.sandbox.clock import Clock
from billcom_assets.sandbox.faults import Fault, FaultPlan, FaultRate
from billcom_assets.sandbox.server import SandboxServer, run
from billcom_assets.sandbox.settings import Settings
from billcom_assets.sandbox.state import Sandbox
from billcom_assets.sandbox.world import Organization, World

__all__ = [
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
]
