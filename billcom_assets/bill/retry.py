"""What is tried again, how often and after which wait.

BILL recommends exponential waits: https://developer.bill.com/docs/api-rate-limits. It has no idempotency key for
payables and receivables, so a write is only sent again when the first one surely changed nothing.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from tenacity import RetryCallState, Retrying, retry_if_result, wait_exponential, wait_random

from billcom_assets.bill.answers import Kind, Problem

T = TypeVar("T")

PASSING: Final = frozenset(
    {
        Kind.HOURLY_LIMIT,
        Kind.TOO_MANY_AT_ONCE,
        Kind.UNAVAILABLE,
        Kind.UNEXPLAINED,
        Kind.MALFORMED,
        Kind.BEYOND_LIMITS,
        Kind.GATEWAY,
        Kind.LOST,
        Kind.UNREACHABLE,
    }
)
"""Problems that may pass by themselves."""

HARMLESS_TO_REPEAT: Final = frozenset({Kind.HOURLY_LIMIT, Kind.TOO_MANY_AT_ONCE, Kind.UNREACHABLE})
"""Problems after which a write surely did not happen."""

OUTCOME_UNKNOWN: Final = frozenset({Kind.UNAVAILABLE, Kind.UNEXPLAINED, Kind.MALFORMED, Kind.BEYOND_LIMITS, Kind.LOST})
"""Problems after which a write may have happened."""

THROTTLING: Final = frozenset({Kind.HOURLY_LIMIT, Kind.TOO_MANY_AT_ONCE})

_SHORT_PATIENCE: Final = {
    # BILL sometimes reports the hourly limit although allowance is left; a true one will not pass in seconds
    Kind.HOURLY_LIMIT: 4,
    Kind.UNREACHABLE: 4,
    Kind.UNEXPLAINED: 3,
    Kind.GATEWAY: 3,
    # each attempt may take minutes
    Kind.BEYOND_LIMITS: 3,
}
"""Attempts that end in the same problem before it is believed; others have the policy's."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long a passing problem is waited out.

    Args:
        attempts: The most attempts per call.
        initial: Seconds before the second attempt; doubled each time, plus a random part.
        maximum: The longest single wait in seconds.
        sleep: Waits; tests put in one that only records.
    """

    attempts: int = 8
    initial: float = 0.5
    maximum: float = 30
    sleep: Callable[[float], None] = time.sleep

    def run(
        self,
        attempt: Callable[[], T | Problem],
        *,
        replayable: bool,
        before_wait: Callable[[Problem, int, float], None],
    ) -> T | Problem:
        """Repeats ``attempt`` while its problem may pass; gives the last outcome.

        Args:
            attempt: One try.
            replayable: False for a write that must not happen twice.
            before_wait: Told the problem, the number of the attempt that had it, and the seconds until the next one.
        """
        repeatable = PASSING if replayable else HARMLESS_TO_REPEAT
        seen: Counter[Kind] = Counter()

        def exhausted(state: RetryCallState) -> bool:
            kind = _problem(state).kind
            seen[kind] += 1
            return state.attempt_number >= self.attempts or seen[kind] >= _SHORT_PATIENCE.get(kind, self.attempts)

        def announce(state: RetryCallState) -> None:
            before_wait(_problem(state), state.attempt_number, state.upcoming_sleep)

        def last(state: RetryCallState) -> T | Problem:
            outcome: T | Problem = _outcome(state)
            return outcome

        retrying = Retrying(
            sleep=self.sleep,
            stop=exhausted,
            wait=self._wait,
            retry=retry_if_result(lambda outcome: isinstance(outcome, Problem) and outcome.kind in repeatable),
            before_sleep=announce,
            retry_error_callback=last,
        )
        return retrying(attempt)

    def _wait(self, state: RetryCallState) -> float:
        """The exponential wait, or what the answer asked for if that is longer and within bounds."""
        grown = wait_exponential(multiplier=self.initial, max=self.maximum) + wait_random(0, self.initial)
        asked = _problem(state).retry_after or 0.0
        return min(max(grown(state), asked), self.maximum)


def _outcome(state: RetryCallState) -> Any:
    if state.outcome is None:
        raise AssertionError("tenacity asked before the first attempt ended")
    return state.outcome.result()


def _problem(state: RetryCallState) -> Problem:
    outcome = _outcome(state)
    if not isinstance(outcome, Problem):
        raise AssertionError("only problems are waited for")
    return outcome
