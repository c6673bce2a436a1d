"""A StackSync server over HTTP: JSON, server-sent events, and chunks (docs/http.rst)."""

from __future__ import annotations

import gzip
import json
import sys
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import requests
from connections import PAUSE, Event, Item, Lost, Refused, again_and_again, complain
from trust import MACHINES, Trust, not_trusted

ANSWER_WITHIN = 60.0
SILENCE_AT_MOST = 60.0
"""Seconds; the server sends a comment line into a silent event stream every 15."""

MISSING = 404
COME_AGAIN = {429, 502, 503, 504}


class Bearer(requests.auth.AuthBase):
    """Signs in with a token (RFC 6750)."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class HttpConnection:
    """See :class:`connections.Connection`.

    :param url: of the server, without ``/api``.
    :param proof: who we are: e-mail and password in UTF-8, or a token.
    :param trust: whom we believe to be the server, with ``https``.
    :raises Lost: there is no server.
    :raises Refused: wrong e-mail or password, a token that holds no more, or a server that we
        don't trust.
    """

    def __init__(
        self, url: str, proof: tuple[bytes, bytes] | Bearer, trust: Trust = MACHINES
    ) -> None:
        self._url = url.rstrip("/")
        self._trust = trust
        self._session = requests.Session()
        self._session.auth = proof  # type: ignore[assignment]
        self.account = self._ask_once("GET", "account")

    def workspaces(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._call("GET", "workspaces")["workspaces"]
        return found

    def register_device(self, name: str) -> str:
        return str(self._call("POST", "devices", {"name": name, "os": sys.platform})["id"])

    def make_token(self, scope: str, device: Item) -> dict[str, Any]:
        """Get a token for a device: its ``token``, ``account_id``, ``device_id`` and more.

        :param device: ``device_id``, or ``device``, what a new one is like.
        """
        told: dict[str, Any] = self._call("POST", "tokens", {"scope": scope, **device})
        return told

    def changes(self, workspace_id: str, since: int) -> tuple[int, list[Item]]:
        told = self._call("GET", f"workspaces/{workspace_id}/changes?since={since}")
        return told["revision"], told["items"]

    def commit(self, workspace_id: str, device_id: str, items: list[Item]) -> dict[str, Any]:
        body = {"request_id": str(uuid4()), "device_id": device_id, "items": items}
        told: dict[str, Any] = self._call("POST", f"workspaces/{workspace_id}/commits", body)
        return told

    def keep_chunk(self, workspace_id: str, name: str, chunk: bytes) -> None:
        """Put a chunk of a file, unless the server has it; it goes there as a gzip stream.

        Once it is there, the server keeps it long enough for the commit that names it.
        """
        path = f"workspaces/{workspace_id}/chunks/{name}"
        if not again_and_again(lambda: self._has(path)):
            # Without a time in it, the same chunk is always the same bytes.
            packed = gzip.compress(chunk, mtime=0)
            again_and_again(lambda: self._send("PUT", path, data=packed))

    def notifications(self) -> Iterator[Event]:
        while True:
            try:
                yield from read_events(again_and_again(self._open_stream))
            except requests.RequestException as error:
                complain(Lost(f"HTTP: {error}"))
            # Else the server has ended the stream, because it stops.
            time.sleep(PAUSE)

    def _open_stream(self) -> requests.Response:
        try:
            response = self._session.get(
                f"{self._url}/api/events",
                stream=True,
                timeout=SILENCE_AT_MOST,
                verify=self._trust.verify,
            )
        except requests.RequestException as error:
            raise self._lost(error) from error
        check(response)
        return response

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        # The body has the request's id in it, so a repeat is known as one.
        return again_and_again(lambda: self._ask_once(method, path, body))

    def _ask_once(self, method: str, path: str, body: Any = None) -> Any:
        try:
            return self._send(method, path, json=body).json()
        except requests.RequestException as error:
            raise Lost(f"HTTP: {error}") from error

    def _has(self, path: str) -> bool:
        return self._send("HEAD", path, may_be_missing=True).ok

    def _send(
        self, method: str, path: str, may_be_missing: bool = False, **body: Any
    ) -> requests.Response:
        try:
            # One session: the connection stays open from request to request.  Told to the
            # session once and for all, REQUESTS_CA_BUNDLE would win over whom we trust.
            response = self._session.request(
                method,
                f"{self._url}/api/{path}",
                timeout=ANSWER_WITHIN,
                verify=self._trust.verify,
                **body,
            )
        except requests.RequestException as error:
            raise self._lost(error) from error
        if not (may_be_missing and response.status_code == MISSING):
            check(response)
        return response

    def _lost(self, error: requests.RequestException) -> Lost | Refused:
        return not_trusted(self._url, error) or Lost(f"HTTP: {error}")


def read_events(response: requests.Response) -> Iterator[Event]:
    """The events of a stream, to its end (HTML standard, *Server-sent events*)."""
    kind = ""
    with response:
        for line in response.iter_lines(chunk_size=None):
            field, _, value = line.partition(b": ")
            if field == b"event":
                kind = value.decode()
            elif field == b"data":
                yield Event(kind, json.loads(value))


def check(response: requests.Response) -> None:
    """:raises Refused: the answer is an error, told in its ``description``.
    :raises Lost: it is one that will pass.
    """
    if response.ok:
        return
    try:
        problem = response.json()["description"]
    except (ValueError, KeyError, TypeError):
        problem = f"{response.status_code} {response.reason}"
    if response.status_code in COME_AGAIN:
        raise Lost(f"HTTP: {problem}")
    raise Refused(problem)
