"""Why a plan of the chart of accounts is not written, or not to its end."""

from __future__ import annotations

from billcom_assets.redaction.errors import UserFacingError


class NotWritten(UserFacingError):
    """Nothing was written; the text says why and what to do."""

    def __init__(self, integration: str, message: str, next_step: str) -> None:
        super().__init__(f"{message} Nothing was written. Next step: {next_step}")
        self.integration = integration
        self.message = message
        self.next_step = next_step


class OutcomeUnknown(UserFacingError):
    """BILL was sent a change and nobody knows whether it took it; what was written before is recorded."""

    def __init__(self, title: str, said: str, command: str) -> None:
        super().__init__(
            f"Whether BILL has taken {title} is not known: {said} Nothing more was sent. Next step: {command} goes on; "
            "it looks the account up in BILL before anything is sent again."
        )


class ChangeFailed(Exception):
    """One change was not written, for good; others may be. Holds the reason, for the change's row."""

    def __init__(self, reason: str, *, is_about_rights: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_about_rights = is_about_rights
        """BILL lets this login change nothing, so that nothing else need be tried."""
