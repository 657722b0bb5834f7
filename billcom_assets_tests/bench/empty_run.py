"""The least that a run costs: Dagster carries out one asset that does nothing, as the command carries out ours."""

from __future__ import annotations

import json
import sys

import dagster as dg

from billcom_assets.dagster_internals import ReconstructableRepository, execute_run


@dg.asset
def nothing() -> None:
    """Nothing."""


defs = dg.Definitions(
    assets=[nothing], jobs=[dg.define_asset_job("empty", selection=[nothing])], executor=dg.in_process_executor
)


def main() -> None:
    """Runs it in the instance of ``DAGSTER_HOME``."""
    with dg.DagsterInstance.get() as instance:
        repository = ReconstructableRepository.for_module("billcom_assets_tests.bench.empty_run", "defs")
        job = repository.get_reconstructable_job("empty")
        run = instance.create_run_for_job(
            job_def=job.get_definition(), job_code_origin=job.get_python_origin(), run_config={"loggers": _QUIET}
        )
        execute_run(job, run, instance)
    json.dump({}, sys.stdout)


_QUIET = {"console": {"config": {"log_level": "CRITICAL"}}}

if __name__ == "__main__":
    main()
