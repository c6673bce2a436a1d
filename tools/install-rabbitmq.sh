#!/bin/sh
# Makes sure that rabbitmq-server is installed, with apt when it is missing and we may.
# Exit status 0: it is there; 1: it is not, and stderr says what to do.

set -u

installed() {
    # Neither directory is in everybody's PATH.
    command -v rabbitmq-server >/dev/null 2>&1 ||
        [ -x /usr/sbin/rabbitmq-server ] ||
        [ -x /usr/lib/rabbitmq/bin/rabbitmq-server ]
}

give_up() {
    echo "RabbitMQ is not installed: $1" >&2
    echo "For clients that speak AMQP, install it and start again. On Debian, as root:" >&2
    echo "    apt-get update && apt-get install --no-install-recommends rabbitmq-server" >&2
    exit 1
}

apt() {
    # shellcheck disable=SC2086  # "sudo -n" is two words, or none
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
        -o DPkg::Lock::Timeout=120 "$@" </dev/null
}

if installed; then
    exit 0
fi
if ! command -v apt-get >/dev/null 2>&1; then
    give_up "there is no apt-get on this system."
fi
if [ "$(id -u)" -eq 0 ]; then
    as_root=""
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    as_root="sudo -n"
else
    give_up "that needs root, or sudo without a password."
fi

echo "Installing rabbitmq-server with apt-get ..." >&2
# A machine whose package lists are missing or stale can't install before an update.
if ! apt install --no-install-recommends rabbitmq-server >/dev/null 2>&1; then
    apt update >/dev/null || give_up "apt-get update failed."
    apt install --no-install-recommends rabbitmq-server >/dev/null ||
        give_up "apt-get install failed."
fi
installed || give_up "its package is, but the program isn't where it belongs."
