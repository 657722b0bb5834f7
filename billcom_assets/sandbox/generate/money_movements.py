"""The company's bank movements, worked out from its payments once they are all there."""

from __future__ import annotations

from datetime import date
from functools import partial

from billcom_assets.sandbox.books.money_movements import Batch, Part, conclude, send, waiting_money
from billcom_assets.sandbox.clock import SECONDS_A_DAY, SECONDS_AN_HOUR
from billcom_assets.sandbox.generate.calendar import EPOCH_DAY, IMPORT_DAY, LAST_SECOND, business_day, iso
from billcom_assets.sandbox.generate.history import History
from billcom_assets.sandbox.kinds import MONEY_MOVEMENTS

_SENT_AT = 20 * SECONDS_AN_HOUR
_RETURNED = 0.015


def add_money_movements(history: History) -> None:
    """One movement for each bank account and day; the bank returned a few, which were sent again."""
    for batch, parts in waiting_money(history.organization).items():
        day = date.fromisoformat(batch.day).toordinal()
        history.at(_evening(day), partial(_send, history, batch, day, parts))
    history.run()


def _evening(day: int) -> int:
    return (max(day, IMPORT_DAY) - EPOCH_DAY) * SECONDS_A_DAY + _SENT_AT


def _send(history: History, batch: Batch, day: int, parts: list[Part]) -> None:
    organization = history.organization
    movement = send(organization, batch, parts).id
    concluded = _evening(business_day(day + 2))
    if history.luck(MONEY_MOVEMENTS).happens(_RETURNED):
        following = business_day(day + 3)
        again = Batch(iso(following), batch.type, batch.bank)
        history.at(concluded, partial(conclude, organization, movement, "VOIDED"))
        history.at(max(concluded, _evening(following)), partial(_send, history, again, following, parts))
    elif concluded <= LAST_SECOND:
        history.at(concluded, partial(conclude, organization, movement, "CONFIRMED"))
