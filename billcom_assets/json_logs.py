"""Runs' logs as JSON lines, for whatever collects logs; ``docs/operating.md`` says how it is switched on.

Dagster's own JSON formatter writes whole events, with the errors' texts and tracebacks in them, and fails at a record
of an exception.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any, Final

from billcom_assets.dagster_internals import LOG_RECORD_METADATA_ATTR

_OF_RUN: Final = {"run_id": "run_id", "job_name": "job", "op_name": "op"}
_PARTITION: Final = "dagster/partition"


class JsonLines(logging.Formatter):
    """One line per record: time (UTC), level, logger, message; run, job, op and integration where it is of a run."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line; of an exception only its kind."""
        meta: dict[str, Any] = getattr(record, LOG_RECORD_METADATA_ATTR, None) or {}
        error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
        event = meta.get("dagster_event")
        found = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": meta.get("orig_message") or record.getMessage(),
            **{ours: meta.get(theirs) for theirs, ours in _OF_RUN.items()},
            "integration": (meta.get("job_tags") or {}).get(_PARTITION),
            "event": event.event_type_value if event is not None else None,
            "error": type(error).__name__ if error is not None else None,
        }
        return json.dumps({name: value for name, value in found.items() if value is not None}, ensure_ascii=True)
