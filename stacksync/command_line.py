"""What may be written after ``twistd stacksync``.

Turns arguments into a checked :class:`~stacksync.config.Config`.  It starts
nothing: that is ``stacksync.service``.
"""

from __future__ import annotations

import sys
from typing import NoReturn

from twisted.python.usage import CompleteFiles, Completions
from twisted.python.usage import Options as UsageOptions

from stacksync import __version__
from stacksync.config import Config, default_home, dump, load
from stacksync.errors import ConfigurationError
from stacksync.tls import ClientSecurity, Listening

_EXPLANATION = """\
The StackSync synchronisation service: one metadata engine behind AMQP and HTTP.

Without -c it brings its own PostgreSQL, serves HTTP on 127.0.0.1:8080 and joins or starts
RabbitMQ when there is one. All its state is under $STACKSYNC_HOME, or else in the XDG data
directory (~/.local/share/stacksync; for root /var/lib/stacksync).

To choose settings:  twistd -n stacksync --dump-config > stacksync.ini
To check them:       twistd -n stacksync -c stacksync.ini --check-config
To run with them:    twistd -n stacksync -c stacksync.ini

Accounts and the database are looked after with stacksync-admin.
"""


class Options(UsageOptions):
    """The arguments of the ``stacksync`` subcommand of twistd.

    :ivar configuration: the settings, there once parsing has succeeded.
    """

    synopsis = "[-c FILE | --dump-config | --check-config -c FILE]"
    longdesc = ""  # the base class would run its lines together; see getUsage

    optParameters = [
        ["config", "c", None, "Read the settings from this file."],
    ]
    optFlags = [
        ["check-config", None, "Say what is wrong in the file of -c, and where, and exit."],
    ]
    compData = Completions(optActions={"config": CompleteFiles("*.ini")})

    configuration: Config

    def getUsage(self, width: int | None = None) -> str:
        """The text of ``--help``."""
        return f"{super().getUsage(width)}\n{_EXPLANATION}"

    def opt_dump_config(self) -> NoReturn:
        """Write an example of the settings file, with every option and its default, and exit."""
        sys.stdout.write(dump())
        raise SystemExit(0)

    def opt_version(self) -> NoReturn:
        """Write the version of StackSync and exit."""
        print(f"stacksync {__version__}")
        raise SystemExit(0)

    def postOptions(self) -> None:
        """Read the settings.

        :raises SystemExit: after ``--check-config``; or the settings are wrong,
            which is told on stderr, without twistd's page of usage around it.
        """
        path: str | None = self["config"]
        if path is None:
            if self["check-config"]:
                raise SystemExit("--check-config needs a file to check: -c FILE")
            self.configuration = Config.embedded(default_home())
            return
        try:
            self.configuration = load(path)
        except ConfigurationError as error:
            raise SystemExit(str(error)) from None
        if self["check-config"]:
            try:
                check_certificates(self.configuration)
            except ConfigurationError as error:
                raise SystemExit(f"{path}: {error}") from None
            print(f"{path}: all settings are right")
            raise SystemExit(0)


def check_certificates(config: Config) -> None:
    """Read what TLS will need, as the start does.

    :raises ConfigurationError: the first file that can't be used, with its option.
    """
    http, amqp = config.http, config.amqp
    Listening("http", "listen", http.listen, http.certificate, http.key).check()
    Listening("amqp", "auth_listen", amqp.auth_listen).check()
    if amqp.url.startswith("amqps:"):
        ClientSecurity("amqp", amqp.ca_file, amqp.certificate, amqp.key)
