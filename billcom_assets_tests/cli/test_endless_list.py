"""What somebody at the command line sees of a BILL whose lists have no end."""

from __future__ import annotations

from billcom_assets.sandbox import FaultPlan, SandboxServer, Settings
from billcom_assets_tests.cli.commands import DEV_KEY, Desk


def test_a_list_without_an_end_fails_the_seed_in_words_and_the_next_one_goes_on(desk: Desk) -> None:
    with SandboxServer(Settings(bills=20, orgs=1, dev_keys=(DEV_KEY,))) as endless:
        login = endless.world.organizations[0]
        credentials = {
            "organization_id": login.id,
            "username": login.token.username,
            "password": login.token.password,
            "base_url": endless.base_url,
        }
        assert desk.connect("acme", **credentials).code == 0
        endless.sandbox.set_faults(FaultPlan.parse("endless_list=1"))
        failed = desk.run("seed", "acme")
        said = " ".join(failed.err.split())
        assert failed.code == 1
        assert "acme: BILL's list does not come to an end at GET /v3/" in said
        assert "Next step: Run again later; finished pages are kept. If it happens again, check the base URL" in said

        endless.sandbox.set_faults(FaultPlan())
        assert desk.run("seed", "acme").code == 0
