"""Keystone and Swift for tests: the real ones, small, on the loopback interface.

They run in an interpreter of their own (``interpreter.py``), as one process
each: ``run_keystone.py`` and ``run_swift.py`` are what that interpreter runs,
and nothing else here imports OpenStack's packages.
"""
