"""The identities hold of books that nothing happened to but business."""

from __future__ import annotations

import pytest

from billcom_assets.books.identities.catalog import IDENTITIES
from billcom_assets.books.identities.findings import Identity
from billcom_assets_tests.books.identities.conftest import SETTINGS, Books


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("identity", IDENTITIES, ids=lambda one: one.name)
def test_every_identity_holds(books: Books, name: str, identity: Identity) -> None:
    with books(name).undone() as (connection, run):
        outcome = identity.outcome(connection, run)
    assert outcome.first == ()
    assert outcome.holds
    assert outcome.compared or outcome.not_applicable
