"""Suggesting a counterpart for each BILL object that waits for a decision, and accepting suggestions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection

from billcom_assets.mapping.candidates import Candidate
from billcom_assets.mapping.kinds import KINDS
from billcom_assets.mapping.links import Link, Links, LinkState, Method
from billcom_assets.mapping.matching import Certainty, Suggestion, match
from billcom_assets.mapping.overview import Overview, Overviews, Standing, overview
from billcom_assets.mapping.proposals import Proposals
from billcom_assets.warehouse import audit
from billcom_assets.warehouse.audit import Actor, Decision
from billcom_assets.warehouse.known_integrations import require_integration

DEFAULT_SCORE = 85
"""Least score of the likely ones that are accepted unless another is asked for."""


class Accept(StrEnum):
    """Which suggestions to accept."""

    EXACT = "exact"
    """The certain ones."""
    LIKELY = "likely"
    """The likely ones of some score too; never an ambiguous one."""


@dataclass(frozen=True, slots=True)
class KindSuggestions:
    """What was found for one kind, in BILL objects."""

    kind: str
    exact: int
    likely: int
    ambiguous: int
    without: int
    """Neither decided nor suggested."""
    decided: int


@dataclass(frozen=True, slots=True)
class KindAccepted:
    """What was accepted for one kind, and how many BILL objects still wait."""

    kind: str
    accepted: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A suggestion that is to become a mapping."""

    kind: str
    bill_id: str
    bill_name: str
    ledger_id: str
    ledger_name: str
    score: int
    reason: str
    """The facts for and against it."""


def suggest(
    conn: Connection, integration: str, now: datetime, kinds: Collection[str] = tuple(KINDS)
) -> list[KindSuggestions]:
    """Finds counterparts for every BILL object that waits for a decision; replaces earlier suggestions.

    Decisions are never touched. One whose ledger object is gone or inactive waits for another: it is suggested again.

    Args:
        conn: Connection in a transaction of the caller's.
        integration: Integration key.
        now: When.
        kinds: Only these; what refers to accounts goes by how they are mapped now.

    Raises:
        UnknownIntegration: there is no such integration.
    """
    require_integration(conn, integration)
    reports = []
    accounts: dict[str, str] | None = None
    for kind in (one for one in KINDS.values() if one.name in kinds):
        view = overview(conn, integration, kind)
        if kind.refers_to_accounts and accounts is None:
            accounts = _certain(overview(conn, integration, KINDS["accounts"]))
        suggestions = _match(view, accounts or {})
        Proposals(conn, integration, kind.name).replace(suggestions, now)
        reports.append(_counted(view, suggestions))
    return reports


def _certain(view: Overview) -> dict[str, str]:
    """Ledger ids by BILL id of what is mapped or certain."""
    mapped = {id_: link.ledger_id or "" for id_, link in view.links.items() if view.standing(id_) is Standing.MAPPED}
    certain = {id_: one.best.ledger_id for id_, one in view.suggestions.items() if one.certainty is Certainty.EXACT}
    return certain | mapped


def _counted(view: Overview, suggestions: Sequence[Suggestion]) -> KindSuggestions:
    of = {one: sum(found.certainty is one for found in suggestions) for one in Certainty}
    decided = sum(view.standing(id_).is_decided for id_ in view.relevant)
    return KindSuggestions(
        view.kind.name,
        exact=of[Certainty.EXACT],
        likely=of[Certainty.LIKELY],
        ambiguous=of[Certainty.AMBIGUOUS],
        without=len(view.relevant) - decided - len(suggestions),
        decided=decided,
    )


def _match(view: Overview, accounts: Mapping[str, str]) -> list[Suggestion]:
    """Suggestions for live objects, then for archived ones that are in use: they take only what is left."""
    ledger = [found.candidate for found in view.ledger.values() if found.active]
    # A link of an object that is gone must not keep its ledger object from the one that took its place.
    settled = {
        id_: link.ledger_id or ""
        for id_, link in (*view.links.items(), *view.inherited.items())
        if id_ in view.relevant and view.standing(id_).is_decided
    }
    live = [id_ for id_ in sorted(view.relevant) if view.bill[id_].is_live]
    suggestions: list[Suggestion] = []
    for ids in (live, sorted(view.relevant)):
        candidates = [_with_ledger_accounts(view.bill[id_].candidate, accounts) for id_ in ids]
        new = match(view.kind.rules, candidates, ledger, settled)
        suggestions += new
        settled |= {suggestion.bill_id: suggestion.best.ledger_id for suggestion in new}
        settled |= {id_: "" for id_ in ids if id_ not in settled}
    return suggestions


def _with_ledger_accounts(candidate: Candidate, accounts: Mapping[str, str]) -> Candidate:
    """The BILL object with the ledger accounts that its own accounts are mapped to."""
    if not candidate.accounts:
        return candidate
    return replace(candidate, accounts=frozenset(accounts[id_] for id_ in candidate.accounts if id_ in accounts))


def acceptances(views: Overviews, which: Accept, *, min_score: int = DEFAULT_SCORE) -> list[Acceptance]:
    """The stored suggestions that would be accepted. Two likely ones never come onto one ledger object this way.

    Args:
        views: What is there.
        which: The certain ones, or likely ones too.
        min_score: Least score of a likely one, of 100.
    """
    return [one for view in views for one in accepted_of(view, which, min_score)]


def accepted_of(view: Overview, which: Accept, min_score: int = DEFAULT_SCORE) -> list[Acceptance]:
    """:func:`acceptances` of one kind."""
    taken = {
        link.ledger_id
        for id_, link in view.links.items()
        if id_ in view.relevant and view.standing(id_) is Standing.MAPPED
    }
    chosen = []
    wanted = [one for one in view.suggestions.values() if _is_wanted(one, which, min_score)]
    # The surest get their ledger object first.
    for one in sorted(wanted, key=lambda one: (one.certainty is not Certainty.EXACT, -one.best.score, one.bill_id)):
        best = one.best
        # What is certain although another BILL object goes there is booked together with it.
        if one.certainty is Certainty.EXACT or best.ledger_id not in taken:
            taken.add(best.ledger_id)
            names = view.bill_name(one.bill_id), best.ledger_id, view.ledger_name(best.ledger_id)
            chosen.append(Acceptance(view.kind.name, one.bill_id, *names, best.score, best.reason))
    return chosen


def _is_wanted(one: Suggestion, which: Accept, min_score: int) -> bool:
    if one.certainty is Certainty.EXACT:
        return True
    return which is Accept.LIKELY and one.certainty is Certainty.LIKELY and one.best.score >= min_score


def accept(
    conn: Connection,
    integration: str,
    which: Accept = Accept.EXACT,
    *,
    min_score: int = DEFAULT_SCORE,
    only: Collection[Acceptance] | None = None,
    actor: Actor,
    now: datetime,
) -> list[KindAccepted]:
    """Maps what is suggested; suggestions are renewed first, so that nothing outdated is accepted.

    Args:
        conn: Connection in a transaction of the caller's.
        integration: Integration key.
        which: The certain ones, or likely ones too.
        min_score: Least score of a likely one, of 100.
        only: What somebody has seen and confirmed: nothing else is accepted.
        actor: Who accepts.
        now: When.

    Raises:
        UnknownIntegration: there is no such integration.
    """
    suggest(conn, integration, now)
    confirmed = None if only is None else {(one.kind, one.bill_id, one.ledger_id) for one in only}
    reports = []
    decisions: list[Decision] = []
    for kind in KINDS.values():
        view = overview(conn, integration, kind)
        chosen = [
            one
            for one in accepted_of(view, which, min_score)
            if confirmed is None or (one.kind, one.bill_id, one.ledger_id) in confirmed
        ]
        decisions += _store(conn, integration, view, chosen, by=actor.name, now=now)
        waiting = sum(not view.standing(id_).is_decided for id_ in view.relevant) - len(chosen)
        reports.append(KindAccepted(kind.name, accepted=len(chosen), waiting=waiting))
    audit.record_all(conn, actor, decisions, now)
    return reports


def _store(
    conn: Connection, integration: str, view: Overview, chosen: Sequence[Acceptance], *, by: str, now: datetime
) -> list[Decision]:
    links = Links(conn, integration, view.kind.name)
    decided = [
        Link(
            bill_id=one.bill_id,
            ledger_id=one.ledger_id,
            state=LinkState.MAPPED,
            method=Method.EXACT if view.suggestions[one.bill_id].certainty is Certainty.EXACT else Method.LIKELY,
            score=one.score,
            reason=one.reason,
            decided_by=by,
            decided_at=now,
        )
        for one in chosen
    ]
    links.replace(decided)
    Proposals(conn, integration, view.kind.name).remove(link.bill_id for link in decided)
    return [links.decision(link.bill_id, view.links.get(link.bill_id), link) for link in decided]
