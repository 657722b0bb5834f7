"""What settings of the posting policy would be if nobody decides: the one account that can be meant."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from sqlalchemy import Connection, func, select

from billcom_assets.books.accounts import Chart, unsuitable
from billcom_assets.books.settings import SETTINGS, Role, Setting, Takes
from billcom_assets.mapping.coverage import mapped
from billcom_assets.mapping.mergers import survivors
from billcom_assets.warehouse.catalog_mirror import catalog_mirror, is_live

_SEVERAL = 2
_PROPOSED = frozenset({Role.PAYABLE, Role.RECEIVABLE, Role.CLEARING})


def proposals(
    connection: Connection, integration: str, names: Collection[str], used: Mapping[str, str | None]
) -> dict[str, str]:
    """Ids of ledger accounts by setting, for those of the settings ``names`` of which one can be meant.

    Args:
        connection: A reading connection.
        integration: Integration key.
        names: Settings that nothing is stored of.
        used: Accounts that other settings name, by setting.
    """
    open_ = [setting for name, setting in SETTINGS.items() if name in names and setting.role in _PROPOSED]
    if not open_:
        return {}
    chart = Chart.of(connection, integration)
    found: dict[str, str] = {}
    for setting, id_ in _candidates(connection, chart, open_):
        account = chart.accounts.get(id_)
        if account is not None and unsuitable(setting, account) is None and not shared(setting, id_, {**used, **found}):
            found[setting.name] = id_
    return found


def shared(setting: Setting, account_id: str, used: Mapping[str, str | None]) -> Setting | None:
    """Another setting that names the account for another purpose; None when there is none."""
    others = (SETTINGS[name] for name, id_ in used.items() if id_ == account_id and name != setting.name)
    return next((other for other in others if other.takes is Takes.ACCOUNT and other.role is not setting.role), None)


def _candidates(connection: Connection, chart: Chart, settings: list[Setting]) -> Iterator[tuple[Setting, str]]:
    integration = chart.integration
    links: dict[str, str] | None = None
    for setting in settings:
        if setting.type is not None:
            suitable = chart.suitable(setting)
            if len(suitable) == 1:
                yield setting, suitable[0].id
        elif (in_bill := _account_in_bill(connection, integration, setting)) is not None:
            links = mapped(connection, integration, "accounts") if links is None else links
            if in_bill in links:
                yield setting, links[in_bill]


def _account_in_bill(connection: Connection, integration: str, setting: Setting) -> str | None:
    """BILL's own account for what the setting is about."""
    if setting.named_on_payments:
        named = _named_on_online_payments(connection, integration)
        if len(named) == 1:
            return named.pop()
    accounts = catalog_mirror().table("accounts")
    called = func.lower(accounts.c.name).contains(setting.account_in_bill.lower(), autoescape=True)
    live = connection.scalars(select(accounts.c.id).where(is_live(accounts, integration), called).limit(2)).all()
    return live[0] if len(live) == 1 else None


def _named_on_online_payments(connection: Connection, integration: str) -> set[str]:
    """Accounts that payments through BILL were made from, merged ones as their survivors; of several only two."""
    p = catalog_mirror().table("vendor_payments").c
    account = p.chart_of_account_id
    made_through_bill = (p.integration == integration, p.online_payment, p.deleted_at.is_(None))
    named = select(account).where(*made_through_bill, account.is_not(None)).limit(1)
    merged = survivors(connection, integration, "accounts")
    seen: set[str] = set()
    # One after the other, because the payments are many and the second account already settles it.
    while len({merged.get(id_, id_) for id_ in seen}) < _SEVERAL:
        another = connection.scalar(named.where(account.not_in(seen)))
        if another is None:
            break
        seen |= {another, *(id_ for id_, survivor in merged.items() if survivor == merged.get(another, another))}
    return {merged.get(id_, id_) for id_ in seen}
