"""One partition per integration."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

INTEGRATIONS = dg.DynamicPartitionsDefinition(name="integration")
"""Keys are those of the table ``integrations``; a sensor and ``billcom connect`` add them."""
PARTITION_SET = str(INTEGRATIONS.name)


@contextmanager
def partitioned_checks() -> Iterator[None]:
    """Where checks with one result per integration are declared: Dagster calls that a preview, which we know."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.PreviewWarning)
        yield
