"""The description has the paths and methods that the resources have, and no others."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from twisted.internet.task import Clock

from stacksync.config import HttpConfig
from stacksync.protocols.http.events import EventStreams
from stacksync.protocols.http.events.holdings import holdings_from
from stacksync.protocols.http.openapi.document import document
from stacksync.protocols.http.resource import JSONResource
from stacksync.protocols.http.tree import make_tree
from tests.protocols.http.engines import AnybodyIsAnna, MadeUpEngine

ALIAS = "/v1"
METHODS = frozenset(["get", "head", "post", "put", "patch", "delete", "options"])


@pytest.fixture(scope="module")
def resources() -> dict[str, frozenset[str]]:
    """The methods of the resources, by path."""
    settings, clock = HttpConfig(), Clock()
    engine = MadeUpEngine()
    streams = EventStreams(clock, settings, holdings_from(engine), holds=engine.sign_ins.holds)
    root = make_tree(clock, engine, AnybodyIsAnna(), streams, [], settings)
    return dict(below(root, ""))


@pytest.fixture(scope="module")
def described() -> dict[str, frozenset[str]]:
    """The methods of the description, by path."""
    paths = document()["paths"]
    return {path: METHODS & set(operations) for path, operations in paths.items()}


def below(resource: JSONResource, path: str) -> Iterator[tuple[str, frozenset[str]]]:
    """The resources at and below a path that have methods; the alias is left out."""
    if resource.methods:
        yield path, frozenset(method.decode().lower() for method in resource.methods)
    for name, child in resource.children.items():
        place = f"{path}/{name.decode()}"
        if place != ALIAS:
            yield from below(child, place)
    if resource.variable is not None:
        name, child = resource.variable
        yield from below(child, f"{path}/{{{name}}}")


def test_every_resource_is_described(
    resources: dict[str, frozenset[str]], described: dict[str, frozenset[str]]
) -> None:
    assert resources.keys() - described.keys() == set()


def test_every_path_that_is_described_exists(
    resources: dict[str, frozenset[str]], described: dict[str, frozenset[str]]
) -> None:
    assert described.keys() - resources.keys() == set()


def test_the_methods_of_each_path_are_those_of_its_resource(
    resources: dict[str, frozenset[str]], described: dict[str, frozenset[str]]
) -> None:
    # That HEAD goes with GET is said once for all; described is it where it is worth a word.
    told = {path: methods - {"head"} for path, methods in described.items()}
    there = {path: methods - {"head"} for path, methods in resources.items()}

    assert told == there


def test_head_is_described_only_where_there_is_get(
    resources: dict[str, frozenset[str]], described: dict[str, frozenset[str]]
) -> None:
    answering = {path for path, methods in resources.items() if "head" in methods}
    told = {path for path, methods in described.items() if "head" in methods}

    assert answering == {path for path, methods in resources.items() if "get" in methods}
    assert told <= answering


def test_the_parameters_of_a_path_are_its_variable_segments() -> None:
    for path, item in document()["paths"].items():
        named = {each.partition("}")[0] for each in path.split("{")[1:]}
        told = {each["name"] for each in item.get("parameters", ()) if each["in"] == "path"}

        assert told == named, path


def test_the_alias_has_the_same_resources() -> None:
    settings, clock = HttpConfig(), Clock()
    engine = MadeUpEngine()
    streams = EventStreams(clock, settings, holdings_from(engine), holds=engine.sign_ins.holds)
    root = make_tree(clock, engine, AnybodyIsAnna(), streams, [], settings)

    assert root.children[ALIAS[1:].encode()] is root.children[b"api"]
