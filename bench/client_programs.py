"""PostgreSQL's own clients, pgbench and psql, of the same installation as the server."""

from __future__ import annotations

import os
import subprocess

import psycopg2.extensions

from bench.stage import Stage
from stacksync.db.connection import SESSION_OPTIONS

SLACK_SECONDS = 60.0


class ProgramFailed(Exception):
    """A client program failed; the message has what it said."""


def run_program(
    stage: Stage, database: str, name: str, *arguments: str, text: str = "", seconds: float = 0.0
) -> str:
    """What a program writes to stdout; its sessions have the options of ours.

    :param text: what it reads from stdin.
    :param seconds: how long it is expected to take.
    :raises ProgramFailed: it failed, or took much longer.
    """
    where = psycopg2.extensions.parse_dsn(stage.cluster.url(database))
    environment = {
        "PATH": os.defpath,
        "LC_ALL": "C",
        "PGHOST": where["host"],
        "PGUSER": where["user"],
        "PGDATABASE": database,
        "PGOPTIONS": SESSION_OPTIONS,
    }
    try:
        done = subprocess.run(
            [str(stage.cluster.binaries / name), *arguments],
            input=text,
            capture_output=True,
            text=True,
            env=environment,
            timeout=seconds + SLACK_SECONDS,
        )
    except subprocess.TimeoutExpired as expired:
        raise ProgramFailed(f"{name}: not done within {expired.timeout:g} s") from expired
    if done.returncode:
        raise ProgramFailed(f"{name}: {done.stderr.strip()}")
    return done.stdout
