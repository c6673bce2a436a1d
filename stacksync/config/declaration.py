"""What an option is: how one is declared, and how the declared ones are found.

An option is a field of a section's attrs class that also knows how its text is
read and how it is explained.  It knows no file; which options there are is
said in ``options``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from attrs import Attribute, field, fields, frozen, resolve_types

from stacksync.config.addresses import without_password
from stacksync.config.values import Kind

Value = TypeVar("Value")

_KEY = "stacksync.option"


@frozen
class Option:
    """What is known of an option besides its value.

    :ivar kind: how its text is read and written.
    :ivar help: a few sentences for the operator, without line ends.
    :ivar shown_default: what the commented example shows where the default
        depends on the machine; ``None``: the default itself.
    """

    kind: Kind[Any]
    help: str
    shown_default: str | None


def option(
    kind: Kind[Value],
    default: Value,
    help: str,
    *,
    shown_default: str | None = None,
    repr: bool | Callable[[Any], str] = True,
) -> Value:
    """Declare an option as an attribute of a section's class.

    :param default: the value, or an ``attrs.Factory`` that makes it.
    """
    metadata = {_KEY: Option(kind, help, shown_default)}
    declared: Value = field(default=default, metadata=metadata, repr=repr)
    return declared


def secret_url(kind: Kind[str], default: str, help: str) -> str:
    """Declare an option whose value may hold a password: its repr never does."""
    return option(kind, default, help, repr=lambda url: repr(without_password(url)))


def secret(kind: Kind[str], default: str, help: str) -> str:
    """Declare an option whose value is itself a secret: its repr never shows it."""
    return option(kind, default, help, repr=lambda value: repr("***" if value else ""))


def sections(config: type) -> dict[str, type]:
    """The sections of a configuration class by name, in order."""
    resolve_types(config)
    return {attribute.name: attribute.type for attribute in _fields(config) if attribute.type}


def options(section: type) -> dict[str, Option]:
    """The options of a section's class by name, in order."""
    return {attribute.name: attribute.metadata[_KEY] for attribute in _fields(section)}


def _fields(cls: type) -> tuple[Attribute[Any], ...]:
    found: tuple[Attribute[Any], ...] = fields(cls)
    return found
