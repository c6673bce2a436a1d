"""Cuts an INI file into sections and entries, each with its line number.

The standard library's parser forgets line numbers, stops at the first error
and gives ``%`` a meaning.  Here a line is blank, a comment (``#`` or ``;``
first), ``[section]`` or ``name = value``; everything after the first ``=`` is
the value as it stands.  What the names mean is not known here.
"""

from __future__ import annotations

import re

from attrs import field, frozen


@frozen
class Entry:
    """``name = value`` on line ``line``, counted from 1."""

    section: str
    name: str
    text: str
    line: int


@frozen
class Problem:
    """Something wrong on a line; ``line`` is ``None`` for the file as a whole."""

    line: int | None
    text: str


@frozen
class Lines:
    """What a file says, in order."""

    sections: dict[str, int] = field(factory=dict)
    """Name of each section and the line where it starts."""
    entries: list[Entry] = field(factory=list)
    problems: list[Problem] = field(factory=list)


def cut(text: str) -> Lines:
    """Read the lines of an INI file; whatever is wrong is in the result's ``problems``.

    The text of a line that can't be understood is not repeated in its
    problem: it may hold a password.
    """
    result = Lines()
    section: str | None = None
    seen: dict[tuple[str, str], int] = {}
    for number, raw in enumerate(text.split("\n"), start=1):
        line = raw.strip()
        if not line or line[0] in "#;":
            continue
        if header := re.fullmatch(r"\[\s*([^\[\]]+?)\s*\]", line):
            section = header[1]
            if section in result.sections:
                first = result.sections[section]
                problem = f"[{section}] is there already, on line {first}; put the two together"
                result.problems.append(Problem(number, problem))
            result.sections.setdefault(section, number)
            continue
        entry = re.fullmatch(r"([\w.-]+)\s*=\s*(.*)", line)
        if entry is None:
            problem = "this is neither [section] nor name = value nor a # comment"
            result.problems.append(Problem(number, problem))
            continue
        name = entry[1]
        if section is None:
            result.problems.append(Problem(number, f"{name} stands before the first [section]"))
            continue
        if (section, name) in seen:
            first = seen[section, name]
            problem = f"[{section}] {name}: is set already, on line {first}"
            result.problems.append(Problem(number, problem))
            continue
        seen[section, name] = number
        result.entries.append(Entry(section, name, entry[2], number))
    return result
