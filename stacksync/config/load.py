"""Reads a configuration file strictly: what is not understood is an error.

All problems of a file are told at once, one per line, each with the file, the
line number and, for a misspelt name, the nearest right one.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from stacksync.config.checks import contradictions
from stacksync.config.declaration import options, sections
from stacksync.config.lines import Entry, Lines, Problem, cut
from stacksync.config.options import Config
from stacksync.errors import ConfigurationError


def load(path: str | Path) -> Config:
    """The settings in a file; an option that it leaves out has its default.

    :raises ConfigurationError: the file can't be read, or is wrong; the
        message has a line for each problem and never a password.
    """
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ConfigurationError(f"{path}: can't be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ConfigurationError(f"{path}:{line}: this is not UTF-8 text") from None
    return parse(text, str(path))


def parse(text: str, origin: str) -> Config:
    """The settings in the text of a file.

    :param origin: what to call the file in error messages.
    :raises ConfigurationError: as for :func:`load`.
    """
    lines = cut(text)
    problems = list(lines.problems)
    values: dict[str, dict[str, Any]] = {name: {} for name in sections(Config)}
    problems.extend(_fill(values, lines))
    if not problems:
        config = _build(values)
        problems.extend(_locate(config, lines.entries))
    if problems:
        raise ConfigurationError("\n".join(_in_order(problems, origin)))
    return config


def _fill(values: dict[str, dict[str, Any]], lines: Lines) -> Iterator[Problem]:
    known = sections(Config)
    for name, line in lines.sections.items():
        if name not in known:
            yield Problem(line, f"[{name}]: no such section; {_nearest(name, known)}")
    for entry in lines.entries:
        if entry.section not in known:
            continue
        declared = options(known[entry.section])
        where = f"[{entry.section}] {entry.name}"
        if entry.name not in declared:
            yield Problem(entry.line, f"{where}: no such option; {_advice(entry, declared)}")
            continue
        try:
            values[entry.section][entry.name] = declared[entry.name].kind.read(entry.text)
        except ValueError as error:
            yield Problem(entry.line, f"{where}: {error}{_comment_hint(entry.text)}")


def _build(values: dict[str, dict[str, Any]]) -> Config:
    return Config(**{name: cls(**values[name]) for name, cls in sections(Config).items()})


def _locate(config: Config, entries: Iterable[Entry]) -> Iterator[Problem]:
    """Contradictions between options, told where the first of them is set."""
    set_on = {(entry.section, entry.name): entry.line for entry in entries}
    for (section, name), others, problem in contradictions(config):
        lines = [set_on[key] for key in ((section, name), *others) if key in set_on]
        yield Problem(lines[0] if lines else None, f"[{section}] {name}: {problem}")


def _advice(entry: Entry, declared: Iterable[str]) -> str:
    elsewhere = [name for name, cls in sections(Config).items() if entry.name in options(cls)]
    if elsewhere:
        return f"it belongs in [{elsewhere[0]}]"
    return _nearest(entry.name, declared)


def _nearest(name: str, known: Iterable[str]) -> str:
    known = list(known)
    close = difflib.get_close_matches(name.lower().replace("-", "_"), known, n=1)
    return f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"


def _comment_hint(text: str) -> str:
    has_comment = " #" in text or " ;" in text
    return "; a comment stands on a line of its own" if has_comment else ""


def _in_order(problems: list[Problem], origin: str) -> Iterator[str]:
    for problem in sorted(problems, key=lambda problem: problem.line or 0):
        place = origin if problem.line is None else f"{origin}:{problem.line}"
        yield f"{place}: {problem.text}"
