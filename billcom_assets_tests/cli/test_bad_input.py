from __future__ import annotations

from pathlib import Path

import click
import pytest

from billcom_assets.cli import app
from billcom_assets.cli.keyed import KeyedGroup
from billcom_assets_tests.cli.commands import Answered, Desk, billcom_command


def is_one_clear_message(answered: Answered) -> bool:
    """One error, on standard error alone, without a traceback."""
    return answered.out == "" and answered.err.count("Error:") == 1 and "Traceback" not in answered.err


CONNECT = {
    "wrong password": ({"password": "wrong"}, 1, "BDC_1101): User name and/or password do not match our records."),
    "wrong developer key": ({"dev_key": "wrong"}, 1, "BDC_1102): Developer key is invalid."),
    "wrong organization id": ({"organization_id": "00802NOSUCHORGANxxxx"}, 1, "organization id"),
    "unreachable host": ({"base_url": "http://127.0.0.1:1/connect"}, 1, "BILL cannot be reached"),
    "http to another host": ({"base_url": "http://bill.example/connect"}, 2, "Use https://"),
    "no address at all": ({"base_url": "not an address"}, 2, "base url must start with https"),
    "empty password": ({"password": " "}, 2, "The password is empty"),
    "developer key with a space": ({"dev_key": "a b"}, 2, "The dev key contains a space"),
    "malformed cutoff": ({"cutoff": "2025-13-01"}, 2, "'2025-13-01' is not a date. Write it as 2025-01-31"),
    "cutoff in another form": ({"cutoff": "01/31/2025"}, 2, "'01/31/2025' is not a date"),
    "cutoff without hyphens": ({"cutoff": "20250131"}, 2, "'20250131' is not a date"),
    "malformed history start": ({"history_start": "yesterday"}, 2, "'--history-start': 'yesterday' is not a date"),
    "unknown time zone": ({"time_zone": "Mars/Olympus"}, 2, "'Mars/Olympus' is not a time zone"),
    "unknown environment": ({"environment": "sandbox"}, 2, "'sandbox' is not one of 'production', 'stage'"),
    "no company": ({"company": None}, 2, "Give it with --company NAME"),
    "no credentials": ({"username": None, "dev_key": None}, 2, "--username, --dev-key missing"),
}


@pytest.mark.parametrize(("changes", "code", "said"), CONNECT.values(), ids=CONNECT.keys())
def test_connecting_with_wrong_input_ends_with_one_message(
    desk: Desk, changes: dict[str, str | None], code: int, said: str
) -> None:
    answered = desk.connect("acme", **changes)

    assert answered.code == code
    assert said in answered.err
    assert is_one_clear_message(answered)


@pytest.mark.parametrize("key", ["Acme", "acme_us", "acme us", "äcme", "", "acme/us", "acme\n"])
def test_a_key_has_small_letters_digits_and_hyphens_only(desk: Desk, key: str) -> None:
    answered = desk.connect(key)

    assert answered.code == 2
    assert "is not an integration key: use a-z, 0-9 and hyphens" in answered.err
    assert is_one_clear_message(answered)


def test_what_cannot_be_right_is_not_stored(desk: Desk) -> None:
    desk.connect("acme", base_url="http://bill.example/connect")

    assert desk.run("status", "--json").document["integrations"] == []


UNKNOWN = [
    ("validate", "nope"),
    ("status", "nope"),
    ("seed", "nope"),
    ("sync", "nope"),
    ("ledger", "export", "nope", "--chart-of-accounts"),
    ("mappings", "show", "nope"),
    ("mappings", "suggest", "nope"),
    ("mappings", "export", "nope"),
    ("mappings", "import", "nope", "mappings.csv"),
    ("ledger", "import", "nope", "--vendors", "vendors.csv"),
    ("errors", "nope"),
    ("errors", "nope", "--retry", "1"),
    ("policy", "nope", "show"),
    ("policy", "nope", "set", "late=hold"),
]


@pytest.mark.parametrize("arguments", UNKNOWN, ids=" ".join)
def test_an_unknown_integration_is_named_with_those_there_are(desk: Desk, arguments: tuple[str, ...]) -> None:
    answered = desk.run(*arguments)

    assert answered.code == 2
    assert "There is no integration 'nope'" in answered.err
    assert answered.err.rstrip().endswith("Make one with: billcom connect nope")
    assert is_one_clear_message(answered)


def test_a_mistyped_integration_is_told_which_one_is_like_it(desk: Desk) -> None:
    desk.connect("acme-us")
    answered = desk.run("sync", "acmeus")
    assert "There is no integration 'acmeus'. Did you mean acme-us? There is: acme-us." in answered.err


def test_what_somebody_typed_is_repeated_bounded_and_steers_no_terminal(desk: Desk) -> None:
    for command in (("status\x1b[2J" + "x" * 500,), ("sync", "acme\x1b[2J" + "x" * 500)):
        answered = desk.run(*command)
        assert (answered.code, "\x1b" in answered.err, "x" * 100 in answered.err) == (2, False, False)


def test_where_the_key_is_missing_those_there_are_are_listed(desk: Desk) -> None:
    desk.connect("acme-us")
    for command in ("sync", "connect", "forget"):
        answered = desk.run(command)
        assert (answered.code, "KEY of an integration is missing. There is: acme-us." in answered.err) == (2, True)


def test_an_unknown_entity_is_refused_with_the_known_ones(desk: Desk) -> None:
    assert "'bils'. Did you mean bills?" in desk.run("sync", "acme", "--only", "bils").err
    answered = desk.run("sync", "acme", "--only", "bills", "--only", "cheques")

    assert answered.code == 2
    assert "There is no entity 'cheques'. Known are: vendors, funding_accounts, accounts, bills," in answered.err
    assert is_one_clear_message(answered)


def test_confirming_deletions_without_a_full_refresh_is_refused(desk: Desk) -> None:
    answered = desk.run("sync", "acme", "--confirm-deletions")

    assert (answered.code, "belongs to --full-refresh" in answered.err) == (2, True)


def _below_a_file(folder: Path) -> str:
    (folder / "file").write_text("in the way")
    return f"sqlite:///{folder}/file/billcom.db"


DATABASES = {
    "a folder": (lambda folder: f"sqlite:///{folder}", "cannot be opened"),
    "below a file": (_below_a_file, "There is no database"),
    "no database": (lambda folder: f"sqlite:///{_garbage(folder)}", "is damaged, or is no database"),
    "a server that is not there": (lambda _: "postgresql://me:hunter2@127.0.0.1:1/books", "cannot be used"),
    "another kind": (lambda _: "mysql://me:hunter2@localhost/books", "mysql databases are not supported"),
    "no URL": (lambda _: "billcom.db", "BILLCOM_DATABASE_URL is not a database URL"),
    "in memory": (lambda _: "sqlite://", "would be gone with the process"),
}


def _garbage(folder: Path) -> Path:
    path = folder / "notes.txt"
    path.write_text("These are notes and no database at all, whatever the variable says. " * 20)
    return path


@pytest.mark.parametrize(("url_in", "said"), DATABASES.values(), ids=DATABASES.keys())
def test_a_database_that_cannot_be_used_is_wrong_configuration(
    empty_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url_in: object, said: str
) -> None:
    assert callable(url_in)
    monkeypatch.setenv("BILLCOM_DATABASE_URL", url_in(tmp_path))

    answered = billcom_command("status")

    assert answered.code == 2
    assert said in answered.err
    assert "hunter2" not in answered.everything
    assert is_one_clear_message(answered)


def test_a_database_that_may_only_be_read_is_wrong_configuration(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BILLCOM_DATABASE_URL", f"sqlite:///file:{desk.home}/billcom.db?mode=ro&uri=true")
    monkeypatch.setenv("BILLCOM_SECRET_KEY", "c2l4dGVlbiBieXRlcyBhbmQgc2l4dGVlbiBtb3JlLi4=")

    answered = desk.connect("acme")

    assert answered.code == 2
    assert "The database cannot be written (SQLITE_READONLY)." in answered.err
    assert is_one_clear_message(answered)


def test_a_database_written_as_a_uri_leaves_nothing_in_the_working_folder(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BILLCOM_DATABASE_URL", f"sqlite:///file:{desk.home}/billcom.db?uri=true")

    answered = desk.connect("acme")

    assert answered.code == 0
    assert not list(tmp_path.glob("file:*"))
    assert (desk.home / "billcom.key").is_file()


def test_a_home_folder_that_cannot_be_made_is_wrong_configuration(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BILLCOM_DATABASE_URL", f"sqlite:///{desk.home}/billcom.db")
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "file" / "home"))

    answered = desk.connect("acme")

    assert (answered.code, "Set DAGSTER_HOME to a folder" in answered.err) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nosuch",), "There is no command 'nosuch'"),
        (("ledger", "nosuch"), "There is no command 'nosuch'"),
        (("connect",), "The KEY of an integration is missing."),
        (("statsu",), "There is no command 'statsu'. Did you mean status?"),
        (("mappings", "shwo"), "There is no command 'shwo'. Did you mean show?"),
        (("sync", "acme", "--onyl", "bills"), "Did you mean"),
        (("ledger", "import", "acme"), "Name at least one file: --accounts, --vendors"),
        (("ledger", "export", "acme"), "--chart-of-accounts"),
        (("mappings", "suggest", "acme", "--accept", "some"), "'some' is not one of 'exact', 'likely'"),
        (("mappings", "show", "acme", "--kind", "bills"), "'bills' is not one of 'accounts', 'vendors'"),
        (("sandbox", "--faults", "gremlins"), "'gremlins' is no fault; there are html_502"),
        (("sandbox", "--port", "70000"), "70000 is not in the range"),
        (("demo", "--bills", "-1"), "-1 is not in the range"),
    ],
)
def test_wrong_use_names_what_is_wrong_and_where_help_is(desk: Desk, arguments: tuple[str, ...], said: str) -> None:
    answered = desk.run(*arguments)

    assert answered.code == 2
    assert said in answered.err
    assert "--help" in answered.err
    assert is_one_clear_message(answered)


def test_words_too_many_are_counted_but_not_repeated(desk: Desk) -> None:
    options = desk.credentials(password=None)

    answered = desk.run("connect", "acme", *options, "--password", "my", "secret", "words")

    assert answered.code == 2
    assert "There are 2 words too many. Put a value that holds spaces in quotes." in answered.err
    assert "secret" not in answered.err


def test_a_failure_with_json_is_a_document_too(desk: Desk) -> None:
    answered = desk.connect("acme", "--json", password="wrong")

    error = answered.document["error"]
    assert (answered.document["ok"], answered.code, error["exit_code"]) == (False, 1, 1)
    assert (error["integration"], error["code"], error["http_status"]) == ("acme", "BDC_1101", 401)
    assert error["said"] == "User name and/or password do not match our records."
    assert error["next_step"].startswith("Check the username and password")
    assert error["message"] in answered.err


def test_wrong_use_with_json_is_a_document_too(desk: Desk) -> None:
    answered = desk.run("connect", "acme", "--cutoff", "never", "--json")

    assert answered.code == 2
    assert "'never' is not a date" in answered.document["error"]["message"]


class Surprise(Exception):
    pass


def test_what_nobody_expected_ends_with_a_short_message_and_the_way_to_more(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise Surprise("holds who knows what")

    monkeypatch.setattr("billcom_assets.cli.status.summaries", fail)

    short, long = desk.run("status"), desk.run("status", "--debug")

    assert (short.code, long.code) == (1, 1)
    assert "Something unexpected went wrong (Surprise)" in short.err
    assert "--debug" in short.err
    assert "who knows what" not in short.everything
    assert is_one_clear_message(short)
    assert "Traceback" in long.err
    assert "in fail" in long.err
    assert "Surprise: holds who knows what" not in long.err
    assert desk.run("status", "--json").document["error"]["exit_code"] == 1


def test_every_command_has_help_with_an_example_and_takes_json() -> None:
    loaded = {name: lazy.load(name) for name, lazy in app.COMMANDS.items()}
    groups = {name: command.commands for name, command in loaded.items() if isinstance(command, click.Group)}
    assert groups.keys() >= {"ledger", "mappings", "database", "keys"}
    keyed = {name for name, command in loaded.items() if isinstance(command, KeyedGroup)}
    commands = [(name,) for name in loaded if name not in groups]
    commands += [(group, name) for group, members in groups.items() for name in members]
    for command in commands:
        answered = billcom_command(*command, "--help")
        assert answered.code == 0, command
        assert "Example" in answered.out, command
        words = " ".join((command[0], "acme-us", *command[1:]) if command[0] in keyed else command)
        assert f"billcom {words}" in answered.out.split("Example")[1], command
        assert "--json" in answered.out, command
    assert billcom_command("--help").code == 0
