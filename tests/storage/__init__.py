"""Tests of the stores; what all of them must do is in ``contract``."""

import pytest

# Its modules are no test modules by name, and yet their assertions should explain themselves.
pytest.register_assert_rewrite("tests.storage.contract")
