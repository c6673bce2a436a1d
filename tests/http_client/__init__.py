"""HTTP to other services."""
