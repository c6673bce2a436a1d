"""StackSync: the synchronisation service of a self-hosted personal cloud.

The layers, from the bottom: ``errors``, ``model``, ``events``, ``interfaces``;
``config``, ``log``, ``metrics``; ``db``; ``engine``, ``auth``; ``protocols``;
``service``, ``admin_cli``, ``embedded``.  A module imports only from lower
layers (``tests/test_layering.py``).
"""

__version__ = "0.1.0"
