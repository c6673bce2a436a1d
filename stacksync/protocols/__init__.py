"""The front-ends: each decodes its wire format, calls the engine, and encodes.

A front-end knows neither the database nor the object store nor another
front-end.
"""
