"""RabbitMQ's management API, as far as the service needs it.

Over HTTP, with a user of the broker's that has the tag ``administrator``.  Knows
nothing of accounts.
"""

from __future__ import annotations

from stacksync.rabbitmq.management import Management
from stacksync.rabbitmq.policies import ClientQueueLimits

__all__ = ["ClientQueueLimits", "Management"]
