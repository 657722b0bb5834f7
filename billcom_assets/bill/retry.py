"""What is tried again, how often and after which wait.

BILL recommends exponential waits: https://developer.bill.com/docs/api-rate-limits. It has no idempotency key for
payables and receivables, so a write is only sent again when the first one surely changed nothing.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from tenacity import RetryCallState, Retrying, retry_if_result, wait_exponential, wait_random

from billcom_assets.bill.problems import Problem, ProblemKind, Write

T = TypeVar("T")


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
        """Repeats ``attempt`` while its problem may pass; returns the last outcome.

        Args:
            attempt: One try.
            replayable: False for a write that must not happen twice.
            before_wait: Called with the problem, the number of its attempt, and the seconds until the next one.
        """
        seen: Counter[ProblemKind] = Counter()

        def is_repeatable(outcome: T | Problem) -> bool:
            if not isinstance(outcome, Problem):
                return False
            meaning = outcome.kind.meaning
            return meaning.passes and (replayable or meaning.write is Write.NOT_DONE)

        def exhausted(state: RetryCallState) -> bool:
            kind = _problem(state).kind
            seen[kind] += 1
            return state.attempt_number >= self.attempts or seen[kind] >= (kind.meaning.patience or self.attempts)

        def announce(state: RetryCallState) -> None:
            before_wait(_problem(state), state.attempt_number, state.upcoming_sleep)

        def last(state: RetryCallState) -> T | Problem:
            outcome: T | Problem = _outcome(state)
            return outcome

        retrying = Retrying(
            sleep=self.sleep,
            stop=exhausted,
            wait=self._wait,
            retry=retry_if_result(is_repeatable),
            before_sleep=announce,
            retry_error_callback=last,
        )
        return retrying(attempt)

    def _wait(self, state: RetryCallState) -> float:
        """The exponential wait, or what the response asked for if that is longer and within bounds."""
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
