"""The layer of TLS: certificates, what is offered and refused, trust, reload."""
