"""What the ledger knows of the company itself."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from billcom_assets.ledger.currencies import iso_code
from billcom_assets.ledger.problems import quoted
from billcom_assets.warehouse import audit, home_currency
from billcom_assets.warehouse.audit import Actor, What
from billcom_assets.warehouse.integrations import InvalidSetting
from billcom_assets.warehouse.policy_changes import NewChange, add_changes
from billcom_assets.warehouse.standing import refuse_to_mix

_SETTING = "home_currency"
"""Its name in the posting policy."""


def keep_books_in(conn: Connection, integration: str, currency: str, *, actor: Actor, now: datetime) -> str:
    """Sets the company's home currency, given by code or name; returns its ISO 4217 code.

    Raises:
        InvalidSetting: it is no currency, or entries stand that were posted in another one.
        UnknownIntegration: there is no such integration.
    """
    before = home_currency.home_currency(conn, integration)
    code = iso_code(currency)
    if code is None:
        raise InvalidSetting(f"{quoted(currency)} is no currency. Give its ISO 4217 code, such as --home-currency USD.")
    if code != before:
        change = NewChange(_SETTING, before, code)
        refuse_to_mix(conn, integration, change)
        home_currency.set_home_currency(conn, integration, code, now)
        add_changes(conn, integration, [change], set_by=actor.name, now=now)
        audit.record(
            conn,
            actor=actor,
            what=What.SETTING_CHANGED,
            integration=integration,
            subject=_SETTING,
            before=before,
            after=code,
            now=now,
        )
    return code
