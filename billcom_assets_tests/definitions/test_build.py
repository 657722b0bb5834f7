"""What builds and installs the package is the same everywhere."""

from __future__ import annotations

import tomllib
from importlib import import_module
from pathlib import Path

import dagster as dg

from billcom_assets.job_runner import LOCATION, MODULE

ROOT = Path(__file__).parents[2]


def test_the_build_backend_is_pinned_to_one_version_together_with_what_it_brings() -> None:
    requires = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    assert [one for one in requires if one.split("==")[-1] != pinned.get(one.split("==")[0])] == []
    brought = {"editables", "packaging", "pathspec", "pluggy", "tomlkit", "trove-classifiers"}
    assert brought <= pinned.keys()


def test_dg_finds_the_definitions_that_everybody_else_loads() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["dg"]["project"]
    assert project["code_location_name"] == LOCATION
    assert project["code_location_target_module"] == MODULE
    module = import_module(project["code_location_target_module"])
    assert module.__name__.startswith(f"{project['root_module']}.")
    assert isinstance(module.defs, dg.Definitions)
