"""The checks, in the order in which people read them: what others need comes first."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import datetime
from typing import Final

from billcom_assets.doctor import bill_clock, credentials, dagster_instance, database, machine
from billcom_assets.doctor.findings import Check, Finding
from billcom_assets.doctor.place import Limits, Place

CHECKS: Final = (
    Check("versions", machine.versions),
    Check("disk", machine.disks),
    Check("database", database.reached),
    Check("tables", database.migrated),
    Check("writing", database.writable),
    Check("secret key", credentials.secret_key),
    Check("sign-in", credentials.sign_ins),
    Check("data", credentials.freshness),
    Check("documents", machine.documents),
    Check("clock", bill_clock.clock),
    Check("dagster", dagster_instance.loads),
    Check("settings", dagster_instance.settings),
    Check("daemon", dagster_instance.daemon),
    Check("automation", dagster_instance.running),
    Check("queue", dagster_instance.queue),
)


def examine(now: datetime, limits: Limits | None = None, *, debug: bool = False) -> list[Finding]:
    """What is to be said of the installation that the environment names; nothing of it is changed.

    Args:
        now: The time, UTC.
        limits: From where on something is worth a finding.
        debug: Exceptions that nobody expected are raised.
    """
    with ExitStack() as stack:
        place = Place(now, stack, limits or Limits(), debug)
        return [finding for check in CHECKS for finding in check.findings(place)]
