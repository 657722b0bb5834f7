from __future__ import annotations

from dataclasses import replace
from datetime import date

import dagster as dg
import pytest

from billcom_assets.bill.credentials import Environment
from billcom_assets.books.posting import post
from billcom_assets.environment import open_database
from billcom_assets.sandbox import SandboxServer, Settings
from billcom_assets.sync.state import StateStore
from billcom_assets.warehouse.integrations import Status
from billcom_assets_tests.cli.commands import DEV_KEY, Desk

LOGIN_REFUSED = "User name and/or password do not match our records."


def partitions() -> list[str]:
    with dg.DagsterInstance.get() as instance:
        return list(instance.get_dynamic_partitions("integration"))


def test_connecting_stores_the_settings_signs_in_and_makes_the_partition(desk: Desk) -> None:
    typed = f"{desk.bill.world.organizations[0].token.password}\n{DEV_KEY}\n"
    more = ("--cutoff", "2024-02-29", "--time-zone", "America/New_York")
    answered = desk.connect("acme-us", *more, password="-", dev_key="-", stdin=typed)

    assert (answered.code, answered.err) == (0, "")
    assert "acme-us is connected" in answered.out
    assert "billcom seed acme-us" in answered.out
    stored = desk.stored("acme-us")
    assert stored.status is Status.CONNECTED
    assert (stored.cutoff, stored.time_zone, stored.environment) == (
        date(2024, 2, 29),
        "America/New_York",
        Environment.PRODUCTION,
    )
    assert partitions() == ["acme-us"]


def test_the_json_document_says_who_signed_in_and_what_comes_next(desk: Desk) -> None:
    document = desk.connect("acme-us", "--json").document

    organization = desk.bill.world.organizations[0]
    assert document == {
        "ok": True,
        "notes": [],
        "integration": "acme-us",
        "company": "Company of acme-us",
        "status": "connected",
        "organization_id": organization.id,
        "environment": "production",
        "base_url": desk.bill.base_url,
        "v2_base_url": None,
        "cutoff": None,
        "history_start": None,
        "time_zone": "UTC",
        "owner": None,
        "excluded_entities": [],
        "api": "v3",
        "documents": False,
        "alignment": "plan",
        "source_of_truth": "ledger",
        "second_approver": False,
        "signed_in_with": "sync token",
        "user_id": organization.token.user_id,
        "next_step": "billcom seed acme-us",
    }


def test_validate_signs_in_again_and_tells_a_user_from_a_sync_token(desk: Desk) -> None:
    user = desk.bill.world.organizations[0].user
    desk.connect("by-token", number=1)
    desk.connect("by-user", username=user.username, password=user.password)

    by_token, by_user = desk.run("validate", "by-token"), desk.run("validate", "by-user")

    assert (by_token.code, by_user.code) == (0, 0)
    assert "signed in with a sync token as syu" in by_token.out
    assert "signed in with a password as 006" in by_user.out
    assert desk.bill.world.organizations[1].id in by_token.out


def test_validate_brings_an_integration_back_once_bill_answers_again(desk: Desk) -> None:
    with SandboxServer(Settings(bills=0, orgs=1, dev_keys=(DEV_KEY,))) as other:
        desk.connect("acme", base_url=other.base_url)
        other.sandbox.world.organizations[0].locked = True
        locked = desk.run("validate", "acme")
        # A lock passes, so the connection stands.
        assert (locked.code, desk.stored("acme").status) == (1, Status.CONNECTED)
        assert "BDC_1107" in locked.err

        other.sandbox.world.organizations[0].locked = False
        assert desk.run("validate", "acme").code == 0
    assert desk.stored("acme").status is Status.CONNECTED
    assert desk.stored("acme").status_message is None


def test_a_refused_login_keeps_the_integration_with_bills_own_message(desk: Desk) -> None:
    answered = desk.connect("acme", password="wrong-password")

    assert answered.code == 1
    assert LOGIN_REFUSED in answered.err
    stored = desk.stored("acme")
    assert (stored.status, stored.status_code) == (Status.ERROR, "BDC_1101")
    assert LOGIN_REFUSED in (stored.status_message or "")
    assert partitions() == ["acme"]


def test_an_edit_keeps_every_setting_that_it_does_not_name(desk: Desk) -> None:
    first = ("--cutoff", "2024-01-01", "--history-start", "2023-06-01", "--time-zone", "Europe/Berlin")
    desk.connect("acme", *first, environment="stage", v2_base_url=desk.bill.v2_base_url)
    before = desk.stored("acme")

    answered = desk.run("connect", "acme", *desk.credentials())

    assert answered.code == 0
    after = desk.stored("acme")
    kept = ("company", "environment", "base_url", "v2_base_url", "cutoff", "history_start", "time_zone")
    assert [getattr(after, name) for name in kept] == [getattr(before, name) for name in kept]
    assert after.cutoff == date(2024, 1, 1)


def test_a_cutoff_that_is_moved_says_what_that_means_for_books_that_were_posted(desk: Desk) -> None:
    desk.connect("acme", "--cutoff", "2025-07-01")
    assert desk.run("connect", "acme", "--cutoff", "2025-06-01", "--json").document["notes"] == []
    warehouse = open_database()
    post(warehouse, "acme")
    warehouse.close()

    earlier = desk.run("connect", "acme", "--cutoff", "2025-05-01").out
    assert "The next sync posts documents dated from 2025-05-01 to 2025-05-31 as well." in earlier
    assert "own opening balances hold of them must be taken out there" in earlier
    later = desk.connect("acme", "--cutoff", "2025-08-01").out
    assert "What is posted of the days before 2025-08-01 stays in the books" in later
    every = desk.run("connect", "acme", "--cutoff", "none", "--json").document["notes"]
    assert every[0].startswith("The next sync posts documents dated until 2025-07-31 as well.")
    assert desk.run("connect", "acme", "--owner", "a@b.example", "--json").document["notes"] == []


def test_none_clears_a_date_or_an_address(desk: Desk) -> None:
    desk.connect("acme", "--cutoff", "2024-01-01", "--history-start", "2023-06-01", v2_base_url=desk.bill.v2_base_url)

    desk.run(
        *("connect", "acme", *desk.credentials()),
        *("--cutoff", "none", "--history-start", "None", "--v2-base-url", "none"),
    )

    stored = desk.stored("acme")
    assert (stored.cutoff, stored.history_start, stored.v2_base_url) == (None, None, None)
    assert stored.base_url == desk.bill.base_url


@pytest.mark.parametrize("left_out", ["username", "password", "dev_key"])
def test_new_credentials_are_given_together(desk: Desk, left_out: str) -> None:
    desk.connect("acme")

    answered = desk.run("connect", "acme", *desk.credentials(**{left_out: None}), "--cutoff", "2025-01-01")

    assert answered.code == 2
    assert f"Give the credentials again to connect acme: --{left_out.replace('_', '-')} missing" in answered.err
    assert desk.stored("acme").cutoff is None


def test_a_setting_is_changed_without_the_credentials_and_without_asking_bill(desk: Desk) -> None:
    desk.connect("acme")
    before, logins = desk.stored("acme"), desk.bill.sandbox.stats.logins

    same = ("--organization-id", before.organization_id, "--base-url", desk.bill.base_url)
    changes = ("--cutoff", "2025-01-01", "--time-zone", "Europe/Berlin", "--company", "Acme Holding")
    answered = desk.run("connect", "acme", *same, *changes)

    assert (answered.code, answered.err) == (0, "")
    assert "acme: cutoff is 2025-01-01 now, was none." in answered.out
    assert answered.out.rstrip().endswith("Next: billcom seed acme")
    assert desk.bill.sandbox.stats.logins == logins
    wanted = replace(before, cutoff=date(2025, 1, 1), time_zone="Europe/Berlin", company="Acme Holding")
    assert desk.stored("acme") == wanted
    last = desk.run("audit", "acme", "--json").document["entries"][-1]
    assert (last["what"], last["subject"], last["after"]) == ("setting changed", "time_zone", "Europe/Berlin")
    assert "nothing was changed" in desk.run("connect", "acme", "--cutoff", "2025-01-01").out


@pytest.mark.parametrize(
    "elsewhere",
    [("--base-url", "none"), ("--environment", "stage"), ("--organization-id", "00802OTHERSxxxxxxxxx"), ()],
    ids=["address", "environment", "organization", "nothing"],
)
def test_what_changes_where_credentials_go_needs_them_again(desk: Desk, elsewhere: tuple[str, ...]) -> None:
    desk.connect("acme")
    before = desk.stored("acme")

    answered = (
        desk.run("connect", "acme", "--cutoff", "2025-01-01", *elsewhere) if elsewhere else desk.run("connect", "acme")
    )

    assert (answered.code, "--username, --password, --dev-key missing" in answered.err) == (2, True)
    assert desk.stored("acme") == before


def test_a_typo_in_a_reconnect_leaves_the_working_credentials_in_force(desk: Desk) -> None:
    desk.connect("acme")
    before = desk.stored("acme")

    answered = desk.connect("acme", "--cutoff", "2025-01-01", password="wrong-password")

    assert answered.code == 1
    assert LOGIN_REFUSED in answered.err
    assert "Nothing was stored: acme stays connected with the credentials that it has." in answered.err
    assert desk.stored("acme") == before
    assert [entry["what"] for entry in desk.run("audit", "--json").document["entries"]] == ["integration connected"]
    assert desk.run("validate", "acme").code == 0


def test_a_reconnect_while_bill_is_away_stores_nothing(desk: Desk) -> None:
    desk.connect("acme")
    before = desk.stored("acme")

    answered = desk.connect("acme", base_url="http://127.0.0.1:1/connect")

    assert (answered.code, "BILL cannot be reached" in answered.err) == (1, True)
    assert "Nothing was stored: acme stays connected" in answered.err
    assert desk.stored("acme") == before


def test_a_reconnect_keeps_its_session_for_the_runs(desk: Desk) -> None:
    desk.connect("acme")
    assert desk.run("disconnect", "acme").code == 0
    assert desk.connect("acme").code == 0
    logins = desk.bill.sandbox.stats.logins
    assert desk.run("seed", "acme").code == 0
    assert desk.bill.sandbox.stats.logins == logins


def test_one_that_never_worked_can_be_removed_as_its_message_says(desk: Desk) -> None:
    refused = desk.connect("acme", password="wrong-password")
    command = "billcom forget acme --yes"
    assert f"acme is kept so that it can be tried again; to remove it: {command}" in refused.err

    assert desk.run(*command.split()[1:]).code == 0

    assert desk.run("status", "--json").document["integrations"] == []


def test_the_next_step_of_a_reconnect_fits_how_far_the_integration_is(desk: Desk) -> None:
    desk.connect("acme")
    assert desk.run("seed", "acme").code == 0

    again = desk.connect("acme")

    assert again.out.rstrip().endswith("Next: billcom ledger import acme --vendors vendors.csv")


def test_an_edit_works_when_the_key_that_sealed_the_credentials_is_lost(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.connect("acme")
    (desk.home / "billcom.key").unlink()
    lost = desk.run("validate", "acme")
    assert (lost.code, "sealed with another key" in lost.err) == (2, True)

    assert desk.connect("acme").code == 0
    assert desk.run("validate", "acme").code == 0


def test_the_data_of_one_organization_never_goes_on_as_that_of_another(desk: Desk) -> None:
    desk.connect("acme", number=0)
    warehouse = open_database()
    with warehouse.write() as connection:
        StateStore("acme").save(connection, "vendors", first_pulled_at=None)
    warehouse.close()

    answered = desk.connect("acme", number=1)

    assert answered.code == 2
    assert f"acme holds the data of the BILL organization {desk.bill.world.organizations[0].id}" in answered.err
    assert desk.stored("acme").organization_id == desk.bill.world.organizations[0].id


def test_a_mistyped_organization_id_can_be_corrected_before_anything_was_pulled(desk: Desk) -> None:
    assert desk.connect("acme", organization_id="00802WRONGWRONGxxxxx").code == 1
    assert desk.connect("acme").code == 0


def test_an_edit_of_the_environment_says_that_another_address_still_counts(desk: Desk) -> None:
    desk.connect("acme")

    answered = desk.run("connect", "acme", *desk.credentials(), "--environment", "stage")

    assert answered.code == 0
    assert f"still uses the address {desk.bill.base_url}; give --base-url none" in answered.err


def test_a_company_has_one_integration(desk: Desk) -> None:
    desk.connect("acme", company="Acme Inc")

    answered = desk.connect("other", number=1, company="ACME inc")

    assert answered.code == 2
    assert "has an integration already: acme" in answered.err
