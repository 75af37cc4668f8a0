"""One file from one address, or a clear reason why not."""

import errno
import random
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from pathlib import Path

import requests
from urllib3.exceptions import NameResolutionError

from jewel_assets.errors import Permanent, Transient

Progress = Callable[[int, int | None], None]
"""Called with the bytes so far and the bytes in all (None where the server does not say)."""

ATTEMPTS = 4
CONNECT_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 60.0  # between two pieces, not for the whole file
LONGEST_WAIT_S = 60.0  # a server that asks for more is not waited for: the caller is told
CHUNK = 1 << 17  # bytes: what is lost of a connection that breaks off
_TRANSIENT_STATUS = {408, 425, 429, 500, 502, 503, 504, 507, 509, 520, 521, 522, 523, 524}


def download(
    url: str,
    path: Path,
    *,
    progress: Progress | None = None,
    attempts: int = ATTEMPTS,
    pause_s: float = 1.0,
    read_timeout_s: float = READ_TIMEOUT_S,
) -> None:
    """Write what `url` answers to `path`, which is overwritten; the caller checks and renames it.

    A timeout, a broken connection, a 429 or a 5xx is tried again after `pause_s` seconds, doubled each time, with
    jitter, or after what the server asks for; where it allows, from where the last attempt stopped. A web page is
    never taken for a file: that is what a log-in page of a hotel or company network looks like.

    Raises `Transient` when all attempts failed that way, `Permanent` for what no retry can help (a 404, a page).
    """
    resume: str | None = None  # the strong ETag of the file of which `path` holds the beginning
    path.unlink(missing_ok=True)
    for attempt in range(1, attempts + 1):
        try:
            _attempt(url, path, resume, progress, read_timeout_s)
            return
        except _Broken as broken:
            resume, failure = broken.etag, Transient(str(broken))
        except NoSuchHost:
            raise  # a machine without a network: waiting seconds does not bring one
        except Transient as error:
            failure = error
        wait = failure.retry_after
        if attempt == attempts or (wait or 0) > LONGEST_WAIT_S:
            raise failure
        time.sleep(wait if wait is not None else pause_s * 2 ** (attempt - 1) * random.uniform(0.75, 1.25))


class NotThere(Permanent):
    """The server answered that there is no such file (404, 410)."""


class NoSuchHost(Transient):
    """The name of the server cannot be resolved, as on a machine without a network."""


class _Broken(Exception):
    """The connection ended early. `etag` names what was being sent, if it can be continued."""

    def __init__(self, message: str, etag: str | None) -> None:
        super().__init__(message)
        self.etag = etag


def _attempt(url: str, path: Path, resume: str | None, progress: Progress | None, read_timeout_s: float) -> None:
    start = path.stat().st_size if resume and path.exists() else 0
    headers = {"Accept-Encoding": "identity", "User-Agent": "jewel-assets"}
    if start and resume:
        # If-Range: should the file have changed since, the server sends all of it (200) instead of the rest (206).
        headers |= {"Range": f"bytes={start}-", "If-Range": resume}
    try:
        with requests.get(url, headers=headers, stream=True, timeout=(CONNECT_TIMEOUT_S, read_timeout_s)) as answer:
            _accept(answer, url)
            if answer.status_code != 206:
                start = 0
            _receive(answer, path, start, progress)
    except requests.exceptions.SSLError as error:
        raise Permanent(
            f"{url} could not be trusted ({error}). Behind a proxy with its own certificate, set REQUESTS_CA_BUNDLE."
        ) from error
    except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, requests.exceptions.MissingSchema) as e:
        raise Permanent(f"{url} is not an address that can be fetched: {e}.") from e
    except requests.exceptions.RequestException as error:
        if isinstance(getattr(error.args[0] if error.args else None, "reason", None), NameResolutionError):
            raise NoSuchHost(f"{url} could not be reached: there is no such host, or no network.") from error
        raise Transient(f"{url} could not be reached: {error}.") from error


def _accept(answer: requests.Response, url: str) -> None:
    status = answer.status_code
    if status in _TRANSIENT_STATUS or status >= 500:
        raise Transient(f"{url} answered {status} {answer.reason}.", retry_after=_retry_after(answer))
    if status in (401, 403, 407):
        raise Permanent(f"{url} answered {status} {answer.reason}: it does not let us have the file.")
    if status in (404, 410):
        raise NotThere(f"{url} answered {status} {answer.reason}: the file is not at that address.")
    if status not in (200, 206):
        raise Permanent(f"{url} answered {status} {answer.reason}, which is not a file.")
    if answer.headers.get("Content-Type", "").split(";")[0].strip().lower() in ("text/html", "application/xhtml+xml"):
        raise Permanent(f"{url} answered with a web page instead of the file: does this network ask for a log-in?")


def _receive(answer: requests.Response, path: Path, start: int, progress: Progress | None) -> None:
    length = answer.headers.get("Content-Length", "")
    total = start + int(length) if length.isdigit() else None
    etag = answer.headers.get("ETag")
    done = start
    try:
        with path.open("ab" if start else "wb") as file:
            for chunk in answer.iter_content(CHUNK):
                file.write(chunk)
                done += len(chunk)
                if progress:
                    progress(done, total)
    except requests.exceptions.RequestException as error:
        # Weak tags ("W/...") promise the same meaning, not the same bytes: such a file is started again.
        strong = etag if etag and not etag.startswith("W/") else None
        raise _Broken(f"{answer.url} broke off after {done} bytes: {error}.", strong) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Permanent(f"No space left in {path.parent} after {done} bytes: free some and fetch again.") from error
        raise
    if total is not None and done != total:
        raise _Broken(f"{answer.url} sent {done} bytes of {total}.", None)


def _retry_after(answer: requests.Response) -> float | None:
    """Seconds from a Retry-After header, which holds a number of seconds or a date; None without one."""
    value = answer.headers.get("Retry-After", "").strip()
    if value.isdigit():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None
