"""The Starlette application: v3 under ``/connect``, v2 under ``/api/v2``, control under ``/_sandbox``."""

from __future__ import annotations

import traceback
from collections.abc import Awaitable, Callable, Iterable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from billcom_assets.sandbox import control, v2, v3
from billcom_assets.sandbox.clock import stamp
from billcom_assets.sandbox.errors import Refusal, no_such_api
from billcom_assets.sandbox.gateway import Dialect, Gateway, Operation
from billcom_assets.sandbox.state import Sandbox

V3_BASE = "/connect"
V2_BASE = "/api/v2"
CONTROL_BASE = "/_sandbox"


def make_app(sandbox: Sandbox) -> Starlette:
    """The application over a sandbox; several applications may share one."""
    dialect = v3.V3Dialect()
    app = Starlette(
        routes=[
            Mount(V3_BASE, routes=_routes(sandbox, dialect, v3.operations())),
            Mount(V2_BASE, routes=_routes(sandbox, v2.V2Dialect(), v2.operations())),
            Mount(CONTROL_BASE, routes=control.routes(sandbox)),
            _fallback(sandbox, dialect),
        ]
    )
    app.add_exception_handler(Exception, _crash_handler(sandbox))
    return app


def _routes(sandbox: Sandbox, dialect: Dialect, operations: Iterable[Operation]) -> list[BaseRoute]:
    gateway = Gateway(sandbox, dialect)
    routes: list[BaseRoute] = [
        Route(operation.path, gateway.endpoint(operation), methods=[operation.method]) for operation in operations
    ]
    return [*routes, _fallback(sandbox, dialect)]


def _fallback(sandbox: Sandbox, dialect: Dialect) -> Route:
    """Whatever no route has: API not supported."""

    async def refuse(_request: Request) -> Response:
        return dialect.refuse(no_such_api(), stamp(sandbox.clock.seconds())).response()

    return Route("/{rest:path}", refuse, methods=["GET", "POST", "PUT", "PATCH", "DELETE"])


def _crash_handler(sandbox: Sandbox) -> Callable[[Request, Exception], Awaitable[Response]]:
    """Remembers an error of the sandbox itself, so that no test mistakes it for a fault."""

    async def record(_request: Request, crash: Exception) -> Response:
        sandbox.stats.crashes.append("".join(traceback.format_exception(crash)))
        refusal = Refusal(500, "BDC_1001", "System error occurred.", category="SERVER")
        return v3.V3Dialect().refuse(refusal, stamp(sandbox.clock.seconds())).response()

    return record
