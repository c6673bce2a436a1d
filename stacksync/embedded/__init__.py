"""The embedded default: the servers that StackSync brings along when nobody has set up any.

PostgreSQL comes from a Python package, RabbitMQ from the system.  Both are
separate processes that outlive a killed service, keep everything below one
state directory, and never listen beyond this machine.

Programs that start servers have to wait; the blocking parts are plain classes
(:class:`~stacksync.embedded.cluster.Cluster`,
:class:`~stacksync.embedded.node.Node`) that run in a thread, and the tests use
them as well.  Nothing here knows SQL or AMQP beyond "does it answer".
"""
