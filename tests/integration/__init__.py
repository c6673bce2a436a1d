"""User stories, told against real server processes, PostgreSQL and RabbitMQ."""
