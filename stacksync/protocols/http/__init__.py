"""The HTTP front-end: the REST API and its event streams (contracts/rest.md).

Decodes strictly, calls the engine, maps domain errors by one table
(``errors``), encodes.  No rule of the domain lives here.
"""
