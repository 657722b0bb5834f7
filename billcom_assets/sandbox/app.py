"""The Starlette application: v3 under ``/connect``, v2 under ``/api/v2``, control under ``/_sandbox``."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from billcom_assets.sandbox import control, v2, v3
from billcom_assets.sandbox.clock import stamp
from billcom_assets.sandbox.errors import no_such_api
from billcom_assets.sandbox.gateway import Dialect, Gateway, Operation
from billcom_assets.sandbox.settings import TokenPath
from billcom_assets.sandbox.state import Sandbox
from billcom_assets.sandbox.v3 import documents, oauth

V3_BASE = "/connect"
V2_BASE = "/api/v2"
CONTROL_BASE = "/_sandbox"


def make_app(sandbox: Sandbox) -> Starlette:
    """The application over a sandbox; several applications may share one."""
    dialect = v3.V3Dialect()
    at_root = sandbox.settings.token_path is TokenPath.AT_ROOT
    below_base, beside_it = ([], oauth.operations()) if at_root else (oauth.operations(), [])
    return Starlette(
        routes=[
            Mount(V3_BASE, routes=_routes(sandbox, dialect, chain(v3.operations(), below_base))),
            Mount(V2_BASE, routes=_routes(sandbox, v2.V2Dialect(), v2.operations())),
            Mount(CONTROL_BASE, routes=control.routes(sandbox)),
            *_routes(sandbox, dialect, chain(documents.pages(), beside_it)),
        ]
    )


def _routes(sandbox: Sandbox, dialect: Dialect, operations: Iterable[Operation]) -> list[BaseRoute]:
    gateway = Gateway(sandbox, dialect)
    routes: list[BaseRoute] = [
        Route(operation.path, gateway.endpoint(operation), methods=[operation.method]) for operation in operations
    ]
    return [*routes, _fallback(sandbox, dialect)]


def _fallback(sandbox: Sandbox, dialect: Dialect) -> Route:
    """Whatever no route has: API not supported."""

    async def refuse(_request: Request) -> Response:
        return dialect.refuse(no_such_api(), stamp(sandbox.clock.seconds())).to_starlette()

    return Route("/{rest:path}", refuse, methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
