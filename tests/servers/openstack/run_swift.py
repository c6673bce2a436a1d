"""The Swift process: ``python -m tests.servers.openstack.run_swift DIRECTORY``.

Run by the interpreter that has Swift.  Proxy, account, container and object
servers share it, as green threads.
"""

from __future__ import annotations

import os
import socket
import sys
import time
import warnings
from pathlib import Path
from typing import Any

from tests.servers.openstack.settings import BACKENDS, LOOPBACK, Settings, read


def main() -> None:
    directory = Path(sys.argv[1])
    settings = read(directory)
    sys.argv = ["swift"]
    warnings.simplefilter("ignore")
    os.fsync = os.fdatasync = lambda fd: None
    os.environ["TZ"] = "UTC+0"
    time.tzset()
    # Before anything that might import the standard library's sockets by name.
    from swift.common import utils

    utils.monkey_patch()
    import eventlet
    from eventlet import hubs

    hubs.use_hub(utils.get_hub())
    eventlet.debug.hub_exceptions(False)
    listeners = {
        server: listen(port)
        for server, port in [
            ("proxy", settings.proxy_port),
            *((each, settings.port(each)) for each in BACKENDS),
        ]
    }
    make_rings(directory, settings)
    from swift.common import wsgi

    applications = {
        server: wsgi.loadapp(str(directory / f"{server}-server.conf")) for server in listeners
    }
    threads = [
        eventlet.spawn(serve, listeners[server], applications[server]) for server in listeners
    ]
    for thread in threads:
        thread.wait()


def make_rings(directory: Path, settings: Settings) -> None:
    """Say where the servers are: one device each."""
    from swift.common import utils
    from swift.common.ring import RingBuilder
    from swift.common.storage_policy import reload_storage_policies

    utils.set_swift_dir(str(directory))
    reload_storage_policies()
    utils.disable_fallocate()
    for server in BACKENDS:
        ring = directory / f"{server}.ring.gz"
        if ring.exists():
            continue
        builder = RingBuilder(2, 1, 1)
        device = {"ip": LOOPBACK, "port": settings.port(server)}
        builder.add_dev(
            {
                **device,
                **{f"replication_{key}": value for key, value in device.items()},
                "id": 0,
                "region": 1,
                "zone": 1,
                "weight": 1,
                "device": "sda1",
                "meta": "",
            }
        )
        builder.rebalance()
        builder.get_ring().save(str(ring))


def listen(port: int) -> Any:
    from eventlet.greenio import GreenSocket

    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.bind((LOOPBACK, port))
    listener.listen(128)
    return listener if isinstance(listener, GreenSocket) else GreenSocket(listener)


def serve(listener: Any, application: Any) -> None:
    import eventlet
    import eventlet.wsgi
    from swift.common.http_protocol import SwiftHttpProtocol
    from swift.common.utils import NullLogger

    eventlet.wsgi.server(
        listener,
        application,
        NullLogger(),
        custom_pool=eventlet.GreenPool(1024),
        protocol=SwiftHttpProtocol,
        # Who asks again after a while does not find the connection closed that moment.
        socket_timeout=3600,
        capitalize_response_headers=False,
    )


if __name__ == "__main__":
    main()
