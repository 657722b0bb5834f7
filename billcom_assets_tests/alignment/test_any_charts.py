"""Whatever the charts: a written plan leaves nothing to do but conflicts, and never does what BILL would refuse."""

from __future__ import annotations

import string
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from billcom_assets.alignment.chart import BillAccount, Charts, LedgerAccount
from billcom_assets.alignment.planner import plan
from billcom_assets.warehouse.alignment_tables import Action
from billcom_assets_tests.alignment.interpreter import charts_after

NAMES = st.sampled_from(["Rent", "rent", "Rents", "Travel", "Office", "Other", "Money Out Clearing", "x" * 251])
NUMBERS = st.sampled_from([None, None, *string.digits[1:7]])
TYPES = st.sampled_from(["EXPENSE", "EXPENSE", "EXPENSE", "INCOME", "ACCOUNTS_PAYABLE"])
USES = st.sampled_from(["bills", "open bills", "recurring bills", "vendor payments"])


@st.composite
def charts(draw: st.DrawFn) -> Charts:
    """Small charts in every disorder: few names and numbers, so that they collide."""
    ledger_ids = [f"L{number}" for number in range(draw(st.integers(1, 7)))]
    bill_ids = [f"B{number}" for number in range(draw(st.integers(0, 7)))]
    has_parents = draw(st.booleans())
    ledger = tuple(
        LedgerAccount(
            id_,
            draw(NAMES),
            draw(st.one_of(TYPES, st.none()) if draw(st.integers(0, 9)) == 0 else TYPES),
            draw(NUMBERS),
            # Any other, so that there are circles, and parents that are not active.
            draw(st.sampled_from([None, None, *ledger_ids])) if has_parents else None,
            draw(st.sampled_from([None, "What it is for"])),
            draw(st.integers(0, 5)) > 0,
        )
        for id_ in ledger_ids
    )
    are_shown = draw(st.integers(0, 4)) > 0
    bill = tuple(
        BillAccount(
            id_,
            draw(NAMES),
            draw(st.one_of(TYPES, st.none()) if draw(st.integers(0, 9)) == 0 else TYPES),
            draw(NUMBERS),
            # Only an earlier one: BILL has no circles.
            draw(st.sampled_from([None, *bill_ids[:place]])) if are_shown else None,
            draw(st.sampled_from([None, "What it is for"])),
            draw(st.integers(0, 3)) == 0,
            are_shown,
        )
        for place, id_ in enumerate(bill_ids)
    )
    archived = {one.id for one in bill if one.archived}
    for _ in bill:
        # What is below an archived account is archived with it.
        archived |= {one.id for one in bill if one.parent_id in archived}
    bill = tuple(replace(one, archived=one.id in archived) for one in bill)
    some = st.sampled_from([*bill_ids, "B-gone"])
    return Charts(
        "acme-us",
        ledger,
        bill,
        mapped=draw(st.dictionaries(some, st.sampled_from([*ledger_ids, "L-gone"]), max_size=3)),
        unmapped=frozenset(draw(st.lists(some, max_size=1))),
        uses={id_: frozenset({use}) for id_, use in draw(st.dictionaries(some, USES, max_size=3)).items()},
        unseen=("bills",) if draw(st.integers(0, 9)) == 0 else (),
    )


@settings(max_examples=300)
@given(charts())
def test_a_written_plan_leaves_nothing_but_conflicts(before: Charts) -> None:
    before = replace(before, unmapped=before.unmapped - before.mapped.keys())
    changes = plan(before)
    after = charts_after(before, changes)
    again = plan(after)
    assert {one.action for one in again} <= {Action.CONFLICT}, again


@given(charts())
def test_the_same_charts_make_the_same_plan_in_whatever_order_they_are_read(before: Charts) -> None:
    shuffled = replace(before, ledger=before.ledger[::-1], bill=before.bill[::-1])
    assert plan(shuffled) == plan(before)


@given(charts())
def test_nothing_in_use_is_archived_or_given_another_type(before: Charts) -> None:
    for change in plan(before):
        uses = before.uses.get(change.bill_id or "", frozenset())
        if change.action is Action.ARCHIVE:
            assert not uses & {"open bills", "recurring bills"}
        if change.action is Action.UPDATE and change.before and change.after and uses:
            assert change.before.type == change.after.type
