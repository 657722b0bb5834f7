"""Suggesting a counterpart for each BILL object, and accepting suggestions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection

from billcom_assets.mapping.kinds import KINDS
from billcom_assets.mapping.links import Link, Links, LinkState
from billcom_assets.mapping.matching import Method, Suggestion, match
from billcom_assets.mapping.overview import Overview, overview
from billcom_assets.warehouse import audit
from billcom_assets.warehouse.audit import Actor, Decision
from billcom_assets.warehouse.known_integrations import require_integration


class Accept(StrEnum):
    """Which suggestions to accept."""

    EXACT = "exact"
    """The certain ones."""
    ALL = "all"
    """The likely ones too, except those whose ledger object is taken by another BILL object."""


@dataclass(frozen=True, slots=True)
class KindSuggestions:
    """What was found for one kind, in BILL objects."""

    kind: str
    exact: int
    likely: int
    without: int
    """Neither decided nor suggested."""
    decided: int


@dataclass(frozen=True, slots=True)
class KindAccepted:
    """What was accepted for one kind, and how many suggestions still wait."""

    kind: str
    accepted: int
    waiting: int


def suggest(conn: Connection, integration: str, now: datetime) -> list[KindSuggestions]:
    """Finds a counterpart for every BILL object without a decision; replaces earlier suggestions.

    What is mapped or left unmapped by hand is never touched.

    Raises:
        UnknownIntegration: there is no such integration.
    """
    require_integration(conn, integration)
    reports = []
    certain: dict[str, dict[str, str]] = {}
    for kind in KINDS.values():
        view = overview(conn, integration, kind)
        suggestions = _match(view, certain.get("accounts", {}))
        _store_suggestions(Links(conn, integration, kind.name), view, suggestions, now)
        certain[kind.name] = _certain(view, suggestions)
        reports.append(_counted(view, suggestions))
    return reports


def _certain(view: Overview, suggestions: Iterable[Suggestion]) -> dict[str, str]:
    """Ledger ids by BILL id of what is mapped or certain."""
    mapped = {id_: link.ledger_id or "" for id_, link in view.links.items() if view.is_mapped(id_)}
    return mapped | {found.bill_id: found.ledger_id for found in suggestions if found.method is Method.EXACT}


def _counted(view: Overview, suggestions: Sequence[Suggestion]) -> KindSuggestions:
    exact = sum(1 for found in suggestions if found.method is Method.EXACT)
    decided = sum(1 for id_ in view.relevant if id_ in view.links and view.links[id_].is_decided)
    return KindSuggestions(
        view.kind.name,
        exact=exact,
        likely=len(suggestions) - exact,
        without=len(view.relevant) - decided - len(suggestions),
        decided=decided,
    )


def _match(view: Overview, account_counterparts: Mapping[str, str]) -> list[Suggestion]:
    """Suggestions for live objects, then for archived ones that are in use: they take only what is left."""
    ledger = [found.candidate for found in view.ledger.values() if found.active]
    decided = {id_: link.ledger_id or "" for id_, link in view.links.items() if link.is_decided}
    # A link of an object that is gone must not keep its ledger object from the one that took its place.
    settled = {id_: ledger_id for id_, ledger_id in decided.items() if id_ in view.relevant}
    live = [id_ for id_ in sorted(view.relevant) if view.bill[id_].is_live]
    suggestions: list[Suggestion] = []
    for ids in (live, sorted(view.relevant)):
        candidates = [view.bill[id_].candidate for id_ in ids]
        linked = [
            replace(found, counterpart=account_counterparts.get(found.counterpart)) if found.counterpart else found
            for found in candidates
        ]
        new = match(view.kind.rules, linked, ledger, settled)
        suggestions += new
        settled |= {suggestion.bill_id: suggestion.ledger_id for suggestion in new}
        settled |= {id_: "" for id_ in ids if id_ not in settled}
    return suggestions


def _store_suggestions(links: Links, view: Overview, suggestions: Sequence[Suggestion], now: datetime) -> None:
    new = {
        suggestion.bill_id: Link(
            bill_id=suggestion.bill_id,
            ledger_id=suggestion.ledger_id,
            state=LinkState.SUGGESTED,
            method=suggestion.method,
            score=suggestion.score,
            reason=suggestion.reason,
            decided_by=None,
            decided_at=now,
        )
        for suggestion in suggestions
    }
    old = {id_: link for id_, link in view.links.items() if not link.is_decided}
    same = {id_ for id_ in new.keys() & old.keys() if replace(new[id_], decided_at=old[id_].decided_at) == old[id_]}
    links.remove(old.keys() - same)
    links.add(link for id_, link in new.items() if id_ not in same)


def accept(
    conn: Connection, integration: str, which: Accept = Accept.EXACT, *, actor: Actor, now: datetime
) -> list[KindAccepted]:
    """Maps what is suggested; suggestions are renewed first, so that nothing outdated is accepted.

    Args:
        conn: Connection in a transaction of the caller's.
        integration: Integration key.
        which: The certain ones, or likely ones too. Two BILL objects never come onto one ledger object this way.
        actor: Who accepts.
        now: When.

    Raises:
        UnknownIntegration: there is no such integration.
    """
    suggest(conn, integration, now)
    reports = []
    decisions: list[Decision] = []
    for kind in KINDS.values():
        view = overview(conn, integration, kind)
        chosen = _accepted(view, Accept(which))
        links = Links(conn, integration, kind.name)
        decisions += [links.decision(None, link) for link in links.mark_mapped(chosen, by=actor.name, now=now)]
        reports.append(
            KindAccepted(kind.name, accepted=len(chosen), waiting=len(view.of_state(LinkState.SUGGESTED)) - len(chosen))
        )
    audit.record_all(conn, actor, decisions, now)
    return reports


def _accepted(view: Overview, which: Accept) -> list[Link]:
    """The suggestions that are accepted; the surest get their ledger object first."""
    taken = {link.ledger_id for link in view.links.values() if link.is_decided and link.bill_id in view.relevant}
    chosen: list[Link] = []
    for link in sorted(
        view.of_state(LinkState.SUGGESTED), key=lambda link: (link.method is not Method.EXACT, -(link.score or 0))
    ):
        is_wanted = which is Accept.ALL or link.method is Method.EXACT
        if is_wanted and link.ledger_id not in taken:
            taken.add(link.ledger_id)
            chosen.append(link)
    return chosen
