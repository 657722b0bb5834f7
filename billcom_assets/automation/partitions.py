"""One partition per integration."""

from __future__ import annotations

import dagster as dg

INTEGRATIONS = dg.DynamicPartitionsDefinition(name="integration")
"""Keys are those of the table ``integrations``; a sensor and ``billcom connect`` add them."""
