#!/bin/sh
# Looks whether nginx is installed, which the benchmarks compare with.  It is not installed
# from here: Debian's package starts a server on port 80 at once.
# Exit status 0: it is there; 1: it is not, and stderr says what to do.

# /usr/sbin is not in everybody's PATH.
if command -v nginx >/dev/null 2>&1 || [ -x /usr/sbin/nginx ]; then
    exit 0
fi
cat >&2 <<'END'
nginx is not installed: the benchmarks compare up- and downloads with it.
Install it and start again. On Debian, as root:
    apt-get update && apt-get install --no-install-recommends nginx-light
    systemctl disable --now nginx        # no server on port 80
Or leave that part out and name the others:
    .venv/bin/python -m bench --only http --only latency
END
exit 1
