"""Files that BILL serves, written as they come and gone on with where a connection broke."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import BinaryIO, Final

import requests

from billcom_assets.bill.bounded import ResponseLimits, too_large
from billcom_assets.bill.problems import Problem, ProblemKind
from billcom_assets.bill.responses import Response

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_CHUNK: Final = 64 * 1024
_RANGE: Final = re.compile(r"bytes (\d{1,15})-")


class NoRoom(Exception):
    """What comes cannot be written; the text is the machine's reason."""


@dataclass(slots=True)
class Download:
    """One file on its way.

    Args:
        file: Open for writing and reading, empty; holds what has come so far.
    """

    file: BinaryIO
    moved_to: str = ""
    """Where the file is instead, as its server said last."""
    _may_resume: bool = True

    @property
    def size(self) -> int:
        """Bytes that are there."""
        return self.file.tell()

    @property
    def headers(self) -> dict[str, str]:
        """What asks for the rest of the file, in bytes that can be counted."""
        asked = {"Accept": "*/*", "Accept-Encoding": "identity"}
        return asked | ({"Range": f"bytes={self.size}-"} if self.size and self._may_resume else {})

    def takes(self, response: requests.Response) -> bool:
        """True when the response holds the file, or says where it is."""
        return response.status_code < 300 or self._is_redirect(response)

    @staticmethod
    def _is_redirect(response: requests.Response) -> bool:
        return response.status_code in _REDIRECTS and bool(response.headers.get("Location"))

    def take(self, response: requests.Response, limits: ResponseLimits) -> Response | Problem:
        """Writes what the response holds.

        Raises:
            NoRoom: It cannot be written.
            Overrun: The file is larger than it may be.
            requests.RequestException: The connection broke; what came is kept.
        """
        status = response.status_code
        if self._is_redirect(response):
            self.moved_to = response.headers["Location"]
            return Response(status, b"")
        self.moved_to = ""
        self._may_resume = response.headers.get("Content-Encoding", "identity").strip().lower() == "identity"
        begins = _RANGE.match(response.headers.get("Content-Range", ""))
        if status == requests.codes.partial_content and (begins is None or int(begins[1]) != self.size):
            self._restart()
            return Problem(ProblemKind.LOST, "BILL sent another part of the file than was asked for", None, status)
        if status != requests.codes.partial_content:
            self._restart()
        for chunk in response.iter_content(_CHUNK):
            try:
                self.file.write(chunk)
            except OSError as full:
                # It would be taken for the connection's.
                raise NoRoom(os.strerror(full.errno) if full.errno else "it cannot be written") from None
            if self.size > limits.size:
                raise too_large(limits)
        return Response(status, b"")

    def _restart(self) -> None:
        self.file.seek(0)
        self.file.truncate()
