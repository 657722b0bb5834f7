"""Control routes under ``/_sandbox/``: a sandbox in another process is watched and driven with curl."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from functools import wraps
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from billcom_assets.sandbox.codec import Doc, decode
from billcom_assets.sandbox.faults import Fault, FaultPlan
from billcom_assets.sandbox.kinds import KINDS
from billcom_assets.sandbox.responses import ApiResponse
from billcom_assets.sandbox.settings import Settings
from billcom_assets.sandbox.state import Sandbox
from billcom_assets.sandbox.v2 import v2_rows

Control = Callable[["Controls", Request, Doc], Any]


class Controls:
    """What the control routes do; each takes a JSON object and gives one."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    def state(self, _request: Request, _body: Doc) -> Doc:
        """Requests, logins, peaks in flight, faults fired, counts per path, status and code, crashes."""
        sandbox = self.sandbox
        stats = sandbox.stats
        peaks = [
            {"dev_key": dev_key, "organization": organization, "peak": peak}
            for (dev_key, organization), peak in sandbox.limits.peak.items()
        ]
        return {
            "requests": stats.requests,
            "logins": stats.logins,
            "rows": stats.rows,
            "sessions": len(sandbox.sessions),
            "peak_in_flight": max(sandbox.limits.peak.values(), default=0),
            "peaks": peaks,
            "faults": sandbox.faults.plan.text(),
            "fired": {str(fault): count for fault, count in sandbox.faults.fired.items()},
            "paths": dict(stats.paths),
            "statuses": {str(status): count for status, count in stats.statuses.items()},
            "codes": dict(stats.codes),
            "crashes": stats.crashes,
            "clock": sandbox.clock.now().isoformat(),
        }

    def reset(self, request: Request, body: Doc) -> Doc:
        """Start all counting from zero."""
        self.sandbox.reset_stats()
        return self.state(request, body)

    def organizations(self, _request: Request, _body: Doc) -> list[Doc]:
        """Every organization with its credentials."""
        dev_key = self.sandbox.settings.dev_keys[0]
        return [
            {
                "organization_id": one.id,
                "name": one.name,
                "dev_key": dev_key,
                "username": one.user.username,
                "password": one.user.password,
                "token_name": one.token.username,
                "token_value": one.token.password,
                "client_id": one.client.id,
                "client_secret": one.client.secret,
                "console_user": one.accountant.username,
                "console_token": one.accountant.password,
                "remember_me_id": one.remember_me_id,
                "device": one.device,
                "locked": one.locked,
                "counts": {kind.path: len(one.table(kind)) for kind in KINDS},
            }
            for one in self.sandbox.world.organizations
        ]

    def truth(self, request: Request, _body: Doc) -> Any:
        """The objects of a list as BILL would serve them (``bills``, ``v2/Bill``); ``?count=true`` counts them."""
        organization = self.sandbox.world.organization(request.query_params.get("organization"))
        path = request.query_params["path"]
        if path.startswith("v2/"):
            records = v2_rows(organization, path.removeprefix("v2/"))
            return {"count": len(records)} if request.query_params.get("count") == "true" else records
        if request.query_params.get("count") == "true":
            return {"count": organization.count(path)}
        return organization.rows(path, approvals=request.query_params.get("billApprovals") == "true")

    def change(self, _request: Request, body: Doc) -> list[Doc]:
        """Make ``n`` random business changes in an organization, decided by ``seed``."""
        done = self.sandbox.change(
            int(body.get("n", 1)),
            int(body.get("seed", 1)),
            organization=body.get("organization"),
            only=body.get("only"),
        )
        return [asdict(one) for one in done]

    def clock(self, _request: Request, body: Doc) -> Doc:
        """Show the clock; ``advance_seconds`` moves it, ``set`` puts it at an instant, ``reset`` back to wall time."""
        clock = self.sandbox.clock
        if "set" in body:
            clock.set(datetime.fromisoformat(body["set"]))
        if "advance_seconds" in body:
            clock.advance(timedelta(seconds=int(body["advance_seconds"])))
        if body.get("reset"):
            clock.offset = timedelta()
        return {"now": clock.now().isoformat(), "offset_seconds": int(clock.offset.total_seconds())}

    def faults(self, _request: Request, body: Doc) -> Doc:
        """Show the faults; ``plan`` (as in ``html_502=0.1,reset``) and ``seed`` replace them, an empty plan clears."""
        if "plan" in body:
            plan = FaultPlan.parse(body["plan"], int(body.get("seed", self.sandbox.faults.plan.seed)))
            if Fault.CASE_TWIN_IDS in plan.rates:
                raise ValueError("case_twin_ids is data: choose it when the sandbox is started")
            self.sandbox.set_faults(plan)
        fired = {str(fault): count for fault, count in self.sandbox.faults.fired.items()}
        return {"plan": self.sandbox.faults.plan.text(), "seed": self.sandbox.faults.plan.seed, "fired": fired}

    def settings(self, _request: Request, body: Doc) -> Doc:
        """Show the settings; members of the body change those that a running sandbox can change."""
        if body:
            self.sandbox.change_settings(**body)
        return _settings_doc(self.sandbox.settings)

    def kill_sessions(self, _request: Request, body: Doc) -> Doc:
        """Kill all sessions, or those of ``organization``."""
        return {"killed": self.sandbox.sessions.end_all(body.get("organization"))}

    def lock(self, _request: Request, body: Doc) -> Doc:
        """Lock an organization, or unlock it with ``locked: false``."""
        organization = self.sandbox.world.organization(body.get("organization"))
        organization.locked = bool(body.get("locked", True))
        return {"organization": organization.id, "locked": organization.locked}

    def revoke_client(self, _request: Request, body: Doc) -> Doc:
        """Revoke the OAuth client of an organization, and its tokens; or give it back with ``revoked: false``."""
        organization = self.sandbox.world.organization(body.get("organization"))
        organization.client.revoked = bool(body.get("revoked", True))
        self.sandbox.sessions.end_client(organization.client.id)
        return {"organization": organization.id, "revoked": organization.client.revoked}


def _settings_doc(settings: Settings) -> Doc:
    plain = asdict(settings)
    plain["faults"] = settings.faults.text()
    return plain


_ROUTES: dict[str, tuple[Control, tuple[str, ...]]] = {
    "/state": (Controls.state, ("GET",)),
    "/reset": (Controls.reset, ("POST",)),
    "/organizations": (Controls.organizations, ("GET",)),
    "/truth": (Controls.truth, ("GET",)),
    "/change": (Controls.change, ("POST",)),
    "/clock": (Controls.clock, ("GET", "POST")),
    "/faults": (Controls.faults, ("GET", "POST")),
    "/settings": (Controls.settings, ("GET", "POST")),
    "/sessions/kill": (Controls.kill_sessions, ("POST",)),
    "/client/revoke": (Controls.revoke_client, ("POST",)),
    "/lock": (Controls.lock, ("POST",)),
}


def routes(sandbox: Sandbox) -> list[Route]:
    """The control routes, relative to ``/_sandbox``; ``/`` lists them."""
    controls = Controls(sandbox)
    index = {
        f"{'|'.join(verbs)} /_sandbox{path}": (control.__doc__ or "") for path, (control, verbs) in _ROUTES.items()
    }

    async def show_index(_request: Request) -> Response:
        return ApiResponse.json(index).to_starlette()

    made = [
        Route(path, _endpoint(controls, control), methods=list(verbs)) for path, (control, verbs) in _ROUTES.items()
    ]
    return [Route("/", show_index), *made]


def _endpoint(controls: Controls, control: Control) -> Callable[[Request], Awaitable[Response]]:
    @wraps(control)
    async def serve(request: Request) -> Response:
        body = await request.body()
        try:
            content = decode(body) if body.strip() else {}
            with controls.sandbox.lock:
                return ApiResponse.json(control(controls, request, content)).to_starlette()
        except (ValueError, TypeError, KeyError) as problem:
            return ApiResponse.json({"error": f"{type(problem).__name__}: {problem}"}, 400).to_starlette()

    return serve
