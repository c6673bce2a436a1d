"""What RabbitMQ asks before it lets somebody in (rabbitmq_auth_backend_http).

Questions come as HTTP requests, and are answered with ``allow`` or ``deny``.
Decides nothing: the engine does.
"""
