"""The AMQP front-end, module by module, against a real RabbitMQ and a real PostgreSQL."""
