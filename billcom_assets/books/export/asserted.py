"""What the balances of a journal must be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from billcom_assets.books.export.account_names import SEPARATOR
from billcom_assets.books.export.amounts import ZERO
from billcom_assets.books.export.balances import Place, Totals
from billcom_assets.books.identities.control_balances import PartyBalance


def as_expected(
    closing: Mapping[tuple[Place, str], Totals],
    booked: Mapping[tuple[Place, str], Totals],
    expected: Iterable[PartyBalance],
) -> dict[tuple[Place, str], Totals]:
    """The closing balances, those of parties changed by what they should be and are not."""
    balances_ = {(Place(one.ledger_account_id, one.party), one.currency): one.balance for one in expected}
    found = {key: Totals(sums.quantity, sums.value) for key, sums in closing.items()}
    for key in balances_.keys() | {key for key in booked if key[0].party is not None}:
        difference = balances_.get(key, ZERO) - (booked[key].quantity if key in booked else ZERO)
        if difference:
            found.setdefault(key, Totals()).add(difference, ZERO)
    return found


def with_those_below(opened: Iterable[str], sums: Mapping[tuple[str, str], Totals]) -> dict[tuple[str, str], Totals]:
    """What each account and everything below it add up to, by name and currency."""
    names_ = set(opened)
    found: defaultdict[tuple[str, str], Totals] = defaultdict(Totals)
    for (name, currency), one in sums.items():
        parts = name.split(SEPARATOR)
        for length in range(2, len(parts) + 1):
            if (above := SEPARATOR.join(parts[:length])) in names_:
                found[above, currency].add(one.quantity, one.value)
    return dict(found)
