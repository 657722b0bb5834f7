"""Files that BILL serves, written as they come and gone on with where a connection broke."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import BinaryIO, Final

import requests

from billcom_assets.bill.bounded import ResponseLimits, too_large
from billcom_assets.bill.problems import Problem, ProblemKind
from billcom_assets.bill.responses import Response

_CHUNK: Final = 64 * 1024
_RANGE: Final = re.compile(r"bytes (\d{1,15})-")


@dataclass(slots=True)
class Download:
    """One file on its way.

    Args:
        file: Open for writing and reading, empty; holds what has come so far.
    """

    file: BinaryIO
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

    def take(self, response: requests.Response, limits: ResponseLimits) -> Response | Problem:
        """Writes what the response holds.

        Raises:
            Overrun: The file is larger than it may be.
            requests.RequestException: The connection broke; what came is kept.
        """
        status = response.status_code
        self._may_resume = response.headers.get("Content-Encoding", "identity").strip().lower() == "identity"
        begins = _RANGE.match(response.headers.get("Content-Range", ""))
        if status == requests.codes.partial_content and (begins is None or int(begins[1]) != self.size):
            self._restart()
            return Problem(ProblemKind.LOST, "BILL sent another part of the file than was asked for", None, status)
        if status != requests.codes.partial_content:
            self._restart()
        for chunk in response.iter_content(_CHUNK):
            self.file.write(chunk)
            if self.size > limits.size:
                raise too_large(limits)
        return Response(status, b"")

    def _restart(self) -> None:
        self.file.seek(0)
        self.file.truncate()
