"""The metadata database: all SQL, and the only users of psycopg2 and txpostgres.

One file per noun, each a thin layer of statements that return model objects.
What may be done, and by whom, is not decided here: see ``stacksync.engine``.
"""
