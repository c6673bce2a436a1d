"""The wheel works in an environment that has nothing but the wheel and what it asks for."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from zipfile import ZipFile

import pytest

from stacksync import __version__
from stacksync.config import dump

ROOT = Path(__file__).parent.parent
INGREDIENTS = ["LICENSE", "MANIFEST.in", "NEWS.rst", "README.rst", "pyproject.toml", "setup.py"]
SECONDS = 240


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command that can't find the repository by accident."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment["HOME"] = str(cwd)
    return subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=SECONDS
    )


def run_well(*command: str | Path, cwd: Path) -> str:
    """Run a command that has to succeed; returns what it wrote to stdout."""
    done = run(*command, cwd=cwd)
    assert done.returncode == 0, f"{command} failed:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def install(environment: Path, *arguments: str | Path, cwd: Path) -> None:
    # The pip of the tests works on the other environment: that spares installing one there.
    pip = (sys.executable, "-m", "pip", "--python", environment / "bin" / "python")
    # Most modules of the dependencies are never imported here, and to compile them all costs
    # more than the tests do.
    run_well(*pip, "install", "--quiet", "--no-compile", *arguments, cwd=cwd)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree: building leaves files behind in it."""
    copy = tmp_path_factory.mktemp("source")
    for name in INGREDIENTS:
        shutil.copy(ROOT / name, copy)
    leave_out = shutil.ignore_patterns("__pycache__", "dropin.cache*")
    for name in ("stacksync", "twisted", "etc"):
        shutil.copytree(ROOT / name, copy / name, ignore=leave_out)
    return copy


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the source distribution as an installer would."""
    target = tmp_path_factory.mktemp("built")
    run_well(sys.executable, "-m", "build", "--outdir", target, source, cwd=target)
    (built,) = target.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory that has nothing to do with the repository."""
    return tmp_path_factory.mktemp("elsewhere")


@pytest.fixture(scope="module")
def programs(wheel: Path, elsewhere: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a clean environment with the wheel and its dependencies."""
    environment = tmp_path_factory.mktemp("environment")
    venv.create(environment)
    install(environment, wheel, cwd=elsewhere)
    return environment / "bin"


def test_the_wheel_has_every_module_and_data_file(wheel: Path) -> None:
    expected = {
        str(path.relative_to(ROOT))
        for pattern in ("*.py", "*.sql", "*.xml")
        for path in (ROOT / "stacksync").rglob(pattern)
    }
    contents = set(ZipFile(wheel).namelist())

    assert expected - contents == set()
    assert any(name.startswith("stacksync/db/schema/") for name in contents)
    assert any(name.startswith("stacksync/db/functions/") for name in contents)


def test_the_wheel_adds_one_module_to_twisted(wheel: Path) -> None:
    contents = ZipFile(wheel).namelist()

    assert [name for name in contents if name.startswith("twisted/")] == [
        "twisted/plugins/stacksync_plugin.py"
    ]


def test_the_wheel_brings_nothing_else_but_its_metadata(wheel: Path) -> None:
    top = {name.split("/")[0] for name in ZipFile(wheel).namelist()}

    assert top == {"stacksync", "twisted", f"stacksync-{__version__}.dist-info"}


def test_twistd_finds_the_service_from_any_directory(programs: Path, elsewhere: Path) -> None:
    shown = run_well(programs / "twistd", "-n", "stacksync", "--version", cwd=elsewhere)

    assert shown == f"stacksync {__version__}\n"


def test_the_installed_service_writes_the_example(programs: Path, elsewhere: Path) -> None:
    shown = run_well(programs / "twistd", "-n", "stacksync", "--dump-config", cwd=elsewhere)

    assert shown == dump()


def test_wrong_settings_end_twistd_with_the_problem_alone(programs: Path, elsewhere: Path) -> None:
    (elsewhere / "bad.ini").write_text("[amqp]\nprefetsh = 1\n")
    done = run(programs / "twistd", "-n", "stacksync", "-c", "bad.ini", cwd=elsewhere)

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == "bad.ini:2: [amqp] prefetsh: no such option; did you mean prefetch?\n"


def test_the_operators_program_is_installed(programs: Path, elsewhere: Path) -> None:
    assert "user" in run_well(programs / "stacksync-admin", "--help", cwd=elsewhere)


def test_twistd_finds_an_editable_installation_from_any_directory(
    source: Path, elsewhere: Path, tmp_path: Path
) -> None:
    venv.create(tmp_path)
    install(tmp_path, "--no-deps", "--editable", source, cwd=elsewhere)
    # The dependencies are those of the tests' own environment.
    (site_packages,) = tmp_path.glob("lib/python3*/site-packages")
    (site_packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    twistd = (tmp_path / "bin" / "python", "-c", "from twisted.scripts.twistd import run; run()")

    shown = run_well(*twistd, "-n", "stacksync", "--version", cwd=elsewhere)

    assert shown == f"stacksync {__version__}\n"
