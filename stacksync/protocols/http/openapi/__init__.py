"""The OpenAPI 3.1 description of the HTTP API, for those who write clients or generate them.

Written by hand next to the resources that it describes: one module for each
noun, put together in ``document`` and served by ``resource``.  Describes, and
decides nothing; the tests compare it with the resources and their answers.
"""
