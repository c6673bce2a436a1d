"""The front-ends as parts of the running service: each put together, started and stopped.

Wiring only: what a front-end answers is decided in ``protocols`` and below.
"""
