"""AMQP 0-9-1 itself: frames, connections, channels.  Knows nothing of ObjectMQ."""
