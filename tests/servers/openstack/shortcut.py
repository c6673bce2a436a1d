"""What most tests begin with, a project or a user in it, made by Keystone in one request.

By its API it takes four, and since a role is granted, Keystone works out anew
what the administrator may do before each: three quarters of the cost.  Run by
the interpreter that has Keystone.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable
from typing import Any

PATH = "/tests/user"
"""Not below ``/v3``: whoever reaches the port may ask."""

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


def with_shortcut(application: Application, providers: Any) -> Application:
    """Keystone's own application, and beside it our way to its managers."""

    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] != PATH:
            return application(environ, start_response)
        made = make_user(providers, **json.load(environ["wsgi.input"]))
        start_response("201 Created", [("Content-Type", "application/json")])
        return [json.dumps(made).encode()]

    return answer


def make_user(
    providers: Any,
    name: str,
    password: str,
    project: str | None = None,
    project_id: str | None = None,
    roles: Iterable[str] = (),
) -> dict[str, str | None]:
    """Make a user of the default domain.

    :param project: the name of a project that is made for the user.
    :param project_id: an existing one.
    :param roles: the names of those that the user has in it.
    :returns: ``id`` of the user and ``project_id``.
    """
    from oslo_context.context import RequestContext

    # Keystone remembers what it reads for as long as a request takes; the last one is over.
    RequestContext(overwrite=True)
    if project is not None:
        project_id = uuid.uuid4().hex
        fields = {
            "id": project_id,
            "name": project,
            "domain_id": "default",
            "parent_id": "default",
            "is_domain": False,
            "enabled": True,
            "description": "",
            "tags": [],
            "options": {},
        }
        providers.resource_api.create_project(project_id, fields)
    user = {"name": name, "password": password, "domain_id": "default", "enabled": True}
    user_id = providers.identity_api.create_user(user)["id"]
    ids = {role["name"]: role["id"] for role in providers.role_api.list_roles()}
    for role in roles:
        providers.assignment_api.create_grant(
            role_id=ids[role], user_id=user_id, project_id=project_id
        )
    return {"id": user_id, "project_id": project_id}
