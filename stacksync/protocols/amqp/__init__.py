"""The AMQP front-end: ObjectMQ over RabbitMQ (docs/amqp.rst).

The only user of txAMQP, whose faults are worked round in ``connection``.
"""
