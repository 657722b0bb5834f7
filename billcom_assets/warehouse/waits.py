"""How long we wait for what somebody else has locked."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass

from billcom_assets.warehouse.errors import WarehouseError

VARIABLE = "BILLCOM_LOCK_SECONDS"


@dataclass(frozen=True)
class Waits:
    """Limits in seconds, all in proportion to one setting.

    A change of a table's shape that waits for its lock keeps every reader that comes later waiting behind it, so it
    waits only for a moment, lets the others pass and tries again.
    """

    lock_seconds: float = 10
    """For this long a statement waits for a lock on PostgreSQL."""

    @property
    def upgrade_lock_seconds(self) -> float:
        """For this long one attempt to change a table or view waits, and everybody else behind it."""
        return self.lock_seconds / 20

    @property
    def upgrade_seconds(self) -> float:
        """For this long such attempts are repeated where we cannot work without the change; SQLite's busy timeout."""
        return self.lock_seconds * 6

    @property
    def finishing_seconds(self) -> float:
        """For this long such attempts are repeated where the change can wait for the next opening."""
        return self.lock_seconds * 0.3

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Waits:
        """What ``BILLCOM_LOCK_SECONDS`` sets.

        Raises:
            WarehouseError: it is not a number of seconds.
        """
        given = (os.environ if environment is None else environment).get(VARIABLE, "").strip()
        if not given:
            return cls()
        try:
            seconds = float(given)
        except ValueError:
            seconds = math.nan
        # PostgreSQL takes milliseconds as a 32-bit integer, and 0 for "without end".
        if not 0.1 <= seconds <= 86_400:
            raise WarehouseError(
                f"{VARIABLE} is not a number of seconds from 0.1 to 86400.", "Set it to 10, or unset it."
            )
        return cls(seconds)


def milliseconds(seconds: float) -> int:
    """As PostgreSQL's ``lock_timeout`` takes it."""
    return max(1, round(seconds * 1000))
