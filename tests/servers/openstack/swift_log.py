"""Swift's log goes to a file in its directory; Swift knows of syslog and the console only."""

from __future__ import annotations

import logging
from typing import Any


def to_file(
    conf: dict[str, str],
    name: str,
    log_to_console: bool,
    log_route: str | None,
    fmt: str,
    logger: logging.Logger,
    adapted_logger: Any,
) -> None:
    """What ``log_custom_handlers`` in Swift's configuration files calls."""
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
    handler = logging.FileHandler(f"{conf['swift_dir']}/swift.log")
    handler.setFormatter(
        logging.Formatter(f"%(asctime)s %(levelname)s {log_route or name}: %(message)s")
    )
    logger.addHandler(handler)
