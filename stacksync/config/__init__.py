"""The operator's settings: an INI file, read strictly, as a frozen :class:`Config`.

Sections and options are declared once, in ``options``; reading, the commented
example and the tests follow from that.  Nothing here opens a connection or
looks at a setting's meaning for another layer.
"""

from __future__ import annotations

from stacksync.config.addresses import without_password
from stacksync.config.content_options import (
    ContentConfig,
    RetentionConfig,
    StorageConfig,
    UploadsConfig,
)
from stacksync.config.dump import dump
from stacksync.config.load import load, parse
from stacksync.config.openstack_options import KeystoneConfig
from stacksync.config.options import (
    AmqpConfig,
    AuthConfig,
    Config,
    DatabaseConfig,
    HttpConfig,
    LimitsConfig,
    LogConfig,
    ServiceConfig,
    default_home,
)
from stacksync.config.sharing_options import JobsConfig, SharingConfig

__all__ = [
    "AmqpConfig",
    "AuthConfig",
    "Config",
    "ContentConfig",
    "DatabaseConfig",
    "HttpConfig",
    "JobsConfig",
    "KeystoneConfig",
    "LimitsConfig",
    "LogConfig",
    "RetentionConfig",
    "ServiceConfig",
    "SharingConfig",
    "StorageConfig",
    "UploadsConfig",
    "default_home",
    "dump",
    "load",
    "parse",
    "without_password",
]
