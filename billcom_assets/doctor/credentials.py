"""The key that seals credentials, the credentials, and whether BILL lets the integrations in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from billcom_assets.bill.errors import BillError
from billcom_assets.bill.failures import sign_in_command
from billcom_assets.doctor.findings import Found, broken, ok, warning
from billcom_assets.doctor.place import Place
from billcom_assets.redaction.counted import counted
from billcom_assets.redaction.excerpt import excerpt
from billcom_assets.status.freshness import freshness_of_all
from billcom_assets.status.integrations import IntegrationStatus
from billcom_assets.warehouse.errors import WarehouseError
from billcom_assets.warehouse.integrations import Integrations, Status
from billcom_assets.warehouse.keys import find_seal
from billcom_assets.warehouse.sealing import Seal

_SHOWN: Final = 10
"""Integrations named one by one."""
_MESSAGE: Final = 300
"""Characters shown of what BILL said."""


def secret_key(place: Place) -> Iterator[Found]:
    """The key is there, and opens what is sealed."""
    warehouse = place.warehouse
    try:
        seal = find_seal(warehouse.engine.url, make=False)
    except WarehouseError as error:
        if place.integrations:
            yield broken(error.message, error.next_step)
        else:
            yield ok("Nothing is sealed yet.")
        return
    problems = list(_unusable(place, seal))
    yield from _limited(problems)
    if not problems:
        sealed = counted(len(place.integrations), "integration", "integrations")
        yield ok(f"The key (key id {seal.key_id}) opens the credentials of {sealed}.")


def sign_ins(place: Place) -> Iterator[Found]:
    """BILL lets every integration in."""
    problems = [found for one in place.integrations if (found := _sign_in(place, one)) is not None]
    yield from _limited(problems)
    if not problems:
        yield ok(f"BILL lets in {counted(len(place.integrations), 'integration', 'integrations')}.")


def freshness(place: Place) -> Iterator[Found]:
    """Everything that was ever synced is recent."""
    report = freshness_of_all(place.warehouse, place.now)
    for key, found, fix in report.fixes():
        yield warning(f"{key}: {found}.", fix or f"billcom status {key} shows more")
    if not report.troubled:
        yield ok(report.description)


def _unusable(place: Place, seal: Seal) -> Iterator[Found]:
    stored, connection = Integrations(seal), place.read()
    by_reason: dict[tuple[str, str], list[str]] = defaultdict(list)
    for one in place.integrations:
        try:
            stored.get(connection, one.key).credentials()
        except WarehouseError as error:
            by_reason[error.message.replace(one.key, "..."), error.next_step.replace(one.key, "KEY")].append(one.key)
        except BillError as error:
            by_reason[error.message, error.next_step].append(one.key)
    for (found, fix), keys in by_reason.items():
        more = f" and {len(keys) - _SHOWN} more" if len(keys) > _SHOWN else ""
        yield broken(f"The credentials of {', '.join(keys[:_SHOWN])}{more} cannot be used: {found}", fix)


def _sign_in(place: Place, one: IntegrationStatus) -> Found | None:
    said = f": {excerpt(one.status_message, limit=_MESSAGE)}" if one.status_message else ""
    fix = sign_in_command(one.key, one.status_code)
    if one.status == Status.ERROR:
        return broken(f"BILL refused the sign-in of {one.key}{said}", fix)
    if one.sign_in_not_before is not None and one.sign_in_not_before > place.now:
        until = f"{one.sign_in_not_before:%Y-%m-%d %H:%M} UTC"
        return warning(f"{one.key} is held back until {until}, because BILL refused its sign-in for now{said}", fix)
    if one.status == Status.PENDING:
        return warning(f"{one.key} has not signed in yet{said}", f"billcom validate {one.key}")
    return None


def _limited(found: list[Found]) -> Iterator[Found]:
    yield from found[:_SHOWN]
    if len(found) > _SHOWN:
        yield warning(f"{len(found) - _SHOWN} more are like that.", "billcom status shows all integrations")
