"""Writes the commented example: every option with its help and its default.

``etc/stacksync.ini`` is exactly this text.  It shows defaults, never the
settings in force, so it can't show a secret.
"""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Iterator

from stacksync.config.declaration import options, sections
from stacksync.config.options import Config

_WIDTH = 92

_HEAD = """\
StackSync: every option with its default.

A line that starts with # or ; is a comment; there are no comments after a value. The text \
after = is taken as it stands, % and quotes included. To change an option, take the # off \
its line. An unknown section or option is an error: see twistd -n stacksync --check-config.

Sizes: 4096 (bytes), 512K, 8M, 5G (K is 1024). Durations: 15ms, 10s, 2m, 1h, 7d."""


def dump() -> str:
    """The text of an example file; as it stands it changes nothing."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    for paragraph in _HEAD.split("\n"):
        yield from _comment(paragraph)
    defaults = Config()
    for section_name, section in sections(Config).items():
        yield ""
        yield ""
        yield from _comment(inspect.getdoc(section) or "")
        yield f"[{section_name}]"
        for name, option in options(section).items():
            value = getattr(getattr(defaults, section_name), name)
            shown = option.shown_default or option.kind.write(value)
            yield ""
            yield from _comment(option.help)
            yield f"#{name} = {shown}"


def _comment(text: str) -> Iterator[str]:
    if not text:
        yield "#"
    for line in textwrap.wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False):
        yield f"# {line}"
