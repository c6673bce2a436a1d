"""What is missing in OpenStack for the service to do its work, in words for the operator.

Each problem names what is wrong and the command that puts it right.  Nothing
is changed by looking.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from attrs import define, field

from stacksync.errors import Unavailable
from stacksync.http_client import Answer, NoAnswer, WebSession
from stacksync.storage.keystone.api import reason
from stacksync.storage.keystone.failures import CA_OPTION, KeystoneRefuses
from stacksync.storage.keystone.roles import UserRole
from stacksync.storage.keystone.service import UNAUTHORIZED, Keystone
from stacksync.storage.keystone.token import Token

OPERATORS = {"admin", "swiftoperator", "ResellerAdmin"}
"""Roles that open every container of a project, as Swift's ``operator_roles`` and
``reseller_admin_role`` are as a rule."""

CREATED, FORBIDDEN, NOT_FOUND, CONFLICT = 201, 403, 404, 409


@define
class Diagnosis:
    """What was found.

    :ivar problems: what has to be put right.
    :ivar notes: what is as it should be.
    """

    problems: list[str] = field(factory=list)
    notes: list[str] = field(factory=list)


async def diagnose(reactor: Any, keystone: Keystone) -> Diagnosis:
    """Look at everything that can be looked at; never raises for what it finds."""
    found = Diagnosis()
    try:
        if await _answers(keystone, found):
            token = await _signed_in(keystone, found)
            if token is not None:
                await _rights(keystone, token, found)
                await _user_role(keystone, found)
                await _object_store(reactor, keystone, token, found)
    except Unavailable as error:
        found.problems.append(str(error))
    return found


async def _answers(keystone: Keystone, found: Diagnosis) -> bool:
    url = keystone.config.url
    try:
        answer = await keystone.api.request("GET", "")
        version = answer.json()["version"]["id"] if answer.ok else answer.told
    except NoAnswer as error:
        found.problems.append(f"{error}. Is [keystone] url right?")
        return False
    except (KeyError, TypeError):
        version = "something else"
    if not version.startswith("v3"):
        found.problems.append(
            f"keystone: at {url} is no Keystone v3, but {version}."
            " [keystone] url ends in /v3 as a rule; see: openstack endpoint list --service keystone"
        )
        return False
    found.notes.append(f"keystone: {url} answers ({version})")
    return True


async def _signed_in(keystone: Keystone, found: Diagnosis) -> Token | None:
    config, us = keystone.config, keystone.credentials
    answer = await keystone.api.request("POST", "/auth/tokens", json=us.request())
    if answer.ok:
        token = await keystone.present()
        found.notes.append(f"keystone: knows the {us}")
        return token
    if answer.status != UNAUTHORIZED:
        found.problems.append(f"keystone: {answer.told} to the {us}: {reason(answer)}")
        return None
    if us.is_application_credential:
        found.problems.append(
            f"keystone: refuses the {us}: wrong id or secret, or expired. Make one as the service's"
            " user: openstack application credential create stacksync"
        )
        return None
    unscoped = await keystone.api.request("POST", "/auth/tokens", json=us.request(scoped=False))
    if unscoped.ok:
        found.problems.append(
            f"keystone: the password of {config.username} is right, but there is no project"
            f" {config.project} in domain {config.project_domain}, or {config.username} has no"
            f" role in it: openstack project create --domain {config.project_domain}"
            f" {config.project}; openstack role add --user {config.username} --user-domain"
            f" {config.user_domain} --project {config.project} --project-domain"
            f" {config.project_domain} admin"
        )
    else:
        found.problems.append(
            f"keystone: no user {config.username} in domain {config.user_domain} with the password"
            " of [keystone], or the user is disabled: openstack user create --domain"
            f" {config.user_domain} --password-prompt {config.username}"
            f" (openstack user set --password-prompt {config.username}, if there is one)"
        )
    return None


async def _rights(keystone: Keystone, token: Token, found: Diagnosis) -> None:
    """Look for users, and make one who is there already: refused for one reason or the other."""
    listed = await keystone.request(
        "GET", "/users", query={"name": token.user_name, "domain_id": token.user_domain_id}
    )
    made = await keystone.request(
        "POST",
        "/users",
        json={"user": {"name": token.user_name, "domain_id": token.user_domain_id}},
    )
    if made.status == CREATED:
        # Ourselves under our own name: a Keystone whose backend lets that be.
        await keystone.request("DELETE", f"/users/{made.json()['user']['id']}")
    lacking = list(_lacking(listed, made))
    if lacking:
        roles = ", ".join(sorted(token.roles)) or "none"
        found.problems.append(
            f"keystone: {token.user_name} may not {' nor '.join(lacking)} in domain"
            f" {keystone.config.user_domain}; roles in the project: {roles}."
            f" {_role_add(keystone, token, 'admin')}"
        )
    else:
        found.notes.append(f"keystone: {token.user_name} may look for and make users")


def _lacking(listed: Answer, made: Answer) -> Iterator[str]:
    if listed.status == FORBIDDEN:
        yield "look for users"
    if made.status not in (CONFLICT, CREATED):
        yield "make users"


async def _user_role(keystone: Keystone, found: Diagnosis) -> None:
    name = keystone.config.user_role
    try:
        role = await UserRole(keystone).id()
    except KeystoneRefuses as error:
        found.problems.append(f"{error}. It needs the role admin in the project")
        return
    if role is None:
        found.problems.append(
            f"keystone: there is no role {name} ([keystone] user_role):"
            f" openstack role create {name}"
        )
    elif name in OPERATORS:
        found.problems.append(
            f"keystone: users get the role {name} ([keystone] user_role), which opens every"
            " container of the project to them. Use one that Swift's operator_roles does not"
            " name, such as member"
        )
    else:
        found.notes.append(
            f"keystone: users get the role {name}, which must not be one of Swift's operator_roles"
        )


async def _object_store(reactor: Any, keystone: Keystone, token: Token, found: Diagnosis) -> None:
    config = keystone.config
    for interface in dict.fromkeys((config.interface, "public")):
        try:
            url = token.catalogue.object_store(interface, config.region)
        except KeystoneRefuses as error:
            region = f"--region {config.region} " if config.region else ""
            found.problems.append(
                f"{error}. openstack endpoint create {region}object-store {interface}"
                " 'https://HOST/v1/AUTH_%(tenant_id)s'"
            )
        else:
            found.notes.append(f"keystone: the {interface} object store is {url}")
            if interface == config.interface:
                await _account(reactor, keystone, token, url, found)


async def _account(
    reactor: Any, keystone: Keystone, token: Token, url: str, found: Diagnosis
) -> None:
    config = keystone.config
    session = WebSession(
        reactor, "storage", config.timeout, ca_file=config.ca_file, ca_option=CA_OPTION
    )
    try:
        answer = await session.request(
            "HEAD", url, headers={"X-Auth-Token": await keystone.token()}
        )
    except NoAnswer as error:
        found.problems.append(
            f"{error}. Is the catalogue's endpoint right? openstack endpoint list"
        )
        return
    finally:
        await session.close()
    if answer.ok:
        found.notes.append(f"storage: {token.user_name} operates the account at {url}")
    elif answer.status == FORBIDDEN:
        found.problems.append(
            f"storage: {token.user_name} may not operate the account at {url}: no role that"
            f" Swift's operator_roles names. {_role_add(keystone, token, 'swiftoperator')}"
        )
    elif answer.status == UNAUTHORIZED:
        found.problems.append(
            f"storage: {answer.told} to a token that Keystone has just made: Swift asks another"
            " Keystone, or can't ask it ([filter:authtoken] in its proxy-server.conf)"
        )
    elif answer.status == NOT_FOUND:
        found.problems.append(
            f"storage: there is no account at {url}: account_autocreate = true in Swift's"
            " proxy-server.conf makes them"
        )
    else:
        found.problems.append(f"storage: {answer.told}")


def _role_add(keystone: Keystone, token: Token, role: str) -> str:
    config = keystone.config
    project = token.project_id if keystone.credentials.is_application_credential else config.project
    return (
        f"openstack role add --user {token.user_name} --user-domain {config.user_domain}"
        f" --project {project} --project-domain {config.project_domain} {role}"
    )
