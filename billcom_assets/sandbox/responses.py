"""HTTP responses, whole and broken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from billcom_assets.sandbox.codec import encode

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """What a handler returns: status, body bytes, media type and further headers."""

    status: int = 200
    body: bytes = b""
    media_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, content: Any, status: int = 200) -> ApiResponse:
        """A response with a JSON body."""
        return cls(status, encode(content))

    def to_starlette(self) -> Response:
        """The Starlette response."""
        return Response(self.body, self.status, dict(self.headers), self.media_type if self.body else None)


BAD_GATEWAY = ApiResponse(
    502,
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body><center><h1>502 Bad Gateway</h1></center></body>"
    b"\r\n</html>\r\n",
    "text/html",
)
SINGLE_OBJECT = ApiResponse.json({"message": "Internal server error"}, 500)


class BrokenOff(Response):
    """Promises the whole body, sends half of it, and closes the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Send what is sent of it."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        half = bytes(self.body)[: len(self.body) // 2]
        # The server closes a connection whose response was never completed.
        await send({"type": "http.response.body", "body": half, "more_body": True})
