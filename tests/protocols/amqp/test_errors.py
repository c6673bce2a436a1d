"""Each error has the Java class that clients know it by."""

from __future__ import annotations

from uuid import uuid4

import pytest

from stacksync import errors
from stacksync.errors import StackSyncError
from stacksync.protocols.amqp.errors import ErrorNames, MethodNotFound, NoWorkspacesFound, java_name
from stacksync.protocols.amqp.methods.devices import ERRORS as DEVICE_ERRORS
from stacksync.protocols.amqp.methods.workspaces import LIST_ERRORS, UPDATE_ERRORS
from stacksync.protocols.amqp.publisher import MessageRefused

STACKSYNC = "com.stacksync.commons.exceptions."
ILLEGAL = "java.lang.IllegalArgumentException"
RUNTIME = "java.lang.RuntimeException"


@pytest.mark.parametrize(
    ("error", "own", "name"),
    [
        (errors.AccountNotFound("anna"), {}, STACKSYNC + "UserNotFoundException"),
        (errors.NotAuthenticated("who?"), {}, STACKSYNC + "UserNotFoundException"),
        (errors.InvalidRequest("id", "is missing"), {}, ILLEGAL),
        (errors.WorkspaceNotFound(uuid4()), {}, ILLEGAL),
        (errors.Forbidden("viewers look"), {}, ILLEGAL),
        (errors.RequestReused("r", 1, 2), {}, ILLEGAL),
        (errors.CursorExpired(uuid4(), 1, 2, 3), {}, ILLEGAL),
        (errors.Unavailable("database", "away"), {}, RUNTIME),
        (errors.Overloaded("database", "busy"), {}, RUNTIME),
        (MessageRefused("too large"), {}, RUNTIME),
        (MethodNotFound("no"), {}, "java.lang.NoSuchMethodException"),
        (NoWorkspacesFound("none"), LIST_ERRORS, STACKSYNC + "NoWorkspacesFoundException"),
        (errors.DeviceNotFound(uuid4()), DEVICE_ERRORS, STACKSYNC + "DeviceNotUpdatedException"),
        (errors.InvalidRequest("x", "y"), DEVICE_ERRORS, STACKSYNC + "DeviceNotValidException"),
        (errors.AccountNotFound("anna"), DEVICE_ERRORS, STACKSYNC + "UserNotFoundException"),
        (
            errors.WorkspaceNotFound(uuid4()),
            UPDATE_ERRORS,
            STACKSYNC + "WorkspaceNotUpdatedException",
        ),
        (errors.ItemNotFound(7), UPDATE_ERRORS, STACKSYNC + "WorkspaceNotUpdatedException"),
    ],
)
def test_an_error_has_its_java_name(error: StackSyncError, own: ErrorNames, name: str) -> None:
    assert java_name(error, own) == name


def test_the_nearest_class_in_the_methods_table_decides() -> None:
    own: ErrorNames = {errors.NotFound: "any", errors.ItemNotFound: "item"}

    assert java_name(errors.ItemNotFound(1), own) == "item"
    assert java_name(errors.DeviceNotFound(1), own) == "any"
