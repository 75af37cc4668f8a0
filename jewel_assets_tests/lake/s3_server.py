"""A local S3 server in a process of its own; prints its address. (delta-rs keeps the GIL while it waits for a server.)

Two things that moto lacks: one request at a time, because moto looks whether an object is there and writes it in two
steps, where S3 does a conditional put in one; and `POST /make-old?days=40`, which lets that much time pass.
"""

import io
import logging
import threading
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

from moto.backends import get_backend
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server


class OneAtATime:
    """moto's application behind a lock, which no request holds while its client is still sending it.

    (The client may be waiting, by delta-rs's grip on the GIL, for the answer to another request.)
    """

    def __init__(self) -> None:
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._lock = threading.Lock()

    def __call__(self, environment: dict[str, Any], start: Any) -> Iterable[bytes]:
        environment["wsgi.input"] = io.BytesIO(body(environment))
        with self._lock:
            if environment["PATH_INFO"] != "/make-old":
                return list(self._moto(environment, start))
            make_old(float(parse_qs(environment["QUERY_STRING"])["days"][0]))
            start("204 No Content", [])
            return []


def body(environment: dict[str, Any]) -> bytes:
    """The whole body of a request."""
    if length := environment.get("CONTENT_LENGTH"):
        return bytes(environment["wsgi.input"].read(int(length)))
    return bytes(environment["wsgi.input"].read()) if environment.get("wsgi.input_terminated") else b""


def make_old(days: float) -> None:
    for accounts in get_backend("s3").values():
        for bucket in accounts["aws"].buckets.values():
            for key in bucket.keys.values():
                key.last_modified -= timedelta(days=days)


if __name__ == "__main__":
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, OneAtATime(), threaded=True)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
