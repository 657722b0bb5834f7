"""Which documents need which account of the posting policy."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import ColumnElement, and_, or_

from billcom_assets.books import work
from billcom_assets.books.kinds import KINDS
from billcom_assets.books.money_accounts import SETTING


def used_settings() -> Iterator[tuple[str, ColumnElement[bool]]]:
    """Each setting, and the documents whose entries have a line on its account; the exchange account apart."""
    d = work.documents.c
    payables = [kind.name for kind in KINDS.values() if kind.party_kind == "vendors"]
    yield "accounts_payable", d.kind.in_(payables)
    for clearing in ("payables_clearing", "receivables_clearing"):
        is_money = and_(d.money_kind == SETTING, d.money_id == clearing)
        is_other = and_(d.other_kind == SETTING, d.other_id == clearing)
        yield clearing, or_(is_money, is_other)
