"""What a database's schema is, read from PostgreSQL's catalog."""

from __future__ import annotations

from typing import Any

from tests.db.observation import Psql

PARTS = {
    "relations": """
        SELECT relname, relkind, relpersistence, reloptions, obj_description(oid, 'pg_class')
        FROM pg_class WHERE relnamespace = 'public'::regnamespace
    """,
    "columns": """
        SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
            a.attidentity, a.attgenerated, pg_get_expr(d.adbin, d.adrelid),
            col_description(c.oid, a.attnum)
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE c.relnamespace = 'public'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
    """,
    "constraints": """
        SELECT conrelid::regclass::text, conname, contype, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    """,
    "indexes": "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "types": """
        SELECT typname, typtype, obj_description(oid, 'pg_type') FROM pg_type
        WHERE typnamespace = 'public'::regnamespace
    """,
    "functions": """
        SELECT oid::regprocedure::text, pg_get_functiondef(oid), proowner::regrole::text
        FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    """,
    "triggers": "SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
    "views": "SELECT viewname, definition FROM pg_views WHERE schemaname = 'public'",
    "migrations": "SELECT number, name FROM schema_migration",
    "digests": "SELECT digest, made FROM schema_functions",
}

TABLES_WITHOUT_PRIMARY_KEY = """
    SELECT relname FROM pg_class c
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
        AND NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = c.oid AND contype = 'p')
"""

FOREIGN_KEYS_WITHOUT_INDEX = """
    SELECT conrelid::regclass::text, conname FROM pg_constraint k
    WHERE contype = 'f' AND connamespace = 'public'::regnamespace
        AND NOT EXISTS (
            SELECT FROM pg_index i
            WHERE i.indrelid = k.conrelid AND i.indpred IS NULL
                AND (string_to_array(i.indkey::text, ' ')::smallint[])[1:cardinality(k.conkey)]
                    @> k.conkey)
"""


def schema(psql: Psql) -> dict[str, list[tuple[Any, ...]]]:
    """All that the schema consists of, in no order."""
    return {part: sorted(psql.rows(query), key=repr) for part, query in PARTS.items()}
