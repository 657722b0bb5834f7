"""Asking BILL, for many integrations at once, whether a run would find anything new.

The requests of an hour are shared among the integrations: one alone is asked about every list, a thousand about two
lists each, bills and the one that waits longest. What is found in one list is pulled with all others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from billcom_assets.bill.errors import (
    AuthenticationRefused,
    BillError,
    BillUnavailable,
    ConfigurationError,
    HourlyLimitReached,
    SignInPostponed,
    TooManyAtOnce,
    Unreachable,
)
from billcom_assets.bill.meter import Tally, counting
from billcom_assets.bill.retry import RetryPolicy
from billcom_assets.clock import utc_now
from billcom_assets.documents.waiting import is_anything_waiting
from billcom_assets.redaction.counted import counted
from billcom_assets.resources import open_sync
from billcom_assets.status.scope import scope
from billcom_assets.sync.permissions import V2_API
from billcom_assets.sync.probe import Question, has_news, note_nothing_new
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.errors import describe

REQUESTS_PER_HOUR = 2_000
"""For all integrations together."""
_LEAST = 2
"""Requests for each integration, however many there are."""
_AT_ONCE = 6
"""Integrations that are asked about at the same time."""
_CLIENT = {"retry": RetryPolicy(attempts=1), "timeout": (5.0, 10.0), "max_logins": 1}
"""Nothing is waited for: the next tick asks again."""
_A_RUN_DOES_NO_BETTER = (
    AuthenticationRefused,
    BillUnavailable,
    HourlyLimitReached,
    SignInPostponed,
    TooManyAtOnce,
    Unreachable,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What BILL said of one integration."""

    has_news: bool
    found: str
    """In a line."""


def requests_for_each(integrations: int) -> int:
    """How many requests an hour each of so many integrations gets."""
    return max(_LEAST, REQUESTS_PER_HOUR // max(1, integrations))


def ask(warehouse: Warehouse, key: str, questions: Sequence[Question], requests: int) -> Answer:
    """Asks until something is new, the questions end or the requests are used.

    Raises:
        BillError: it may pass, or concerns the sign-in, which is marked.
    """
    tally, asked = Tally(), list[Question]()
    with open_sync(warehouse, key, client=_CLIENT) as sync:
        with warehouse.read() as connection:
            sync.asks_v2 = V2_API not in scope(connection, key).left_alone(utc_now())
        for question in questions:
            if tally.requests >= requests:
                break
            try:
                with counting(tally):
                    is_new = has_news(sync, question)
            except _A_RUN_DOES_NO_BETTER:
                raise
            except BillError:
                # A run knows what to do about it, such as reading a list without its filter.
                is_new = True
            if is_new:
                return Answer(True, f"{question.entity.replace('_', ' ')} changed in BILL")
            asked.append(question)
        note_nothing_new(sync, asked)
        if is_anything_waiting(sync):
            return Answer(True, "files attached in BILL wait")
    return Answer(False, f"nothing new in BILL ({counted(len(asked), 'question', 'questions')} asked)")


@dataclass
class Asking:
    """The integrations that one tick asks about."""

    warehouse: Warehouse
    requests: int
    """For each."""
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(_AT_ONCE, "ask"))
    _asked: dict[str, Future[Answer]] = field(default_factory=dict)

    def begin(self, key: str, questions: Sequence[Question]) -> None:
        """Asks about the integration, soon."""
        self._asked[key] = self._pool.submit(ask, self.warehouse, key, questions, self.requests)

    def answers(self, seconds: float) -> Iterator[tuple[str, Answer]]:
        """What was answered within the seconds; whom the time did not suffice for, the next tick asks about."""
        wait(self._asked.values(), timeout=seconds)
        self._pool.shutdown(wait=False, cancel_futures=True)
        for key, future in self._asked.items():
            if future.done() and not future.cancelled():
                yield key, _answer(key, future.result)


def _answer(key: str, result: Callable[[], Answer]) -> Answer:
    try:
        return result()
    except ConfigurationError as error:
        # The variable that a credential names may be set where runs are carried out.
        return Answer(True, describe(error))
    except Exception as error:  # noqa: BLE001 - the trouble of one integration must not hold up the others
        return Answer(False, describe(error).removeprefix(f"{key}: "))
