"""Dagster's webserver, daemon and code servers as ``dagster dev`` puts them together, with room for a guard."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import dagster as dg
from dagster_webserver.app import create_app_from_workspace_process_context
from dagster_webserver.version import __version__
from starlette.types import ASGIApp

from billcom_assets.dagster_internals.web import (
    ModuleTarget,
    ProxyServerManager,
    WorkspaceFileTarget,
    WorkspaceLoadTarget,
    WorkspaceProcessContext,
    configure_loggers,
)

_LOG_LEVEL = "INFO"
_CODE_LOG_LEVEL = "warning"
# What dagster-webserver itself sets.
_STATEMENT_MILLISECONDS, _RECYCLE_SECONDS, _OVERFLOW = 15_000, 3_600, 20


@dataclass(frozen=True, slots=True)
class Module:
    """A code location that is a Python module."""

    module: str
    location: str


def log_to_console() -> None:
    """Shows what Dagster logs, as its commands do."""
    configure_loggers(log_level=_LOG_LEVEL)


@contextmanager
def code_servers(instance: dg.DagsterInstance, code: Module | Path) -> Iterator[Path]:
    """One process for each code location, for webserver and daemon together.

    Args:
        instance: The Dagster instance.
        code: A code location, or a workspace file that names several.

    Yields:
        A workspace file that names the processes.
    """
    with (
        ProxyServerManager(instance, _target(code), code_server_log_level=_CODE_LOG_LEVEL) as servers,
        TemporaryDirectory(prefix="billcom-ui-") as folder,
    ):
        workspace = Path(folder) / "workspace.yaml"
        # JSON is YAML.
        workspace.write_text(json.dumps({"load_from": list(servers.get_code_server_specs())}), encoding="utf-8")
        yield workspace


@contextmanager
def web_application(
    instance: dg.DagsterInstance, code: Module | Path, *, path_prefix: str = "", read_only: bool = False
) -> Iterator[ASGIApp]:
    """Dagster's web application, with nothing in front of it.

    Args:
        instance: The Dagster instance.
        code: A code location, or a workspace file that names several.
        path_prefix: Path under which it is served, such as ``/dagster``.
        read_only: Nothing can be launched, changed or deleted.
    """
    instance.optimize_for_webserver(_STATEMENT_MILLISECONDS, _RECYCLE_SECONDS, _OVERFLOW)
    with WorkspaceProcessContext(
        instance,
        workspace_load_target=_target(code),
        version=__version__,
        read_only=read_only,
        code_server_log_level=_CODE_LOG_LEVEL,
    ) as context:
        yield create_app_from_workspace_process_context(context, path_prefix)


def start_daemon(workspace: Path) -> subprocess.Popen[bytes]:
    """The process that evaluates schedules and sensors and launches runs, for the instance of ``DAGSTER_HOME``."""
    return subprocess.Popen(  # noqa: S603 - our own words and a path of ours
        [sys.executable, "-m", "dagster._daemon", "run", "--workspace", str(workspace)], stdin=subprocess.DEVNULL
    )


def _target(code: Module | Path) -> WorkspaceLoadTarget:
    if isinstance(code, Path):
        return WorkspaceFileTarget(paths=[str(code)])
    return ModuleTarget(module_name=code.module, attribute=None, working_directory=None, location_name=code.location)
