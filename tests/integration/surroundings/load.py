"""Devices that commit all the time while the world breaks around them.

They do what a client must: what was not answered is sent again, with the same
request id, on a new connection if the old one is gone.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from operator import itemgetter
from types import TracebackType
from uuid import uuid4

import pika.exceptions
import requests

from tests.integration.clients.amqp_device import AmqpDevice
from tests.integration.clients.answers import Item, Refused
from tests.integration.clients.device import Device
from tests.integration.clients.http_device import HttpDevice
from tests.integration.clients.items import new_file
from tests.integration.surroundings.ledger import until

IN_FLIGHT = 8
"""How many commits of a device on AMQP wait for their answers."""

SILENCE = 2.0
"""Seconds after which a device on AMQP sends again what was not answered."""

BREATH = 0.02
"""Seconds between two commits of a device on HTTP: it is to be busy, not to keep a core busy."""

PATIENCE = 180.0
"""Seconds after which a commit should really have been answered."""


class Load:
    """A context in which the devices are busy; at its end all that was sent has been answered.

    :param devices: each is used by a thread of its own, and by nobody else.
    :ivar committed: by device, the items that it was told are committed.
    """

    def __init__(self, devices: Sequence[Device]) -> None:
        self.committed: dict[Device, list[Item]] = {device: [] for device in devices}
        self.repeats = 0
        self._stopping = threading.Event()
        self._pool = ThreadPoolExecutor(len(devices))
        self._working: list[Future[None]] = []

    def __enter__(self) -> Load:
        for device in self.committed:
            work: Callable[[], None]
            if isinstance(device, AmqpDevice):
                work = AmqpWork(device, self).run
            else:
                assert isinstance(device, HttpDevice)
                work = HttpWork(device, self).run
            self._working.append(self._pool.submit(work))
        self.go_on()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopping.set()
        self._pool.shutdown()
        if error is None:
            for working in self._working:
                working.result()

    @property
    def stopping(self) -> bool:
        return self._stopping.is_set()

    def go_on(self, commits: int = 10, devices: Sequence[Device] | None = None) -> None:
        """Wait until each device, or each of these, has had so many more answers."""
        goals = {
            device: len(done) + commits
            for device, done in self.committed.items()
            if devices is None or device in devices
        }

        def reached() -> bool:
            for working in self._working:
                if working.done():
                    working.result()
            return all(len(self.committed[device]) >= goal for device, goal in goals.items())

        until(reached, f"{commits} more commits of each device", PATIENCE)

    def assert_all_is_there(self) -> None:
        """What was acknowledged has happened, once; call it after the end."""
        for device, committed in self.committed.items():
            listed = device.changes(since=0)
            assert {item["version"] for item in committed} == {1}
            assert sorted(committed, key=itemgetter("id")) == listed


class HttpWork:
    """One commit after the other."""

    def __init__(self, device: HttpDevice, load: Load) -> None:
        self._device = device
        self._load = load

    def run(self) -> None:
        while not self._load.stopping:
            self._commit(new_file(), str(uuid4()))
            time.sleep(BREATH)

    def _commit(self, item: Item, request_id: str) -> None:
        end = time.monotonic() + PATIENCE
        while True:
            try:
                answer = self._device.commit(item, request_id=request_id)
                self._load.committed[self._device].append(answer.item)
                return
            except Refused as refused:
                if refused.kind != "503" or time.monotonic() > end:
                    raise
            except requests.RequestException:
                if time.monotonic() > end:
                    raise
            self._load.repeats += 1
            time.sleep(0.1)


class AmqpWork:
    """Several commits at a time, answered in any order."""

    def __init__(self, device: AmqpDevice, load: Load) -> None:
        self._device = device
        self._load = load
        self._unanswered: dict[str, Item] = {}
        self._heard = time.monotonic()

    def run(self) -> None:
        end = None
        while self._unanswered or not self._load.stopping:
            if self._load.stopping and end is None:
                end = time.monotonic() + PATIENCE
            if end is not None and time.monotonic() > end:
                raise TimeoutError(f"never answered: {self._unanswered}")
            try:
                self._turn()
            except pika.exceptions.AMQPError:
                self._start_again()

    def _turn(self) -> None:
        while len(self._unanswered) < IN_FLIGHT and not self._load.stopping:
            request_id, item = str(uuid4()), new_file()
            self._unanswered[request_id] = item
            self._device.send_commit(item, request_id=request_id)
        self._device.read(0.1)
        for request_id in [*self._unanswered]:
            if self._device.is_answered(request_id):
                answer = self._device.answer_to(request_id)
                del self._unanswered[request_id]
                self._load.committed[self._device].append(answer.item)
                self._heard = time.monotonic()
        if time.monotonic() - self._heard > SILENCE:
            self._send_again()

    def _start_again(self) -> None:
        self._device.reconnect(PATIENCE)
        with suppress(pika.exceptions.AMQPError):
            self._send_again()

    def _send_again(self) -> None:
        self._heard = time.monotonic()
        for request_id, item in self._unanswered.items():
            self._load.repeats += 1
            self._device.send_commit(item, request_id=request_id)
