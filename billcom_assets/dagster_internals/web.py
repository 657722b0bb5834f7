"""The parts of ``dagster dev``; ``dagster-webserver`` by itself lets nothing stand before its application."""

from __future__ import annotations

from dagster._cli.proxy_server_manager import ProxyServerManager
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import ModuleTarget, WorkspaceFileTarget, WorkspaceLoadTarget
from dagster._utils.log import configure_loggers

__all__ = [
    "ModuleTarget",
    "ProxyServerManager",
    "WorkspaceFileTarget",
    "WorkspaceLoadTarget",
    "WorkspaceProcessContext",
    "configure_loggers",
]
