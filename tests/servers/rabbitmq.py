"""RabbitMQ for tests: a private node, and a virtual host of its own for every test."""

from __future__ import annotations

import re
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from stacksync.embedded.deadline import Deadline
from stacksync.embedded.node import SETTINGS, Node, find_program
from stacksync.embedded.ports import choose
from stacksync.embedded.run_as import user_for

_SETTINGS = {**SETTINGS, "vm_memory_high_watermark.absolute": "2GB"}

HTTP_BACKEND = "rabbitmq_auth_backend_http"
"""The plugin by which a node asks others whom it may let in; without effect until it is told."""

_SAFE = re.compile(r"[\w@.+-]+")


class RabbitServer:
    """A node below a directory that the servers' user may pass.

    The methods of the life cycle block until done and raise when they fail.
    Administration goes through ``erl_call`` (2 ms; ``rabbitmqctl`` takes over
    a second).
    """

    def __init__(
        self,
        directory: Path,
        settings: dict[str, str] | None = None,
        plugins: tuple[str, ...] = (),
    ) -> None:
        program = find_program()
        assert program is not None, "the tests need RabbitMQ: apt-get install rabbitmq-server"
        self.node = Node(
            directory / "rabbitmq",
            program,
            user_for(directory),
            _SETTINGS | (settings or {}),
            plugins,
        )
        self._is_stopped = False

    @property
    def port(self) -> int:
        return self.node.port

    def start(self) -> None:
        if self._is_stopped:
            self.evaluate("ok = rabbit:start()")
            self._is_stopped = False
        deadline = Deadline(180)
        # One that is slow as the machine is, or that others use, is not to be replaced.
        while self.node.pid is not None and not self.node.answers():
            deadline.pause(0.1)
        self.node.start(deadline)

    def stop(self) -> None:
        """Stop it in order; what is not durable is lost.

        Erlang itself goes on: to start that anew is what a start costs.
        """
        if not self._is_stopped:
            self.evaluate("ok = rabbit:stop()")
            self._is_stopped = True

    def restart(self) -> None:
        """Stop and start it; the port stays the same."""
        self.stop()
        self.start()

    def kill(self) -> None:
        """Crash it (SIGKILL)."""
        self.node.kill()
        self._is_stopped = False

    def url(self, vhost: str = "/", user: str = "guest", password: str = "guest") -> str:
        """The AMQP URL of a virtual host."""
        login = f"{quote(user, safe='')}:{quote(password, safe='')}"
        return f"amqp://{login}@127.0.0.1:{self.port}/{quote(vhost, safe='')}"

    def add_user(self, name: str, password: str, vhost: str = "/") -> str:
        """Make a user with every permission on a virtual host; returns the AMQP URL to use."""
        arguments = ", ".join(map(_term, (name, password, "test")))
        self.evaluate(f"rabbit_auth_backend_internal:add_user({arguments})")
        self._permit(name, vhost)
        return self.url(vhost, name, password)

    def delete_user(self, name: str) -> None:
        self.evaluate(f"rabbit_auth_backend_internal:delete_user({_term(name)}, {_term('test')})")

    def close_connections(self, vhost: str) -> None:
        """Let the broker close every connection to a virtual host, as an operator may."""
        # Other tests' connections end while this looks at them.
        self.evaluate(
            '[rabbit_networking:close_connection(P, <<"closed by a test">>) || '
            "P <- rabbit_networking:connections(), "
            "[{vhost, V}] <- [catch rabbit_reader:info(P, [vhost])], "
            f"V =:= {_term(vhost)}]"
        )

    @contextmanager
    def vhost(self) -> Iterator[str]:
        """A new virtual host in which guest may do everything; deleted at the end."""
        name = f"test-{secrets.token_hex(6)}"
        self.evaluate(f"ok = rabbit_vhost:add({_term(name)}, {_term('test')})")
        self._permit("guest", name)
        try:
            yield name
        finally:
            if self._serves:
                self.evaluate(f"rabbit_vhost:delete({_term(name)}, {_term('test')})")

    @contextmanager
    def tls_listener(
        self, certificate: Path, client_authority: Path | None = None
    ) -> Iterator[int]:
        """A port on which the broker speaks TLS for a while.

        The files have to be where the servers' user may read them.

        :param certificate: the broker's, with its key (PEM).
        :param client_authority: signs the certificates that it wants of clients;
            ``None``: it wants none.
        """
        (port,) = choose(1)
        pem = f'"{certificate}"'
        options = [f"{{certfile, {pem}}}", f"{{keyfile, {pem}}}"]
        if client_authority is not None:
            options += [
                f'{{cacertfile, "{client_authority}"}}',
                "{verify, verify_peer}",
                "{fail_if_no_peer_cert, true}",
            ]
        listener = f'{{"127.0.0.1", {port}}}'
        self.evaluate("{ok, _} = application:ensure_all_started(ssl)")
        self.evaluate(
            f"ok = rabbit_networking:start_ssl_listener({listener}, [{', '.join(options)}], 2)"
        )
        try:
            yield port
        finally:
            if self._serves:
                self.evaluate(f"rabbit_networking:stop_tcp_listener({listener})")

    @contextmanager
    def asking(self, url: str, authority: Path) -> Iterator[None]:
        """For a while it asks about those whom it does not know itself.

        The node needs the plugin :data:`HTTP_BACKEND`.

        :param url: ``https://host:port/broker/{}?secret=…``, with ``{}`` for the kind of question.
        :param authority: who has to have signed the certificate of who answers; has to be where
            the servers' user may read it.
        """
        asked = {
            f"{kind}_path": f'"{url.format(kind)}"'
            for kind in ("user", "vhost", "resource", "topic")
        }
        trust = f'[{{verify, verify_peer}}, {{cacertfile, "{authority}"}}]'
        internal = "rabbit_auth_backend_internal"
        options = {"http_method": "post", "ssl_options": trust, **asked}
        told = [
            f"application:set_env({HTTP_BACKEND}, {each}, {value})"
            for each, value in options.items()
        ]
        backends = "application:set_env(rabbit, auth_backends, [{}])"
        self.evaluate(", ".join([*told, backends.format(f"{internal}, rabbit_auth_backend_http")]))
        try:
            yield
        finally:
            if self.node.pid is not None:
                self.evaluate(backends.format(internal))

    def evaluate(self, expression: str) -> str:
        """What an Erlang expression is, evaluated in the node; raises if the node can't."""
        program = shutil.which("erl_call") or "/usr/lib/erlang/bin/erl_call"
        # Two callers of the same name, which is the default, keep each other out.
        caller = f"caller-{secrets.token_hex(6)}"
        cookie = (self.node.directory / ".erlang.cookie").read_text()
        answer = subprocess.run(
            [program, "-h", caller, "-c", cookie, "-sname", self.node.name, "-e"],
            input=f"{expression}.\n",
            env=self.node.environment(),
            capture_output=True,
            text=True,
            timeout=120,
        )
        result = answer.stdout.strip()
        if answer.returncode or not result.startswith("{ok,"):
            raise RuntimeError(f"{expression}: {result}{answer.stderr}")
        return result.removeprefix("{ok,").removesuffix("}").strip()

    @property
    def _serves(self) -> bool:
        return self.node.pid is not None and not self._is_stopped

    def _permit(self, user: str, vhost: str) -> None:
        every = ", ".join([_term(".*", check=False)] * 3)
        self.evaluate(
            "rabbit_auth_backend_internal:set_permissions("
            f"{_term(user)}, {_term(vhost)}, {every}, {_term('test')})"
        )


def _term(text: str, check: bool = True) -> str:
    """An Erlang binary; names in tests are plain, so nothing needs escaping."""
    assert not check or text == "/" or _SAFE.fullmatch(text), text
    return f'<<"{text}">>'
