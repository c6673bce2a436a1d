"""The real servers that the tests run against; see ``run.py`` for how long they live."""
