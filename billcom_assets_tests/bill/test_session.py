from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from billcom_assets.bill.credentials import Credentials
from billcom_assets.bill.errors import AuthenticationRefused, BillUnavailable, SessionsExhausted
from billcom_assets.bill.session import MemorySessionStore, StoredSession, is_token_user, opened_session
from billcom_assets.bill.session_keeper import Lease, SessionKeeper
from billcom_assets_tests.bill.conftest import MovableClock
from billcom_assets_tests.bill.scripted import ORGANIZATION


class CountingStore(MemorySessionStore):
    """Counts what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.saved: list[StoredSession] = []

    def save(self, session: StoredSession) -> None:
        self.saved.append(session)
        super().save(session)


@dataclass
class Bill:
    """Opens sessions and knows how often it did."""

    clock: MovableClock
    opened: int = 0
    is_token: bool = False
    failure: Exception | None = None
    slowly: threading.Event | None = None
    at_once: int = field(default=0, init=False)
    peak: int = field(default=0, init=False)

    def sign_in(self) -> StoredSession:
        self.at_once += 1
        self.peak = max(self.peak, self.at_once)
        if self.slowly is not None:
            self.slowly.wait(0.05)
        self.at_once -= 1
        self.opened += 1
        if self.failure is not None:
            raise self.failure
        return session(f"s{self.opened}", self.clock(), is_token=self.is_token)


def session(
    session_id: str,
    used: datetime,
    *,
    is_token: bool = False,
    organization_id: str = ORGANIZATION,
    fingerprint: str = "print",
) -> StoredSession:
    return StoredSession(session_id, "006user", organization_id, is_token, used, fingerprint)


@pytest.fixture
def store() -> CountingStore:
    return CountingStore()


@pytest.fixture
def opener(clock: MovableClock) -> Bill:
    return Bill(clock)


def keeper(opener: Bill, store: MemorySessionStore, max_logins: int = 10) -> SessionKeeper:
    return SessionKeeper(
        opener.sign_in,
        store=store,
        organization_id=ORGANIZATION,
        fingerprint="print",
        clock=opener.clock,
        max_logins=max_logins,
    )


def test_nothing_is_signed_in_before_it_is_needed(opener: Bill, store: CountingStore) -> None:
    one = keeper(opener, store)
    one.close()
    assert (opener.opened, store.saved) == (0, [])


def test_one_sign_in_serves_many_calls_and_is_kept_for_later(opener: Bill, store: CountingStore) -> None:
    one = keeper(opener, store)
    assert {one.current().session.session_id for _ in range(5)} == {"s1"}
    assert store.load() == session("s1", opener.clock())
    assert keeper(opener, store).current().session.session_id == "s1"
    assert opener.opened == 1


@pytest.mark.parametrize(
    ("is_token", "idle", "reused"),
    [
        (False, timedelta(minutes=29), True),
        (False, timedelta(minutes=30), False),
        (True, timedelta(minutes=31), True),
        (True, timedelta(hours=46, minutes=59), True),
        (True, timedelta(hours=47), False),
        (False, timedelta(minutes=-4), True),
        (False, timedelta(minutes=-6), False),
    ],
)
def test_a_stored_session_is_reused_while_bill_keeps_it_alive(
    opener: Bill, store: CountingStore, is_token: bool, idle: timedelta, reused: bool
) -> None:
    store.save(session("stored", opener.clock() - idle, is_token=is_token))
    lease = keeper(opener, store).current()
    assert lease.session.session_id == ("stored" if reused else "s1")
    assert lease.opened_here is not reused


@pytest.mark.parametrize(
    ("organization_id", "fingerprint", "reused"),
    [
        (ORGANIZATION, "print", True),
        ("008other", "print", False),
        (ORGANIZATION, "other", False),
        (ORGANIZATION, "", True),
    ],
)
def test_a_session_of_another_organization_or_other_credentials_is_never_used(
    opener: Bill, store: CountingStore, organization_id: str, fingerprint: str, reused: bool
) -> None:
    store.save(session("stored", opener.clock(), organization_id=organization_id, fingerprint=fingerprint))
    assert (keeper(opener, store).current().session.session_id == "stored") is reused


def test_a_session_that_fell_idle_in_memory_is_renewed_before_it_is_used(opener: Bill, store: CountingStore) -> None:
    one = keeper(opener, store)
    one.current()
    opener.clock.advance(minutes=29)
    one.succeeded(one.current())
    opener.clock.advance(minutes=29)
    assert one.current().session.session_id == "s1"
    opener.clock.advance(minutes=1)
    assert one.current().session.session_id == "s2"


def test_a_session_kept_alive_by_another_process_is_taken_up_again(opener: Bill, store: CountingStore) -> None:
    one, other = keeper(opener, store), keeper(opener, store)
    one.current()
    opener.clock.advance(minutes=20)
    other.succeeded(other.current())
    opener.clock.advance(minutes=20)
    assert one.current().session.session_id == "s1"


def test_threads_whose_calls_failed_together_cause_one_sign_in(opener: Bill, store: CountingStore) -> None:
    opener.slowly = threading.Event()
    one = keeper(opener, store)
    dead = one.current()
    with ThreadPoolExecutor(6) as pool:
        renewed = list(pool.map(one.renew, [dead] * 6))
    assert {lease.session.session_id for lease in renewed} == {"s2"}
    assert (opener.opened, opener.peak) == (2, 1)


def test_threads_that_start_together_cause_one_sign_in(opener: Bill, store: CountingStore) -> None:
    opener.slowly = threading.Event()
    one = keeper(opener, store)
    with ThreadPoolExecutor(6) as pool:
        leases = [future.result() for future in [pool.submit(one.current) for _ in range(6)]]
    assert {lease.session.session_id for lease in leases} == {"s1"}
    assert opener.opened == 1


def test_a_late_failure_of_an_older_session_takes_the_newer_one(opener: Bill, store: CountingStore) -> None:
    one = keeper(opener, store)
    first = one.current()
    second = one.renew(first)
    assert one.renew(first) == second
    assert opener.opened == 2


def test_a_session_that_another_process_renewed_is_adopted_without_signing_in(
    opener: Bill, store: CountingStore
) -> None:
    one, other = keeper(opener, store), keeper(opener, store)
    dead = one.current()
    other.renew(other.current())
    renewed = one.renew(dead)
    assert (renewed.session.session_id, renewed.opened_here, opener.opened) == ("s2", False, 2)


def test_processes_whose_sessions_die_together_sign_in_once(clock: MovableClock, store: CountingStore) -> None:
    opener = Bill(clock, slowly=threading.Event())
    keepers = [keeper(opener, store) for _ in range(4)]
    dead = [one.current() for one in keepers]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda pair: pair[0].renew(pair[1]), zip(keepers, dead, strict=True)))
    assert opener.opened == 2


def test_a_dead_session_is_never_adopted_from_the_store(opener: Bill, store: CountingStore) -> None:
    one = keeper(opener, store)
    first = one.current()
    second = one.renew(first)
    store.save(first.session)  # a process that does not know yet
    assert one.renew(second).session.session_id == "s3"


def test_three_new_sessions_refused_in_a_row_are_enough(opener: Bill, store: CountingStore) -> None:
    one = keeper(opener, store)
    lease = one.renew(one.renew(one.current()))
    with pytest.raises(SessionsExhausted, match="3 new sessions in a row") as caught:
        one.renew(lease)
    assert "developer key" in caught.value.next_step
    assert opener.opened == 3


def test_a_successful_call_in_between_starts_the_row_anew_until_the_cap(opener: Bill, store: CountingStore) -> None:
    one = keeper(opener, store, max_logins=5)
    lease = one.current()
    for _ in range(4):
        one.succeeded(lease)
        lease = one.renew(lease)
    one.succeeded(lease)
    with pytest.raises(SessionsExhausted, match="5 times"):
        one.renew(lease)
    assert opener.opened == 5


def test_a_refused_sign_in_is_told_to_everyone_but_tried_once(opener: Bill, store: CountingStore) -> None:
    opener.failure = AuthenticationRefused("No.", code="BDC_1101", http_status=401)
    one = keeper(opener, store)
    seen = []
    for _ in range(4):
        with pytest.raises(AuthenticationRefused) as caught:
            one.current()
        seen.append(caught.value)
    assert opener.opened == 1
    assert {str(error) for error in seen} == {str(opener.failure)}
    assert len({id(error) for error in seen[1:]}) == 3


def test_asking_for_a_fresh_session_tries_a_refused_sign_in_again(opener: Bill, store: CountingStore) -> None:
    opener.failure = AuthenticationRefused("No.", code="BDC_1101")
    one = keeper(opener, store)
    with pytest.raises(AuthenticationRefused):
        one.current()
    opener.failure = None
    assert one.fresh().session.session_id == "s2"
    assert one.current().session.session_id == "s2"


def test_a_sign_in_that_failed_for_a_passing_reason_is_tried_again_next_time(
    opener: Bill, store: CountingStore
) -> None:
    opener.failure = BillUnavailable("Down.")
    one = keeper(opener, store)
    with pytest.raises(BillUnavailable):
        one.current()
    opener.failure = None
    assert one.current().session.session_id == "s2"


def test_a_dead_session_does_not_stay_in_the_store_when_no_new_one_can_be_had(
    opener: Bill, store: CountingStore
) -> None:
    one = keeper(opener, store)
    lease = one.current()
    opener.failure = AuthenticationRefused("No.", code="BDC_1101")
    with pytest.raises(AuthenticationRefused):
        one.renew(lease)
    assert store.load() is None


def test_the_time_of_last_use_is_kept_at_most_once_a_minute_and_at_the_end(opener: Bill, store: CountingStore) -> None:
    one = keeper(opener, store)
    lease = one.current()
    for _ in range(150):
        opener.clock.advance(seconds=1)
        one.succeeded(lease)
    assert len(store.saved) == 3
    one.close()
    one.close()
    assert len(store.saved) == 4
    kept = store.load()
    assert kept is not None
    assert kept.last_used_at == opener.clock()


def test_the_time_of_last_use_never_overwrites_a_newer_session(opener: Bill, store: CountingStore) -> None:
    one, other = keeper(opener, store), keeper(opener, store)
    lease = one.current()
    newer = other.renew(other.current())
    opener.clock.advance(minutes=5)
    one.succeeded(lease)
    one.close()
    assert store.load() == newer.session


def test_a_session_closed_by_another_process_is_not_put_back(opener: Bill, store: CountingStore) -> None:
    one = keeper(opener, store)
    lease = one.current()
    store.clear(lease.session.session_id)
    opener.clock.advance(minutes=5)
    one.succeeded(lease)
    assert store.load() is None


def test_a_late_success_of_an_older_session_does_not_refresh_the_newer_one(opener: Bill, store: CountingStore) -> None:
    one = keeper(opener, store)
    first = one.current()
    one.renew(first)
    opener.clock.advance(minutes=29)
    one.succeeded(first)
    opener.clock.advance(minutes=2)
    assert one.current().session.session_id == "s3"


def test_text_forms_of_a_session_do_not_show_its_id(opener: Bill, store: CountingStore) -> None:
    lease = keeper(opener, store).current()
    assert isinstance(lease, Lease)
    secret = replace(lease.session, session_id="sessionSECRET1")
    assert "SECRET" not in repr(replace(lease, session=secret)) + str(secret)


@pytest.mark.parametrize(("user_id", "token"), [("syu01ABC", True), ("00601ABC", False), ("", False)])
def test_a_sync_token_is_known_by_its_system_user(user_id: str, token: bool) -> None:
    assert is_token_user(user_id) is token


@pytest.mark.parametrize(
    "told",
    [None, [], "x", {}, {"sessionId": ""}, {"sessionId": 5}, {"sessionId": "a b"}, {"sessionId": "a\nb"}],
)
def test_a_sign_in_without_a_usable_session_id_gives_none(
    told: object, credentials: Credentials, clock: MovableClock
) -> None:
    assert opened_session(told, credentials, clock()) is None


def test_a_sign_in_without_a_user_is_treated_as_a_password_session(
    credentials: Credentials, clock: MovableClock
) -> None:
    opened = opened_session({"sessionId": "s1"}, credentials, clock())
    assert opened is not None
    assert (opened.is_token, opened.user_id, opened.organization_id) == (False, "", ORGANIZATION)
