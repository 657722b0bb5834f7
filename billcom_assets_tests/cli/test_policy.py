"""``billcom policy``: what is shown of the posting policy, and what changes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from billcom_assets.books.settings import SETTINGS
from billcom_assets.environment import open_database
from billcom_assets.sandbox import SandboxServer
from billcom_assets_tests.cli.commands import Desk
from billcom_assets_tests.small_company import Books

SECRET_KEY = "c2l4dGVlbiBieXRlcyBhbmQgc2l4dGVlbiBtb3JlLi4="
ACCOUNTS = (
    ("1050", "Money Out Clearing", "BANK"),
    ("1060", "Money In Clearing", "BANK"),
    ("2000", "Accounts Payable", "ACCOUNTS_PAYABLE"),
    ("2010", "Payables in euro", "ACCOUNTS_PAYABLE"),
)


@pytest.fixture
def desk(opened_home: Path, database_url: str, simulated_bill: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A machine with one integration whose ledger has two accounts payable, on SQLite and on PostgreSQL."""
    monkeypatch.setenv("BILLCOM_DATABASE_URL", database_url)
    monkeypatch.setenv("BILLCOM_SECRET_KEY", SECRET_KEY)
    desk = Desk(opened_home, simulated_bill)
    desk.connect("acme")
    write(*ACCOUNTS)
    return desk


def write(*accounts: tuple[str, str, str], **values: object) -> None:
    """Accounts of the ledger."""
    warehouse = open_database()
    with warehouse.write() as connection:
        for id_, name, type_ in accounts:
            Books(connection, "acme").ledger_account(id_, name, type_, **values)
    warehouse.close()


def lines(desk: Desk, *words: str) -> list[str]:
    answered = desk.run("policy", "acme", *words)
    assert answered.code == 0, answered.everything
    return [" ".join(line.split()) for line in answered.out.splitlines()]


def test_every_setting_is_shown_with_what_is_missing_and_the_command_for_it(desk: Desk) -> None:
    shown = lines(desk, "show")

    assert shown[:2] == ["Posting policy of acme, version 0:", "Setting Value From"]
    assert "accounts_payable not set" in shown
    assert "payments direct default" in shown
    assert "closed_through none" in shown
    assert shown[-4:] == [
        "MISSING accounts payable is not set. What the company owes its vendors: bills raise it, payments and vendor "
        "credits reduce it.",
        "billcom policy acme set accounts_payable=ID",
        "ID can be: 2000 Accounts Payable, 2010 Payables in euro.",
        "Next: billcom policy acme set accounts_payable=ID",
    ]


def test_a_setting_is_set_by_name_and_says_what_it_became(desk: Desk) -> None:
    assert lines(desk, "set", "accounts_payable=accounts payable", "--as", "Ada") == [
        "accounts_payable is 2000 Accounts Payable, was none."
    ]
    shown = lines(desk, "show", "--history")
    assert any(line.startswith("accounts_payable 2000 Accounts Payable Ada (") for line in shown)
    assert not [line for line in shown if line.startswith(("MISSING", "Next"))]
    assert lines(desk, "set", "accounts_payable=2000") == ["Nothing has changed: it is set so already."]
    (entry,) = desk.run("audit", "acme", "--json").document["entries"][1:]
    assert (entry["what"], entry["subject"], entry["as_name"], entry["before"], entry["after"]) == (
        *("posting policy changed", "accounts_payable", "Ada"),
        *(None, "2000"),
    )


def test_what_would_be_found_is_proposed(desk: Desk) -> None:
    write(("1200", "Accounts Receivable", "ACCOUNTS_RECEIVABLE"))
    assert any("accounts_receivable 1200 Accounts" in line for line in lines(desk, "show"))
    document = desk.run("policy", "acme", "show", "--json").document
    (found,) = [one for one in document["settings"] if one["name"] == "accounts_receivable"]
    assert (found["value"], found["source"], found["account"]["name"]) == ("1200", "proposed", "Accounts Receivable")


def test_scripts_get_everything_as_json(desk: Desk) -> None:
    document = desk.run("policy", "acme", "show", "--json").document

    assert (document["integration"], document["version"]) == ("acme", 0)
    assert [one["name"] for one in document["settings"]] == list(SETTINGS)
    assert document["settings"][2] | {"explanation": ""} == {
        "name": "payments",
        "value": "direct",
        "account": None,
        "source": "default",
        "set_by": None,
        "set_at": None,
        "problem": None,
        "needed": "never",
        "values": ["direct", "clearing"],
        "explanation": "",
    }
    command = "billcom policy acme set accounts_payable=ID"
    assert document["missing"] == [
        {"setting": "accounts_payable", "problem": "accounts payable is not set", "documents": 0, "command": command}
    ]
    assert document["next_step"] == command

    changed = desk.run("policy", "acme", "set", "closed_through=2025-12-31", "accounts_payable=2000", "--json").document
    assert (changed["version"], changed["notes"], changed["missing"], changed["next_step"]) == (1, [], [], None)
    assert [(one["setting"], one["previous"], one["value"]) for one in changed["changes"]] == [
        ("accounts_payable", None, "2000"),
        ("closed_through", None, "2025-12-31"),
    ]
    history = desk.run("policy", "acme", "show", "--history", "--json").document["history"]
    assert [(one["version"], one["setting"], one["origin"]) for one in history] == [
        (1, "accounts_payable", "decided"),
        (1, "closed_through", "decided"),
    ]


def test_a_period_that_is_opened_again_is_told(desk: Desk) -> None:
    lines(desk, "set", "closed_through=2025-12-31", "accounts_payable=2000")
    assert lines(desk, "set", "closed_through=2025-11-30") == [
        "closed_through is 2025-11-30, was 2025-12-31.",
        "The period from 2025-12-01 to 2025-12-31 is open again: new entries may be dated in it.",
    ]
    assert lines(desk, "set", "closed_through=")[0] == "closed_through is none, was 2025-11-30."


def test_clearing_asks_for_its_accounts(desk: Desk) -> None:
    lines(desk, "set", "accounts_payable=2000")
    assert lines(desk, "set", "payments=clearing", "payables_clearing=1050")[-1] == (
        "Next: billcom policy acme set receivables_clearing=ID"
    )


WRONG = {
    "unknown setting": (("set", "payment=direct"), "There is no setting 'payment'. Did you mean payments?"),
    "unknown value": (("set", "payments=cleared"), "Did you mean clearing? It can be direct or clearing."),
    "pasted as it is": (("set", "accounts_payable=ID"), "It can be: 2000 Accounts Payable, 2010 Payables in euro."),
    "no value": (("set", "payments"), "'payments' sets nothing. Write NAME=VALUE, such as closed_through=2025-12-31."),
    "twice": (("set", "late=hold", "late=hold"), "'late' is set twice"),
    "nothing": (("set",), "Missing argument 'NAME=VALUE...'"),
    "unknown command": (("get",), "There is no command 'get'. Did you mean set?"),
    "no command": ((), "Say what to do: show, set."),
}


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("words", "said"), WRONG.values(), ids=WRONG.keys())
def test_wrong_use_is_told_in_one_message(desk: Desk, words: tuple[str, ...], said: str) -> None:
    answered = desk.run("policy", "acme", *words)
    assert (answered.code, answered.out, answered.err.count("Error:")) == (2, "", 1)
    assert said in answered.err


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_the_key_comes_first_and_must_be_one(desk: Desk) -> None:
    assert "There is no integration 'nobody'" in desk.run("policy", "nobody", "show").err
    for words in (("show", "acme"), ("set", "late=hold"), ("show",)):
        answered = desk.run("policy", *words)
        assert (answered.code, f"billcom policy KEY {words[0]}. There is: acme." in answered.err) == (2, True)


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_the_help_lists_every_setting(desk: Desk) -> None:
    shown = desk.run("policy", "acme", "set", "--help").out
    assert [name for name in SETTINGS if f"  {name} " not in shown] == []


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_the_status_tells_what_is_missing_until_it_is_set_or_found(desk: Desk) -> None:
    command = "billcom policy acme set accounts_payable=ID"
    shown = [line.strip() for line in desk.run("status", "acme").out.splitlines()]
    assert shown[shown.index("Posting policy: accounts payable is not set") + 1] == command
    document = desk.run("status", "acme", "--json").document
    assert document["posting_policy"] == {
        "missing": [{"setting": "accounts_payable", "documents": 0, "command": command}]
    }
    lines(desk, "set", "accounts_payable=2010")
    assert "Posting policy" not in desk.run("status", "acme").out
    assert desk.run("status", "acme", "--json").document["posting_policy"] == {"missing": []}
