"""Values of settings as somebody types them."""

from __future__ import annotations

import re
from datetime import date

from billcom_assets.books.accounts import Chart
from billcom_assets.books.settings import NONE, SETTINGS, Setting, Takes
from billcom_assets.ledger.currencies import iso_code
from billcom_assets.redaction.close_matches import did_you_mean, listed, quoted
from billcom_assets.warehouse.integrations import InvalidSetting

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)  # Python would also take 20250131 and 2025-W05-5.


def typed_value(name: str, text: str | None, chart: Chart) -> str | date | None:
    """What the setting called ``name`` becomes: an account's id, a date, a word; None for no value.

    Args:
        name: Name of the setting.
        text: The value: of an account its id, number or name; None, nothing or ``none`` for no value.
        chart: The ledger's accounts.

    Raises:
        InvalidSetting: there is no such setting, or it cannot have the value; the text says what it can.
    """
    setting = SETTINGS.get(name)
    if setting is None:
        guess = did_you_mean(name, SETTINGS)
        raise InvalidSetting(f"There is no setting {quoted(name)}.{guess} Known are: {listed(SETTINGS)}.")
    typed = (text or "").strip()
    if typed.lower() in {"", NONE}:
        if not setting.may_be_empty:
            raise InvalidSetting(f"{name} cannot be empty. It can be {setting.values}.")
        return None
    match setting.takes:
        case Takes.ACCOUNT:
            return chart.find(setting, typed).id
        case Takes.CHOICE:
            return _choice(setting, typed)
        case Takes.DAY:
            return _day(setting, typed)
        case Takes.CURRENCY:
            return _currency(setting, typed)


def _choice(setting: Setting, typed: str) -> str:
    if typed.lower() not in setting.choices:
        raise _refused(setting, typed, did_you_mean(typed, setting.choices))
    return typed.lower()


def _day(setting: Setting, typed: str) -> date:
    try:
        found = date.fromisoformat(typed) if _DAY.fullmatch(typed) else None
    except ValueError:
        found = None
    if found is None:
        raise _refused(setting, typed)
    return found


def _currency(setting: Setting, typed: str) -> str:
    code = iso_code(typed)
    if code is None:
        raise _refused(setting, typed)
    return code


def _refused(setting: Setting, typed: str, guess: str = "") -> InvalidSetting:
    return InvalidSetting(f"{setting.name} cannot be {quoted(typed)}.{guess} It can be {setting.values}.")
