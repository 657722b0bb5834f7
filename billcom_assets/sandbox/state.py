"""Everything a running sandbox consists of, apart from HTTP."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from billcom_assets.sandbox.changes import Change, change
from billcom_assets.sandbox.clock import Clock
from billcom_assets.sandbox.errors import Refusal
from billcom_assets.sandbox.faults import FaultPlan
from billcom_assets.sandbox.limits import Limits
from billcom_assets.sandbox.sessions import Sessions
from billcom_assets.sandbox.settings import FIXED_AT_START, Settings
from billcom_assets.sandbox.stats import Stats
from billcom_assets.sandbox.world import World


class Sandbox:
    """The world with its sessions, limits, faults and statistics.

    Args:
        settings: What the sandbox is like.
        clock: The time it lives in; wall time when None.
    """

    def __init__(self, settings: Settings | None = None, clock: Clock | None = None) -> None:
        self.world = World(settings, clock)
        self.clock = self.world.clock
        self.faults = self.world.faults
        self.lock = self.world.lock
        self.readings = self.world.readings
        self.sessions = Sessions(self.world, self.readings, self.clock)
        self.limits = Limits(self.readings, self.clock, clients=frozenset(self.world.by_client))
        self.stats = Stats()
        self.refused: dict[str, Refusal] = {}
        """Operations that BILL refuses to everybody, by the names they have in ``stats.paths``."""

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self.readings.settings

    def change_settings(self, **changes: Any) -> Settings:
        """Change settings while running.

        Raises:
            ValueError: A setting that is fixed when the world is made, or a value it cannot take.
            TypeError: A name that is no setting.
        """
        fixed = sorted(FIXED_AT_START & changes.keys())
        if fixed:
            raise ValueError(f"{', '.join(fixed)} cannot be changed in a running sandbox")
        self.readings.settings = replace(self.settings, **changes)
        return self.settings

    def set_faults(self, plan: FaultPlan) -> None:
        """Switch faults on or off; what has fired so far is forgotten."""
        self.readings.settings = replace(self.settings, faults=plan)
        self.faults.plan = plan
        self.faults.reset()

    def change(
        self, n: int, seed: int = 1, *, organization: str | None = None, only: str | None = None
    ) -> list[Change]:
        """Let ``n`` random believable business changes happen in an organization (the first one by default).

        Args:
            n: How many.
            seed: Decides what happens; the same for the same state.
            organization: Organization id.
            only: One kind of change, a key of ``changes.HAPPENINGS``.

        Raises:
            KeyError: No organization has this id.
            ValueError: ``only`` is no kind of change, or there is nothing it can happen to.
        """
        with self.lock:
            return change(self.world.organization(organization), n, seed, only=only)

    def reset_stats(self) -> None:
        """Forget everything counted: requests, peaks, the hour's budget and fired faults."""
        self.stats.reset()
        self.limits.reset()
        self.faults.reset()
