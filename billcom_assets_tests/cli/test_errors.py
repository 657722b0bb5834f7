"""The held queue at the command line: what it prints, and that every command it prints works when pasted."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Any

import click
import pytest
from sqlalchemy import Row, update

from billcom_assets.books.held import REASONS
from billcom_assets.cli import billcom
from billcom_assets.mapping.candidates import funding_account_candidate
from billcom_assets.mapping.kinds import KINDS
from billcom_assets.redaction.masking import MASK
from billcom_assets.warehouse.engine import open_warehouse
from billcom_assets.warehouse.error_codes import UNREADABLE
from billcom_assets.warehouse.error_log import ErrorLog, Trouble
from billcom_assets.warehouse.tables import integration_errors
from billcom_assets_tests.books import ledger
from billcom_assets_tests.books.held_company import HeldCompany
from billcom_assets_tests.books.held_page import PAGE
from billcom_assets_tests.cli.commands import Answered, billcom_command
from billcom_assets_tests.small_company import connect
from billcom_assets_tests.sync.company import INTEGRATION


@pytest.fixture
def desk(held: HeldCompany, monkeypatch: pytest.MonkeyPatch) -> HeldCompany:
    """Somebody at a command line with the company's database."""
    monkeypatch.setenv("BILLCOM_DATABASE_URL", held.url)
    return held


def errors(*arguments: str) -> Answered:
    return billcom_command("errors", INTEGRATION, *arguments)


def waiting_bill(desk: HeldCompany) -> Row[Any]:
    return next(one for one in desk.held_by("VENDOR_UNMAPPED") if one.entity == "bills")


def accepted(command: str) -> bool:
    """Whether the command line takes these words, without doing anything."""
    program, *words = shlex.split(command)
    found: click.Command = billcom
    context = click.Context(billcom, info_name=program)
    while isinstance(found, click.Group):
        # What stands before a command of a group is an argument of the group.
        group = found
        try:
            context = group.make_context(group.name, words, parent=context)
            words = [*getattr(context, "_protected_args", ()), *context.args]
            name, inner, words = group.resolve_command(context, words)
        except click.ClickException:
            return False
        assert inner is not None
        assert name
        found = inner
    try:
        found.make_context(found.name, words, parent=context)
    except click.ClickException:
        return False
    return True


def commands_in(text: str) -> Iterator[str]:
    """The commands at the ends of printed lines."""
    for found in re.finditer(r"billcom [a-z]+ .*$", text, re.MULTILINE):
        yield found.group().replace(" ID", " 17")


# Listed --------------------------------------------------------------------------------------------------------------


def test_reasons_come_first_then_the_documents(desk: HeldCompany) -> None:
    out = errors().out
    document = errors("--json").document
    held = desk.documents(state="held")

    assert out.startswith(f"{len(held)} documents are held: ")
    first, *_ = document["reasons"]
    assert f"\n{first['code']}: {first['documents']} " in out
    assert f"\n  {first['causes'][0]}\n" in out
    assert f"\n  Next: {first['fix']}\n" in out
    waiting = waiting_bill(desk)
    known = desk.document("bills", waiting.record_id)
    row = next(line for line in out.splitlines() if known.number in line.split())
    assert row.split()[0] == str(waiting.id)
    assert f"{known.document_date}" in row
    assert f"{known.amount:,}" in row
    assert f"{waiting.first_seen_at:%Y-%m-%d}" in row
    assert out.index("VENDOR_UNMAPPED: ") < out.index("\nVENDOR_UNMAPPED: bills\n") < out.index(row)


def test_the_json_document_has_every_row_under_stable_names(desk: HeldCompany) -> None:
    document = errors("--json").document
    assert document["ok"]
    assert document.keys() == {"ok", "integration", "held", "reasons", "errors"}
    assert document["held"].keys() == {"documents", "set_aside", "amounts", "posted_at"}
    assert document["reasons"][0].keys() == {"code", "documents", "amounts", "causes", "more_causes", "fix"}
    assert [one["error_id"] for one in document["errors"]] == [one.id for one in desk.errors(status="open")]
    assert document["errors"][0].keys() == {
        *("error_id", "kind", "id", "reason", "message", "fix", "status", "attempts", "first_seen_at", "last_seen_at"),
        *("number", "party", "party_name", "document_date", "currency", "amount", "home_amount", "state"),
        *("set_aside_reason", "set_aside_by", "set_aside_at"),
    }


def test_the_number_of_an_error_is_shown_as_commands_take_it(desk: HeldCompany) -> None:
    with desk.warehouse.write() as connection:
        connection.execute(update(integration_errors).values(id=integration_errors.c.id + 4000))
    waiting = waiting_bill(desk)
    number = desk.document("bills", waiting.record_id).number
    row = next(line for line in errors("--limit", "1000").out.splitlines() if number in line.split())
    assert row.split()[0] == str(waiting.id)
    assert errors("--retry", row.split()[0]).code == 0


def test_documents_that_are_held_for_the_same_reasons_stand_together(desk: HeldCompany) -> None:
    both = ("VENDOR_UNMAPPED", "PERIOD_CLOSED")
    with desk.warehouse.write() as connection:
        ledger.set_policy(connection, closed_through="2100-12-31", late="hold")
    desk.post()
    waiting = [one for one in desk.held_by(*both) if one.entity == "bills"]
    out = errors("--limit", "1000").out
    (block,) = (one for one in out.split("\n\n") if one.startswith(f"{', '.join(both)}: bills\n"))
    numbers = [line.split()[1] for line in block.splitlines()[2:]]
    assert sorted(numbers) == sorted(desk.document("bills", one.record_id).number for one in waiting)
    assert max(len(line) for line in block.splitlines()) <= 80


def test_a_long_list_ends_with_the_command_that_shows_all_of_it(desk: HeldCompany) -> None:
    out = errors("--limit", "2", "--reason", "vendor_unmapped").out
    total = len(desk.errors(code="VENDOR_UNMAPPED"))
    command = f"billcom errors acme-us --reason VENDOR_UNMAPPED --limit {total}"
    assert f"... and {total - 2} more: {command}" in out
    everything = billcom_command(*shlex.split(command)[1:])
    assert "more: billcom" not in everything.out
    known = [desk.document(one.entity, one.record_id) for one in desk.errors(code="VENDOR_UNMAPPED")]
    assert [one.id for one in known if (one.number or one.id) not in everything.out] == []


def test_what_is_set_aside_is_listed_with_all_and_counted_without(desk: HeldCompany) -> None:
    waiting = waiting_bill(desk)
    errors("--ignore", str(waiting.id), "--reason", "Entered twice")
    number = desk.document("bills", waiting.record_id).number
    assert "; 1 of them set aside by somebody." in errors().out
    assert number not in errors("--limit", "1000").out.split()
    everything = errors("--all", "--limit", "1000").out
    assert "\nVENDOR_UNMAPPED: bills (set aside)\n" in everything
    row = next(line for line in everything.splitlines() if number in line.split())
    assert "Entered" in row
    (found,) = (one for one in errors("--all", "--json").document["errors"] if one["error_id"] == waiting.id)
    assert (found["status"], found["set_aside_reason"], found["state"]) == ("ignored", "Entered twice", "held")


def test_a_setting_that_documents_wait_for_is_named_by_policy_and_status_with_its_command(desk: HeldCompany) -> None:
    with desk.warehouse.write() as connection:
        ledger.set_policy(connection, accounts_payable=None)
    desk.map_vendor()
    desk.post()
    waiting = len(desk.errors(status="open", code="POLICY_MISSING"))
    (reason,) = errors("--reason", "POLICY_MISSING", "--json").document["reasons"]
    assert (waiting > 1, reason["fix"]) == (True, "billcom policy acme-us show")

    problem = f"accounts payable is not set; {waiting} documents wait for it"
    command = "billcom policy acme-us set accounts_payable=ID"
    shown = billcom_command(*shlex.split(reason["fix"])[1:]).out
    assert f"MISSING  {problem}. " in shown
    assert "ID can be: 2000-AP, " in shown
    assert shown.rstrip().endswith(f"Next: {command}")
    status = billcom_command("status", INTEGRATION).out
    assert f"Posting policy: {problem}\n           {command}\n" in status

    assert billcom_command(*shlex.split(command.replace("=ID", "=2000-AP"))[1:]).code == 0
    desk.post()
    assert desk.errors(status="open", code="POLICY_MISSING") == []


def test_a_funding_account_is_called_as_in_the_mappings(desk: HeldCompany) -> None:
    names = {row.id: funding_account_candidate(dict(row._mapping)).name for row in desk.rows_of("funding_accounts")}
    with desk.warehouse.write() as connection:
        for id_ in names:
            ledger.map_to(connection, "funding_accounts", id_, None)
    desk.map_vendor()
    desk.post()
    causes = errors("--reason", "FUNDING_ACCOUNT_UNMAPPED", "--json").document["reasons"][0]["causes"]
    assert causes
    for cause in causes:
        (named,) = (f"{name} ({id_})" for id_, name in names.items() if f"({id_})" in cause)
        assert f"funding account {named}, which".lower() in cause.lower()


def test_without_errors_it_says_so_and_before_the_first_posting_what_is_next(
    desk: HeldCompany, monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    assert errors("--reason", "DENIED").out.endswith("\nNo error matches.\n")
    monkeypatch.setenv("BILLCOM_DATABASE_URL", database_url)
    fresh = open_warehouse(database_url)
    with fresh.write() as connection:
        connect(connection, INTEGRATION)
    fresh.close()
    assert errors().out == "No document was looked at yet. Next: billcom sync acme-us\n\nNo error is open.\n"


def test_texts_of_others_are_masked_bounded_and_steer_no_terminal(desk: HeldCompany) -> None:
    waiting = waiting_bill(desk)
    vendors, bills = desk.warehouse.mirror.table("vendors"), desk.warehouse.mirror.table("bills")
    hostile = "Acme 518-64-0973 \x1b[2J\u202e" + "x" * 500
    with desk.warehouse.write() as connection:
        connection.execute(update(vendors).where(vendors.c.id == desk.vendor).values(name=hostile))
        changed = {"invoice_number": "\x1b[31mA-1\u202e", "payload_digest": "changed", "synced_at": desk.clock()}
        connection.execute(update(bills).where(bills.c.id == waiting.record_id).values(changed))
        trouble = {"00n1": Trouble(hostile, hostile)}
        ErrorLog(INTEGRATION, "bills").report(connection, UNREADABLE, trouble, desk.clock())
    desk.post()
    for answered in (errors("--limit", "1000"), errors("--json"), errors("--retry", str(waiting.id))):
        assert answered.code == 0
        assert [
            found for found in ("\x1b", "\\u001b", "\u202e", "518-64-0973", "x" * 450) if found in answered.out
        ] == []
        assert f"Acme {MASK}" in answered.out


# Pasted --------------------------------------------------------------------------------------------------------------


def test_every_printed_command_is_taken_by_the_command_line(desk: HeldCompany) -> None:
    waiting = str(waiting_bill(desk).id)
    printed = [errors().out, errors("--all", "--limit", "1").out, errors("--retry", waiting).out]
    printed += [errors("--ignore", waiting, "--reason", "x").out, errors("--retry", waiting).err]
    printed += [errors("--reopen", waiting).out, errors("--retry", "987654").err]
    commands = {command for text in printed for command in commands_in(text)}
    assert {command.split()[1] for command in commands} == {"errors", "sync", "mappings"}
    assert len(commands) >= 8
    assert [command for command in commands if not accepted(command)] == []


@pytest.mark.parametrize("code", REASONS)
def test_the_fix_of_every_reason_is_taken_by_the_command_line(code: str) -> None:
    for kind in KINDS:
        assert accepted(REASONS[code].command.format(key=INTEGRATION, kind=kind))


def test_every_command_of_the_page_is_taken_by_the_command_line() -> None:
    commands = re.findall(r"`(billcom [^`]*)`", PAGE.read_text(encoding="utf-8"))
    assert len(commands) > 50
    assert [command for command in set(commands) if not accepted(command)] == []


@pytest.mark.parametrize(
    "command",
    [
        "billcom errors",
        "billcom errors acme-us --retry x",
        "billcom policy acme-us",
        "billcom policy acme-us show it all",
        "billcom nothing acme-us",
        "billcom sync acme-us --reason DENIED",
    ],
)
def test_a_wrong_command_would_be_seen(command: str) -> None:
    assert not accepted(command)


# Decided -------------------------------------------------------------------------------------------------------------


def test_a_document_is_set_aside_and_reopened_by_somebody(desk: HeldCompany) -> None:
    waiting = waiting_bill(desk)
    number, id_ = desk.document("bills", waiting.record_id).number, str(waiting.id)
    decision = ("--ignore", id_, "--reason", "Entered twice", "--as", "Ada")
    done, again = errors(*decision), errors(*decision)
    assert done.out == (
        f"bill {number} is set aside: it stays held and does not post.\n"
        f"To take that back: billcom errors acme-us --reopen {id_}\n"
    )
    assert (again.code, f"bill {number} is set aside already:" in again.out) == (0, True)
    assert desk.document("bills", waiting.record_id).set_aside_by.startswith("Ada (")
    back = errors("--reopen", id_)
    assert f"bill {number} is no longer set aside." in back.out
    assert back.out.endswith(f"The next sync tries to post it; now: billcom errors acme-us --retry {id_}\n")
    assert errors("--reopen", id_, "--json").document["has_changed"] is False
    entries = billcom_command("audit", INTEGRATION, "--json").document["entries"]
    assert [(one["what"], one["as_name"], one["after"]) for one in entries] == [
        ("document set aside", "Ada", {"reason": "Entered twice"}),
        ("document reopened", None, None),
    ]


def test_a_retry_says_what_became_of_the_document(desk: HeldCompany) -> None:
    waiting = waiting_bill(desk)
    number, id_ = desk.document("bills", waiting.record_id).number, str(waiting.id)
    held = errors("--retry", id_)
    assert held.out.splitlines()[:2] == [
        f"bill {number} is still held:",
        f"  VENDOR_UNMAPPED: {waiting.message}",
    ]
    desk.map_vendor()
    posted = errors("--retry", id_)
    document = desk.document("bills", waiting.record_id)
    assert posted.out.startswith(f"bill {number} is posted as entry {document.entry_id} of {document.posting_date}.\n")
    assert "posted as well." in posted.out
    again = errors("--retry", id_, "--json").document
    assert (again["state"], again["entry_id"], again["has_changed"]) == ("imported", document.entry_id, False)


WRONG = {
    "two decisions": (("--retry", "1", "--reopen", "1"), "--retry and --reopen are two decisions."),
    "open and all": (("--open", "--all"), "--open and --all contradict each other."),
    "ignored without a reason": (("--ignore", "1"), "Say why: billcom errors acme-us --ignore ID --reason"),
    "retried for a reason": (("--retry", "1", "--reason", "DENIED"), "--retry takes no --reason."),
    "decided and listed": (("--retry", "1", "--all"), "--retry decides on one error, and --all is for the list."),
    "an unknown reason": (
        ("--reason", "vendor_unmaped"),
        "There is no reason 'vendor_unmaped'. Did you mean VENDOR_UNMAPPED?",
    ),
    "out of scope": (("--reason", "BEFORE_CUTOFF"), "documents are not in the books, docs/held-documents.md says"),
    "an unknown kind": (("--kind", "bill"), "There is no kind 'bill'. Did you mean bills?"),
    "no number": (("--retry", "INV-1"), "'INV-1' is not a valid integer"),
    "an unknown number": (("--ignore", "987654", "--reason", "x"), "acme-us has no error 987654."),
    "an empty reason": (("--ignore", "1", "--reason", " "), "The reason is empty."),
}


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("arguments", "said"), WRONG.values(), ids=WRONG.keys())
def test_what_makes_no_sense_is_refused_with_one_message(
    desk: HeldCompany, arguments: tuple[str, ...], said: str
) -> None:
    answered = errors(*arguments)
    assert (answered.code, answered.out) == (2, "")
    assert said in " ".join(answered.err.split())
    assert answered.err.count("Error:") == 1


def test_a_command_that_is_busy_elsewhere_says_so(desk: HeldCompany, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("billcom_assets.books.alone._WAIT_SECONDS", 0)
    with desk.company.connected(desk.warehouse) as sync, sync.alone():
        answered = errors("--retry", str(waiting_bill(desk).id))
    assert (answered.code, "Another process is busy with sync of acme-us." in answered.err) == (1, True)
