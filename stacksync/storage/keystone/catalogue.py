"""The service catalogue: where OpenStack's services are.

https://docs.openstack.org/api-ref/identity/v3/#service-catalog-and-endpoints
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from attrs import frozen

from stacksync.storage.keystone.failures import KeystoneRefuses

OBJECT_STORE = "object-store"


@frozen
class Catalogue:
    """The catalogue that came with a token, as Keystone gives it."""

    _services: Sequence[dict[str, Any]]

    def object_store(self, interface: str, region: str = "") -> str:
        """The URL of the project's account in the object store, without a slash at its end.

        :param interface: ``public``, ``internal`` or ``admin``.
        :param region: empty: the first region there is.
        :raises KeystoneRefuses: there is none; the message names those that there are.
        """
        endpoints = list(self._endpoints(OBJECT_STORE))
        for endpoint in endpoints:
            if endpoint.get("interface") == interface and region in ("", _region(endpoint)):
                return str(endpoint["url"]).rstrip("/")
        where = f" in region {region}" if region else ""
        listed = sorted(
            f"{endpoint.get('interface')} in {_region(endpoint)}" for endpoint in endpoints
        )
        raise KeystoneRefuses(
            f"the catalogue has no {interface} endpoint of an {OBJECT_STORE}{where}"
            f" ([keystone] interface, region); it has: {', '.join(listed) or 'none at all'}"
        )

    def _endpoints(self, kind: str) -> Iterator[dict[str, Any]]:
        for service in self._services:
            if service.get("type") == kind:
                yield from service.get("endpoints", ())


def _region(endpoint: dict[str, Any]) -> str:
    return str(endpoint.get("region_id") or endpoint.get("region") or "")
