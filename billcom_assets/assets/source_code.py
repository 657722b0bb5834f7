"""Links from assets to the code that makes them."""

from __future__ import annotations

import warnings

import dagster as dg


def with_source_code(*assets: dg.AssetsDefinition) -> list[dg.AssetsDefinition]:
    """The assets, each with a link to its code.

    That these links are in beta is Dagster's to know: whoever loads the code can do nothing about its notices.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        return [one for one in dg.with_source_code_references(assets) if isinstance(one, dg.AssetsDefinition)]
