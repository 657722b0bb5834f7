"""Runs' logs as JSON lines, with the settings of ``docs/operating.md``."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import billcom_assets
from billcom_assets.json_logs import JsonLines
from billcom_assets.warehouse.errors import WarehouseError

OPERATING = Path(billcom_assets.__file__).parents[1] / "docs" / "operating.md"
RUN = """
import dagster as dg, logging
from billcom_assets.job_runner import open_instance

@dg.op
def one(context):
    context.log.warning("It is \\x1b[31mlate")
    logging.getLogger("billcom_assets.warehouse").warning("A notice")
    raise ValueError("Bearer a-secret-token")

@dg.job(tags={"dagster/partition": "acme-us"})
def job():
    one()

with open_instance() as instance:
    job.execute_in_process(instance=instance, raise_on_error=False)
"""


def test_a_run_writes_json_lines_without_the_texts_of_errors(tmp_path: Path) -> None:
    settings = re.search(r"```yaml\n(python_logs:\n.*?)```", OPERATING.read_text(encoding="utf-8"), re.S)
    assert settings is not None
    home = tmp_path / "home"
    home.mkdir()
    shipped = OPERATING.parents[1] / "dagster.yaml"
    (home / "dagster.yaml").write_text(shipped.read_text(encoding="utf-8") + settings[1], encoding="utf-8")
    script = tmp_path / "run.py"
    script.write_text(RUN, encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BILLCOM_")}
    done = subprocess.run(
        [sys.executable, str(script)],
        env={**environment, "DAGSTER_HOME": str(home), "PYTHONPATH": str(OPERATING.parents[1])},
        check=True,
        capture_output=True,
        text=True,
        timeout=300,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    ours = next(line for line in lines if line["message"] == "A notice")
    assert ours["level"] == "WARNING"
    assert ours["integration"] == "acme-us"
    assert ours["job"] == "job"
    assert {line["run_id"] for line in lines if "run_id" in line} == {ours["run_id"]}
    assert any(line.get("event") == "STEP_FAILURE" for line in lines)
    assert any(line.get("event") == "PIPELINE_FAILURE" for line in lines)
    assert "a-secret-token" not in done.stdout
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize("error", [ValueError("a-secret"), WarehouseError("a-secret", "fix")])
def test_an_exception_is_its_kind(error: Exception) -> None:
    record = logging.LogRecord("one", logging.ERROR, "", 1, "It %s", ("failed",), (type(error), error, None))
    line = json.loads(JsonLines().format(record))
    assert line["message"] == "It failed"
    assert line["error"] == type(error).__name__
    assert "a-secret" not in str(line)
