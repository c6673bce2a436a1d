"""The operator's settings: an INI file, read strictly, as a frozen :class:`Config`.

Sections and options are declared once, in ``options``; reading, the commented
example and the tests follow from that.  Nothing here opens a connection or
looks at a setting's meaning for another layer.
"""

from __future__ import annotations

from stacksync.config.addresses import without_password
from stacksync.config.broker_options import AmqpConfig
from stacksync.config.content_options import (
    ContentConfig,
    RetentionConfig,
    StorageConfig,
    UploadsConfig,
)
from stacksync.config.dump import dump
from stacksync.config.http_options import HttpConfig
from stacksync.config.limits_options import LimitsConfig
from stacksync.config.load import load, parse
from stacksync.config.openstack_options import KeystoneConfig
from stacksync.config.options import (
    Config,
    DatabaseConfig,
    LogConfig,
    ServiceConfig,
    default_home,
)
from stacksync.config.sharing_options import JobsConfig, SharingConfig
from stacksync.config.sign_in_options import AuthConfig, OAuthConfig, TokensConfig

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
    "OAuthConfig",
    "RetentionConfig",
    "ServiceConfig",
    "SharingConfig",
    "StorageConfig",
    "TokensConfig",
    "UploadsConfig",
    "default_home",
    "dump",
    "load",
    "parse",
    "without_password",
]
