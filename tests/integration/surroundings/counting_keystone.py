"""A Keystone with a counter before it: which tokens it has given to one of its clients."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests

PASSED_ON = ("Content-Type", "X-Subject-Token", "Vary", "WWW-Authenticate")


class PatientServer(ThreadingHTTPServer):
    """Refuses nobody, and keeps nobody waiting for a second, when many come at once."""

    request_queue_size = 128
    daemon_threads = True


class CountingKeystone:
    """Passes requests on, and notes the tokens that are made.

    :param url: Keystone's, ``/v3`` included.
    :ivar tokens: those made so far, in their order.
    :ivar url: where to ask instead.
    """

    def __init__(self, url: str) -> None:
        self.tokens: list[str] = []
        self._base = url.removesuffix("/v3")
        counting = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def __getattr__(self, name: str) -> Any:
                # Handlers are called after the methods that they are for.
                if name.startswith("do_"):
                    return self._pass_on
                raise AttributeError(name)

            def log_message(self, format: str, *arguments: object) -> None:
                """Not to be heard of."""

            def _pass_on(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name: value for name, value in self.headers.items() if name != "Host"}
                answer = requests.request(
                    self.command, counting._base + self.path, data=body, headers=headers, timeout=60
                )
                if self.command == "POST" and self.path.endswith("/auth/tokens") and answer.ok:
                    counting.tokens.append(answer.headers["X-Subject-Token"])
                self.send_response(answer.status_code)
                for name in PASSED_ON:
                    if name in answer.headers:
                        self.send_header(name, answer.headers[name])
                self.send_header("Content-Length", str(len(answer.content)))
                self.end_headers()
                self.wfile.write(answer.content)

        self._server = PatientServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v3"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)


@contextmanager
def counting(url: str) -> Iterator[CountingKeystone]:
    """A counter before the Keystone of this URL."""
    keystone = CountingKeystone(url)
    try:
        yield keystone
    finally:
        keystone.close()
