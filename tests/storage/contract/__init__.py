"""What every store must do, as classes of tests: see :class:`~tests.storage.contract.rig.Rig`.

A store's own test module takes them all over with a fixture ``rig``::

    class TestObjects(ObjectContract): ...
"""
