"""Posting anew what a changed policy or mapping would have posted otherwise: shown first, done when confirmed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from sqlalchemy import Connection

from billcom_assets.books.policy import change_policy
from billcom_assets.books.posting import PostingReport, post_anew
from billcom_assets.books.recoding import KeptBack, kept_back
from billcom_assets.books.settings import SETTINGS
from billcom_assets.books.summary import Balance, trial_balance
from billcom_assets.redaction.counted import counted
from billcom_assets.warehouse import audit
from billcom_assets.warehouse.audit import Actor, What
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.integrations import InvalidSetting
from billcom_assets.warehouse.policy_changes import NewChange

_NAMED: Final = 5
"""Documents that an error names."""


@dataclass(frozen=True, slots=True)
class Moved:
    """An account whose balance changes, in the home currency."""

    account: str
    name: str
    before: Decimal
    after: Decimal


@dataclass(frozen=True, slots=True)
class Reposting:
    """What posting anew changes, or would change."""

    is_done: bool
    documents: Mapping[str, int]
    """How many are posted anew, by kind."""
    kept_back: tuple[KeptBack, ...]
    """Documents that would be coded otherwise, and stay as they are because they may not post today."""
    posted: int
    """Documents that come in for the first time with it."""
    taken_out: int
    """Documents that leave with it."""
    accounts: tuple[Moved, ...]

    @property
    def changes_something(self) -> bool:
        """True when a document or balance changes."""
        return bool(self.documents or self.posted or self.taken_out)


class _NotConfirmed(Exception):
    """Takes back what was only to be looked at."""


def repost(
    warehouse: Warehouse,
    integration: str,
    *,
    settings: Mapping[str, str],
    is_confirmed: bool,
    actor: Actor,
    now: datetime,
) -> Reposting:
    """Posts anew every document that would be coded otherwise by today's policy and mappings.

    Args:
        warehouse: Where the books are.
        integration: Integration key; the caller keeps its runs out.
        settings: Settings of the policy that change with it, as typed.
        is_confirmed: Keep it; else everything is taken back, and only what it would change is told.
        actor: Who the audit log says it was.
        now: UTC.

    Raises:
        UnknownIntegration: there is no such integration.
        InvalidSetting: a setting cannot be what it was to be, or documents that may not post today would keep entries
            that do not add up with its new value.
    """
    found: list[Reposting] = []
    try:
        with warehouse.write() as connection:
            before = _balances(connection, integration)
            changes: Sequence[NewChange] = ()
            if settings:
                changes = change_policy(connection, integration, settings, actor, now, reposted=True).changes
            revalues = any(one.setting == "home_currency" and one.previous != one.value for one in changes)
            report = post_anew(connection, warehouse.mirror, integration, now, revalues=revalues)
            kept = tuple(kept_back(connection))
            for change in changes:
                _refuse_to_keep(integration, change, kept)
            moved = _moved(before, _balances(connection, integration))
            found.append(_told(report, kept, moved, is_confirmed=is_confirmed))
            if not is_confirmed:
                raise _NotConfirmed
            _record(connection, integration, found[0], actor, now)
    except _NotConfirmed:
        pass
    return found[0]


def _balances(connection: Connection, integration: str) -> dict[str, Balance]:
    return {one.account: one for one in trial_balance(connection, integration)}


def _moved(before: Mapping[str, Balance], after: Mapping[str, Balance]) -> tuple[Moved, ...]:
    found = []
    for account in sorted(before.keys() | after.keys()):
        old, new = before.get(account), after.get(account)
        name = new.name if new else old.name if old else ""
        found.append(Moved(account, name, old.balance if old else Decimal(0), new.balance if new else Decimal(0)))
    return tuple(one for one in found if one.before != one.after)


def _refuse_to_keep(integration: str, change: NewChange, kept: Sequence[KeptBack]) -> None:
    mixed = [one for one in kept if one.kind in SETTINGS[change.setting].posted_with]
    if change.previous == change.value or not mixed:
        return
    first = ", ".join(f"{one.kind}:{one.id} ({one.reason})" for one in mixed[:_NAMED])
    raise InvalidSetting(
        f"{change.setting} cannot change from {change.previous} to {change.value}: "
        f"{counted(len(mixed), 'posted document', 'posted documents')} could not be posted anew today, and old and "
        f"new entries do not add up. The first: {first}. Mend those first, as docs/held-documents.md says of their "
        f"reasons; what is posted of one: billcom books {integration} trace {mixed[0].id}"
    )


def _told(
    report: PostingReport, kept: tuple[KeptBack, ...], moved: tuple[Moved, ...], *, is_confirmed: bool
) -> Reposting:
    by_action: dict[str, Counter[str]] = defaultdict(Counter)
    for (kind, action), count in report.actions.items():
        by_action[action][kind] += count
    posted, taken_out = by_action["post"].total(), by_action["leave"].total()
    return Reposting(is_confirmed, dict(by_action["repost"]), kept, posted, taken_out, moved)


def _record(connection: Connection, integration: str, done: Reposting, actor: Actor, now: datetime) -> None:
    if done.changes_something:
        audit.record(
            connection,
            actor=actor,
            what=What.BOOKS_REPOSTED,
            integration=integration,
            subject=integration,
            after={"reposted": dict(done.documents), "posted": done.posted, "taken_out": done.taken_out},
            now=now,
        )
