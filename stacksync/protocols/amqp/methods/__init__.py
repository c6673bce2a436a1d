"""The methods of ``ISyncService``, by noun (contracts/objectmq.md): fields in, fields out."""
