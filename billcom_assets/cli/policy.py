"""``billcom policy``: the choices that decide how an integration's documents post."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click
from rich.console import Console

from billcom_assets.books.policy import ChangedPolicy, change_policy
from billcom_assets.books.policy_report import PolicyReport, SettingStatus, Source, policy_report
from billcom_assets.books.settings import NONE, SETTINGS
from billcom_assets.cli.app import BillcomCommand
from billcom_assets.cli.database import opened
from billcom_assets.cli.keyed import KeyedGroup, given_key
from billcom_assets.cli.options import SETTING_EXAMPLE, acting, as_option, assigned, key_argument
from billcom_assets.cli.output import Output, pass_output, shown, table
from billcom_assets.clock import utc_now
from billcom_assets.redaction.close_matches import listed
from billcom_assets.redaction.display import one_line
from billcom_assets.warehouse.policy_changes import ACCOUNT_SETTINGS, NewChange, PolicyChange


class _WithSettings(BillcomCommand):
    """A command whose help lists the settings."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """What can be set, and to what, then the options."""
        with formatter.section("Settings"):
            formatter.write_dl(
                [(one.name, f"{one.explanation} Takes {one.values}.") for one in SETTINGS.values()], col_max=22
            )
        super().format_options(ctx, formatter)


@click.group(cls=KeyedGroup)
@key_argument
def policy(key: str) -> None:
    """Decides how BILL's documents post into the books: accounts, clearing, approval, closed period.

    What only one account of the ledger can be is found; everything else has a default or is asked for when it is
    needed. A change counts for entries that are still to be made, and nothing of it holds up a sync.
    """


@policy.command(examples=("billcom policy acme-us show", "billcom policy acme-us show --history"))
@click.option("--history", "with_history", is_flag=True, help="Show every change too: who, when, before and after.")
@pass_output
def show(output: Output, with_history: bool) -> None:
    """Shows every setting, who decided it, and what is missing."""
    with opened().read() as connection:
        report = policy_report(connection, given_key())
    document = _document(report)
    if with_history:
        document["history"] = [asdict(change) for change in report.history]

    def render(console: Console) -> None:
        console.print(f"Posting policy of {report.integration}, version {report.version}:", soft_wrap=True)
        rows = [(one.setting.name, _value(one), _source(one)) for one in report.settings]
        console.print(table(("Setting", "Value", "From"), rows, whole=("Setting",), wrap=("Value", "From")))
        if with_history:
            _render_history(console, report)
        if report.missing:
            console.print()
        _render_missing(console, report)

    output.result(document, render)


@policy.command(
    "set",
    cls=_WithSettings,
    examples=(
        "billcom policy acme-us set accounts_payable=2000",
        'billcom policy acme-us set payments=clearing payables_clearing="Money Out Clearing"',
        f"billcom policy acme-us set {SETTING_EXAMPLE} late=hold",
    ),
)
@click.argument("assignments", metavar="NAME=VALUE...", nargs=-1, required=True)
@as_option
@pass_output
def set_(output: Output, assignments: tuple[str, ...], as_name: str | None) -> None:
    """Changes settings, all of them or none.

    An account is named by its id, its number or its name. NAME= or NAME=none sets a setting that may be empty to
    nothing. What is posted already stays as it is.
    """
    key, wanted = given_key(), assigned(assignments)
    with opened().write() as connection:
        changed = change_policy(connection, key, wanted, acting(as_name), utc_now())
        report = policy_report(connection, key)
    document = {
        "integration": key,
        "version": changed.policy.version,
        "changes": [asdict(one) for one in changed.changes],
        "notes": changed.notes,
        "missing": _missing(report),
        "next_step": _next_step(report),
    }
    output.result(document, lambda console: _render_changes(console, report, changed))


def _document(report: PolicyReport) -> dict[str, Any]:
    settings = [
        {
            "name": one.setting.name,
            "value": one.value,
            "account": asdict(one.account) if one.account else None,
            "source": one.source,
            "set_by": one.set_by,
            "set_at": one.set_at,
            "problem": one.problem,
            "needed": one.setting.needed,
            "values": one.setting.choices or one.setting.takes.value,
            "explanation": one.setting.explanation,
        }
        for one in report.settings
    ]
    return {
        "integration": report.integration,
        "version": report.version,
        "settings": settings,
        "missing": _missing(report),
        "next_step": _next_step(report),
    }


def _missing(report: PolicyReport) -> list[dict[str, Any]]:
    return [
        {"setting": one.setting.name, "problem": str(one), "documents": one.documents, "command": one.command}
        for one in report.missing
    ]


def _next_step(report: PolicyReport) -> str | None:
    return report.missing[0].command if report.missing else None


def _value(one: SettingStatus) -> str:
    if one.value is None:
        return NONE if one.setting.name not in ACCOUNT_SETTINGS or one.source is Source.DECIDED else "not set"
    label = one.account.label if one.account else one_line(one.value)
    return f"{label} ({one.problem})" if one.problem else label


def _source(one: SettingStatus) -> str:
    match one.source:
        case Source.NOWHERE:
            return ""
        case Source.PROPOSED:
            return "proposed; stored when documents post"
        case Source.DEFAULT:
            return "default"
        case Source.FOUND:
            return f"found {shown(one.set_at)}"
        case Source.DECIDED:
            return f"{one.set_by}, {shown(one.set_at)}" if one.set_by else "set before changes were recorded"


def _render_history(console: Console, report: PolicyReport) -> None:
    console.print()
    if not report.history:
        console.print("Nothing was changed yet.")
        return
    columns = ("Version", "When (UTC)", "Who", "Setting", "Before", "After")
    rows = [
        (
            one.version,
            one.set_at,
            one.set_by,
            one.setting,
            _said(report, one, one.previous),
            _said(report, one, one.value),
        )
        for one in report.history
    ]
    console.print(table(columns, rows, whole=("Setting",), wrap=("Who", "Before", "After")))


def _said(report: PolicyReport, change: PolicyChange | NewChange, value: str | None) -> str:
    """A value of a change as people call it."""
    if value is None:
        return NONE
    return report.labels.get(value, one_line(value)) if change.setting in ACCOUNT_SETTINGS else value


def _render_changes(console: Console, report: PolicyReport, changed: ChangedPolicy) -> None:
    for one in changed.changes:
        now, before = _said(report, one, one.value), _said(report, one, one.previous)
        was = f", was {before}" if one.previous != one.value else ""
        console.print(f"{one.setting} is {now}{was}.", soft_wrap=True)
    if not changed.changes:
        console.print("Nothing has changed: it is set so already.")
    for note in changed.notes:
        console.print(note, soft_wrap=True)
    _render_missing(console, report)


def _render_missing(console: Console, report: PolicyReport) -> None:
    for one in report.missing:
        console.print(f"MISSING  {one}. {one.setting.explanation}", soft_wrap=True)
        console.print(f"         {one.command}", soft_wrap=True)
        if one.has_chart:
            can_be = listed(report.choices.get(one.setting.name, ())) or one.setting.takes.value
            console.print(f"         ID can be: {can_be}.", soft_wrap=True)
    if step := _next_step(report):
        console.print(f"Next: {step}", soft_wrap=True)
