"""This machine's clock against BILL's: BILL counts requests by clock hour, and so do we."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from billcom_assets.bill.bounded import ResponseLimits
from billcom_assets.bill.problems import Problem
from billcom_assets.bill.transport import Request, Transport
from billcom_assets.clock import utc_now
from billcom_assets.doctor.findings import Found, broken, ok, skipped, warning
from billcom_assets.doctor.place import Place
from billcom_assets.redaction.errors import UserFacingError

_TIMEOUT: Final = (5.0, 10.0)
_LIMITS: Final = ResponseLimits()
_SET: Final = "Let this machine's clock be set over the network (timedatectl set-ntp true)."


def clock(place: Place) -> Iterator[Found]:
    """Each address of BILL is asked for something without any credential, which counts against no developer key."""
    addresses = _addresses(place)
    if not addresses:
        yield skipped("Not looked at: no integration is connected.")
    for address in addresses:
        yield _compared(place, address)


def _addresses(place: Place) -> list[str]:
    """The addresses that are sealed with credentials; no others are asked."""
    check = place.credential_check
    found: set[str] = set()
    if check.integrations is None:
        return []
    connection = place.read()
    for one in place.integrations:
        try:
            integration = check.integrations.get(connection, one.key)
        except UserFacingError:
            continue
        found.add(integration.base_url or integration.environment.base_url)
    return sorted(found)


def _compared(place: Place, address: str) -> Found:
    transport = Transport(address, _TIMEOUT, _LIMITS)
    try:
        before = utc_now()
        answer = transport.send(Request("GET", f"{address}/v3/vendors", {}))
        after = utc_now()
    finally:
        transport.close()
    if transport.served_at is None:
        said = answer.message if isinstance(answer, Problem) else "Its answer has no Date"
        return warning(
            f"BILL's time at {address} is not known: {said.rstrip('.')}.", "Check network, proxy and firewall."
        )
    skew = (before + (after - before) / 2 - transport.served_at).total_seconds()
    if abs(skew) <= place.limits.skew_seconds:
        return ok(f"This machine's clock agrees with BILL's at {address}.")
    direction = "ahead of" if skew > 0 else "behind"
    text = f"This machine's clock is {abs(round(skew)):,} seconds {direction} BILL's at {address}."
    return (broken if abs(skew) > place.limits.broken_skew_seconds else warning)(text, _SET)
