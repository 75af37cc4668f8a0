"""The two kinds of failure, decided where the failure is understood."""


class Transient(Exception):
    """Worth another try: a timeout, a 429, a 5xx, a commit conflict.

    `retry_after` is the number of seconds the other side asked for, where it said.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Permanent(Exception):
    """No retry can help: a missing folder, a wrong key, a licence that forbids. The message says what to do."""
