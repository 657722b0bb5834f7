"""Files attached in BILL are all there, under their digests, each content once, whatever BILL and the machine do."""

from __future__ import annotations

import errno
import io
import random
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from billcom_assets.bill.client import BillClient, CallEvent, EventKind, Page
from billcom_assets.bill.errors import BillUnavailable
from billcom_assets.bill.quotas import hour_of
from billcom_assets.documents.files import DocumentFiles
from billcom_assets.documents.reading import read_documents
from billcom_assets.documents.waiting import is_anything_waiting
from billcom_assets.quality.documents import missing_files
from billcom_assets.sandbox.errors import Refusal
from billcom_assets.sandbox.faults import FaultPlan
from billcom_assets.sandbox.kinds import VENDOR_CREDITS
from billcom_assets.sandbox.settings import EndedLink, V2Access
from billcom_assets.sync.fence import Fence, LockLost
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.errors import WarehouseError
from billcom_assets.warehouse.tables import request_budget
from billcom_assets_tests.documents import victim
from billcom_assets_tests.documents.truth import ENTITIES, Attached, assert_complete, rows
from billcom_assets_tests.sync.company import INTEGRATION, let_business_happen
from billcom_assets_tests.sync.conftest import Serve
from billcom_assets_tests.sync.test_killed import orders, run_and_kill

DOWNLOAD = "GET downloadLink"


def asked(attached: Attached) -> Counter[str]:
    """Requests by kind, from now on."""
    found: Counter[str] = Counter()
    before = attached.company.on_event

    def note(event: CallEvent) -> None:
        if event.kind is EventKind.REQUEST:
            found[event.endpoint] += 1
        if before is not None:
            before(event)

    attached.company.on_event = note
    return found


def test_every_file_is_there_and_each_content_once(attached: Attached, warehouse: Warehouse) -> None:
    report = attached.read(warehouse)
    assert_complete(warehouse, attached)
    truth = attached.truth()
    assert (report.stored, report.failed, report.stopped) == (len(truth), 0, "")
    assert len(set(truth.values())) < len(truth), "some have the same content"
    assert {row[0] for row in rows(warehouse, "media_type")} == {"application/pdf", "image/png", "text/plain"}


def test_nothing_is_asked_again_until_something_may_have_changed(attached: Attached, warehouse: Warehouse) -> None:
    attached.read(warehouse)
    requests = asked(attached)
    assert attached.read(warehouse).requests == sum(requests.values()) == 0
    let_business_happen(attached.company, 10, 3)
    attached.company.sync(warehouse, only=ENTITIES)
    requests.clear()
    changed = attached.read(warehouse)
    assert 0 < changed.listed < 30
    assert requests[DOWNLOAD] == changed.stored


def test_young_objects_are_asked_about_again_every_day(attached: Attached, warehouse: Warehouse) -> None:
    let_business_happen(attached.company, 10, 3)
    attached.company.sync(warehouse, only=ENTITIES)
    attached.read(warehouse)
    attached.company.server.clock.advance(timedelta(days=1, minutes=1))
    t, now = warehouse.mirror.table("bills").c, attached.company.server.clock.now()
    with warehouse.read() as connection:
        young = connection.scalar(
            select(func.count()).where(t.updated_time > now - timedelta(days=30), t.archived.is_(False))
        )
    requests = asked(attached)
    attached.read(warehouse, excluded={"invoices", "vendor_credits"})
    assert young
    assert sum(count for name, count in requests.items() if "documents" in name) == young
    assert requests[DOWNLOAD] == 0
    assert_complete(warehouse, attached)


def test_a_file_that_bill_no_longer_lists_is_detached_and_its_content_kept(
    attached: Attached, warehouse: Warehouse
) -> None:
    attached.read(warehouse)
    kept = attached.kept()
    attached.company.server.sandbox.change_settings(most_documents=0)
    attached.company.server.clock.advance(timedelta(minutes=1))
    attached.read(warehouse, refresh=True)
    assert all(moment is not None for (moment,) in rows(warehouse, "detached_at"))
    assert attached.kept() == kept
    attached.company.server.sandbox.change_settings(most_documents=2)
    attached.company.server.clock.advance(timedelta(minutes=1))
    requests = asked(attached)
    attached.read(warehouse, refresh=True)
    assert all(moment is None for (moment,) in rows(warehouse, "detached_at"))
    assert requests[DOWNLOAD] == 0, "what is there is not fetched again"


@pytest.mark.parametrize("how", EndedLink)
def test_a_link_that_has_ended_is_asked_for_again(how: EndedLink, attached: Attached, warehouse: Warehouse) -> None:
    company = attached.company
    company.server.sandbox.change_settings(link_seconds=30, ended_link=how)
    seen: Counter[str] = Counter()

    def let_links_end(event: CallEvent) -> None:
        seen[event.endpoint] += 1
        if "/v3/documents/" in event.endpoint and seen[event.endpoint] == 1:
            company.server.clock.advance(timedelta(seconds=31))

    company.on_event = let_links_end
    logins = company.server.sandbox.stats.logins
    report = attached.read(warehouse)
    assert report.failed == 0
    assert_complete(warehouse, attached)
    assert max(seen.values()) > 1, "some links have ended"
    assert company.server.sandbox.stats.logins == logins, "an ended link says nothing about the session"


@pytest.mark.parametrize("serves_ranges", [True, False])
def test_broken_connections_and_dead_sessions_leave_whole_files(
    serves_ranges: bool, attached: Attached, warehouse: Warehouse
) -> None:
    sandbox = attached.company.server.sandbox
    sandbox.change_settings(serves_ranges=serves_ranges)
    sandbox.set_faults(FaultPlan.parse("reset=0.3,html_502=0.05,session_death=0.02*3,truncated_json=0.05"))
    for _ in range(3):
        attached.read(warehouse, refresh=True)
        attached.company.server.clock.advance(timedelta(days=1, minutes=1))
    assert sandbox.faults.fired["reset"] > 5
    assert_complete(warehouse, attached)


def test_a_broken_file_is_gone_on_with_where_it_broke(attached: Attached, warehouse: Warehouse) -> None:
    sandbox = attached.company.server.sandbox
    sandbox.set_faults(FaultPlan.parse("reset=0.3"))
    attached.read(warehouse)
    assert sandbox.stats.statuses[206] > 0
    assert_complete(warehouse, attached)


def test_a_thousand_files_survive_kills_and_nothing_is_kept_twice(
    serve: Serve, warehouse: Warehouse, database_url: str, tmp_path: Path
) -> None:
    attached = Attached(serve(bills=300, most_documents=6, latency_ms=1), tmp_path / "files")
    company = attached.company
    company.sync(warehouse, only=ENTITIES)
    company.server.sandbox.change_settings(link_seconds=1)
    truth, chance = attached.truth(), random.Random(3)
    assert len(truth) >= 1_000
    kills = 0
    for part in (0.05, 0.2, 0.45, 0.7, 0.9):
        goal = int(len(truth) * part) + chance.randrange(20)

        def moment(goal: int = goal) -> bool:
            return attached.count() >= min(goal, len(set(truth.values())) - 20)

        kills += run_and_kill(victim.read_files, orders(company, database_url), str(attached.folder), moment=moment)
        company.server.clock.advance(timedelta(seconds=5))
    assert kills >= 3
    while attached.read(warehouse).listed:
        pass
    assert_complete(warehouse, attached)


def test_files_leave_half_of_the_hours_requests_to_the_syncs(attached: Attached, warehouse: Warehouse) -> None:
    with attached.company.client() as client:
        key = client.credentials.key_digest
    hour = hour_of(attached.company.server.clock.now())
    with warehouse.write() as connection:
        connection.execute(request_budget.insert().values(developer_key=key, hour=hour, requests=10_000, logins=0))
    report = attached.read(warehouse)
    assert (report.listed, report.stopped) == (0, "10,000 requests of this clock hour are used; the rest is the syncs'")
    attached.company.server.clock.advance(timedelta(hours=1))
    attached.read(warehouse)
    assert_complete(warehouse, attached)


def test_time_that_ends_between_two_files_leaves_the_others_waiting(
    attached: Attached, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    attached.company.server.sandbox.change_settings(latency_ms=10)
    monkeypatch.setattr("billcom_assets.documents.reading._LONGEST_SECONDS", 0.3)
    report = attached.read(warehouse)
    assert report.stopped == "the run's time for files is over"
    assert 0 < report.stored < len(attached.truth()) / 2
    monkeypatch.undo()
    attached.read(warehouse)
    assert_complete(warehouse, attached)


def test_where_no_file_is_served_at_all_most_of_them_wait_for_another_run(
    attached: Attached, warehouse: Warehouse
) -> None:
    refused = attached.company.server.sandbox.refused
    refused["GET /v3/download/{id}"] = Refusal(503, None, "Service unavailable.")
    report = attached.read(warehouse)
    assert report.stopped == "BILL serves its lists, and no files for now"
    assert report.failed <= 5
    refused.clear()
    attached.read(warehouse)
    attached.company.server.clock.advance(timedelta(days=1, minutes=1))
    attached.read(warehouse)
    assert_complete(warehouse, attached)


def test_a_link_that_leads_on_is_followed(attached: Attached, warehouse: Warehouse) -> None:
    attached.company.server.sandbox.change_settings(downloads_move=True)
    assert attached.read(warehouse).failed == 0
    assert_complete(warehouse, attached)


def test_pages_are_fetched_again_when_their_object_has_changed(attached: Attached, warehouse: Warehouse) -> None:
    attached.read(warehouse)
    organization, day = attached.company.organization, timedelta(days=1, minutes=1)
    pages = Counter(name[1] for name in attached.truth() if name[0] == "vendor_credits")
    changed = next(iter(pages))
    attached.company.server.clock.advance(day)
    row = organization.table(VENDOR_CREDITS).rows[changed]
    organization.write(VENDOR_CREDITS, row.doc() | {"description": "another one"})
    attached.company.sync(warehouse, only=ENTITIES)
    requests = asked(attached)
    attached.read(warehouse)
    assert requests[DOWNLOAD] == pages[changed]
    assert_complete(warehouse, attached)


def test_a_change_is_not_forgotten_when_bill_gives_no_answer_about_it(
    attached: Attached, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    attached.read(warehouse)
    organization, day = attached.company.organization, timedelta(days=1, minutes=1)
    pages = Counter(name[1] for name in attached.truth() if name[0] == "vendor_credits")
    changed = next(iter(pages))
    attached.company.server.clock.advance(day)
    row = organization.table(VENDOR_CREDITS).rows[changed]
    organization.write(VENDOR_CREDITS, row.doc() | {"description": "another one"})
    attached.company.sync(warehouse, only=ENTITIES)
    asking = BillClient.v2_document_pages

    def failing(client: BillClient, item_id: str) -> tuple[int, str]:
        if item_id == changed:
            raise BillUnavailable("BILL sent pages that are none")
        return asking(client, item_id)

    monkeypatch.setattr(BillClient, "v2_document_pages", failing)
    attached.read(warehouse)
    assert attached.read(warehouse).listed == 0, "not before another day"
    monkeypatch.undo()
    attached.company.server.clock.advance(day)
    requests = asked(attached)
    attached.read(warehouse)
    assert requests[DOWNLOAD] == pages[changed]
    assert_complete(warehouse, attached)


def test_a_file_without_a_usable_id_costs_the_others_nothing(
    attached: Attached, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = BillClient.page

    def with_nonsense(client: BillClient, path: str, **options: Any) -> Page:
        found = page(client, path, **options)
        odd = (b'{"name":"nameless.pdf"}', b'{"id":"00h\\u0000x"}', b'{"id":"' + b"9" * 5_000 + b'"}')
        return Page((*odd, *found.rows), found.next_cursor) if "/documents/" in path else found

    monkeypatch.setattr(BillClient, "page", with_nonsense)
    attached.read(warehouse)
    assert_complete(warehouse, attached)


def test_a_full_disk_is_told_as_one(attached: Attached, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.BytesIO):
        def write(self, _content: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("billcom_assets.documents.reading.tempfile.TemporaryFile", Full)
    with pytest.raises(WarehouseError, match="No space left on device"):
        attached.read(warehouse)


def test_a_run_takes_its_time_and_the_next_goes_on(
    attached: Attached, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("billcom_assets.documents.reading._LONGEST_SECONDS", 0.0)
    assert attached.read(warehouse).stopped == "the run's time for files is over"
    monkeypatch.undo()
    attached.read(warehouse)
    assert_complete(warehouse, attached)


def test_what_is_no_file_is_a_warning_on_its_bill_and_tried_again_the_next_day(
    attached: Attached, warehouse: Warehouse
) -> None:
    sandbox = attached.company.server.sandbox
    sandbox.change_settings(link_seconds=-60, ended_link=EndedLink.PAGE)
    report = attached.read(warehouse, excluded={"vendor_credits"})
    assert (report.stored, report.failed) == (0, len([1 for name in attached.truth() if name[0] != "vendor_credits"]))
    assert set(rows(warehouse, "problem")) == {("what BILL sent is no kind of file that is kept",)}
    with warehouse.read() as connection:
        quality = missing_files(connection, INTEGRATION, "bills")
    assert not quality.passed
    assert set(quality.found) == {name[1] for name in attached.truth() if name[0] == "bills"}
    sandbox.change_settings(link_seconds=0)
    assert attached.read(warehouse).failed == 0
    attached.company.server.clock.advance(timedelta(days=1, minutes=1))
    attached.read(warehouse)
    assert_complete(warehouse, attached)
    with warehouse.read() as connection:
        assert missing_files(connection, INTEGRATION, "bills").passed


def test_one_list_that_bill_refuses_keeps_nobody_elses_files_away(attached: Attached, warehouse: Warehouse) -> None:
    sandbox = attached.company.server.sandbox
    sandbox.change_settings(v2_access=V2Access.NO_KEY)
    sandbox.refused["GET /v3/documents/bills/{id}"] = Refusal(403, "BDC_1361", "Not allowed.")
    requests = asked(attached)
    attached.read(warehouse)
    assert {row[0] for row in rows(warehouse, "entity")} == {"invoices"}
    assert sum(count for name, count in requests.items() if "documents" in name) == 3
    assert sum(count for name, count in requests.items() if "Pages" in name) <= 2
    with attached.company.connected(warehouse, keeps_documents=True) as sync:
        assert not is_anything_waiting(sync), "an hourly run would find nothing"


def test_one_bill_without_a_usable_answer_does_not_keep_the_others_waiting(
    attached: Attached, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_age = sorted(attached.company.organization.rows("bills"), key=lambda bill: bill["updatedTime"])
    broken, page = by_age[-1]["id"], BillClient.page

    def failing(client: BillClient, path: str, **options: Any) -> Page:
        if path.endswith(broken):
            raise BillUnavailable("BILL sent something else than a list")
        return page(client, path, **options)

    monkeypatch.setattr(BillClient, "page", failing)
    attached.read(warehouse)
    missing = {name[1] for name in attached.truth()} - {row[0] for row in rows(warehouse, "record_id")}
    assert missing <= {broken}
    monkeypatch.undo()
    attached.read(warehouse)
    assert_complete(warehouse, attached)


def test_a_run_that_lost_its_lock_writes_nothing(attached: Attached, warehouse: Warehouse) -> None:
    files = DocumentFiles.at(str(attached.folder))
    with attached.company.connected(warehouse, keeps_documents=True) as sync, sync.alone():
        with warehouse.write() as connection:
            Fence(INTEGRATION).raise_up(connection, sync.clock())
        with pytest.raises(LockLost):
            read_documents(sync, files)
    assert rows(warehouse, "id") == []
