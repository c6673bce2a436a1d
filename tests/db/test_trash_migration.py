"""Deletions from before the trash was there can be told apart and restored."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from stacksync.db.migrations import migrate
from tests.db.observation import Psql

ITEMS = """
    INSERT INTO item (id, parent_id, name, is_folder, status, revision, workspace_id, version,
            created_revision, size, checksum, chunks, device_id, modified_at)
        SELECT id, parent, name, folder, status, revision,
            '00000000-0000-0000-0000-000000000001', 2, 1, 0, 0, '{}',
            '00000000-0000-0000-0000-000000000002', now()
        FROM (VALUES
            (1, NULL, 'docs', true, 'DELETED', 9),
            (2, 1, 'old', true, 'DELETED', 9),
            (3, 2, 'letter', false, 'DELETED', 9),
            (4, 1, 'note', false, 'DELETED', 8),
            (5, 1, 'twin', false, 'DELETED', 9),
            (6, 1, 'twin', false, 'DELETED', 9),
            (7, NULL, 'live', true, 'NEW', 7),
            (8, 7, 'gone', true, 'DELETED', 6),
            (9, 8, 'with it', false, 'DELETED', 6),
            (10, 7, 'here', false, 'NEW', 6)
        ) v (id, parent, name, folder, status, revision);
"""


@pytest.fixture
def before(empty_database_dsn: str) -> Iterator[Psql]:
    with closing(Psql(empty_database_dsn)) as session:
        yield session


def test_what_went_along_with_its_folder_is_found_by_the_revision(before: Psql) -> None:
    migrate(before.dsn, up_to=1)
    before.rows(ITEMS)
    migrate(before.dsn)
    found = dict(before.rows("SELECT id, deleted_with FROM item ORDER BY id"))
    assert found == {
        1: None, 2: 1, 3: 1, 4: None, 5: None, 6: 1, 7: None, 8: None, 9: 8, 10: None,
    }  # fmt: skip
