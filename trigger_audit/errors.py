"""The errors that end a command: one plain line for the user, never a traceback."""


class TriggerAuditError(Exception):
    """The tool could not do its job (exit code 2).

    `message` is one line and holds no password; `remedy` says what to do, or is None.
    """

    def __init__(self, message: str, remedy: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


class UsageError(TriggerAuditError):
    """The command line cannot be meant as it stands: an empty argument, a URL mixed with files, an unknown code."""
