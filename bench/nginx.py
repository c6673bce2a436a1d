"""A private nginx that takes files by WebDAV PUT and serves them: what ours is compared with."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.client_programs import ProgramFailed
from stacksync.embedded.ports import choose

SECONDS = 10.0

CONFIGURATION = """
daemon off;
master_process off;
pid {directory}/nginx.pid;
error_log {directory}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    client_max_body_size 0;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    server {{
        listen 127.0.0.1:{port};
        root {directory}/files;
        keepalive_requests 100000;
        location / {{ dav_methods PUT DELETE; }}
    }}
}}
"""


@contextmanager
def running(directory: Path) -> Iterator[int]:
    """Run nginx with all its files in a directory; the port that it listens on.

    One process, like ours.  It runs as whoever we are, for whom the directory is.

    :raises ProgramFailed: it is not installed, or does not start.
    """
    program = shutil.which("nginx", path=os.pathsep.join([os.defpath, "/usr/sbin"]))
    if program is None:
        raise ProgramFailed("nginx is not installed: apt-get install nginx-light")
    (directory / "files").mkdir(parents=True)
    (port,) = choose(1)
    configuration = directory / "nginx.conf"
    user = f"user {pwd.getpwuid(os.getuid()).pw_name};" if os.getuid() == 0 else ""
    configuration.write_text(user + CONFIGURATION.format(directory=directory, port=port))
    log = directory / "output"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [program, "-p", str(directory), "-e", str(log), "-c", str(configuration)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        wait_for(process, port, log)
        yield port
    finally:
        process.terminate()
        process.wait(SECONDS)


def wait_for(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1.0).close()
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > end:
                raise ProgramFailed(f"nginx: {log.read_text(errors='replace').strip()}") from None
            time.sleep(0.02)
