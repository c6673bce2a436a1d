"""The seams between the layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zope.interface import Attribute, Interface

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stacksync.events import Event
    from stacksync.model import (
        BlobInfo,
        ClientExchange,
        ContainerAccess,
        Principal,
        SignedRequest,
        TokenCredentials,
    )


class IEventSink(Interface):
    """A front-end's way to tell devices what happened."""

    name = Attribute("What to call this sink in the log (str).")

    async def announce(event: Event) -> None:
        """Tell the event to every device of this front-end that it concerns.

        Returns when the telling is as sure as this front-end can make it
        (AMQP: confirmed by the broker).

        :raises stacksync.errors.Unavailable: the front-end cannot tell anybody now.
        """


class IAuthenticator(Interface):
    """Proves who stands behind a pair of e-mail and password."""

    async def authenticate(email: str, password: str, address: str) -> Principal:
        """The principal that these credentials belong to.

        :param address: where the request came from, for slowing down guessers.
        :raises stacksync.errors.NotAuthenticated: unknown e-mail or wrong
            password; the two are told alike, and after a delay.
        :raises stacksync.errors.TooManyRequests: too many failures lately.
        """


class ITokenAuthenticator(Interface):
    """Knows who stands behind a token: one of ours, or of the identity service."""

    async def authenticate_token(token: str, address: str) -> Principal:
        """The principal that this token belongs to.

        :param address: where the request came from, for slowing down guessers.
        :raises stacksync.errors.NotAuthenticated: it is no token, or an expired or
            revoked one, or one of somebody without an account.
        :raises stacksync.errors.TooManyRequests: too many failures lately.
        :raises stacksync.errors.Unavailable: the identity service is away.
        """


class ISignatureAuthenticator(Interface):
    """Knows who stands behind a request that an application has signed (RFC 5849)."""

    async def authenticate_signed(request: SignedRequest, address: str) -> Principal:
        """The principal that the access token of this request belongs to.

        :param address: where the request came from, for slowing down guessers.
        :raises stacksync.errors.NotAuthenticated: signature, token, nonce or timestamp
            is not right; the message says which.
        :raises stacksync.errors.InvalidRequest: it can't be told what was signed.
        :raises stacksync.errors.TooManyRequests: too many failures lately.
        """


class IBrokerLogins(Interface):
    """Knows who may log in to the broker."""

    async def allows(login: str, password: str) -> bool:
        """Whether this is a login with a password that is right.

        Neither a wrong password nor an unknown login is an error.

        :raises stacksync.errors.Unavailable: the database is away.
        """


class IClientTopology(Interface):
    """What has to be right at the broker before clients may do something there."""

    async def prepare(exchange: ClientExchange) -> None:
        """See to it that an exchange is there, as we would declare it.

        Otherwise who comes first could make it something else; requests sent to it
        come to us.

        :raises stacksync.errors.Unavailable: the broker is away, or does not do it.
        """

    async def is_exclusive(queue: str) -> bool:
        """Whether a queue ends with the connection that it belongs to.

        :raises stacksync.errors.Unavailable: the broker is away, or does not tell.
        """


class ITokenProvider(Interface):
    """Gives applications tokens for requests that they have signed (RFC 5849, section 2)."""

    async def request_token(request: SignedRequest, address: str) -> TokenCredentials:
        """Temporary credentials, with which the application sends a person to us.

        :param address: where the request came from, for the audit.
        :raises stacksync.errors.NotAuthenticated: signature, nonce or timestamp is not right.
        :raises stacksync.errors.InvalidRequest: it can't be told what was signed, or it asks
            for what no application gets.
        :raises stacksync.errors.Forbidden: others could read the answer.
        """

    async def access_token(request: SignedRequest, address: str) -> TokenCredentials:
        """What the application acts with for the person who has allowed it.

        :param address: where the request came from, for the audit.
        :raises stacksync.errors.NotAuthenticated: signature, nonce, timestamp, token or
            verifier is not right, or nobody has allowed it.
        :raises stacksync.errors.InvalidRequest: it can't be told what was signed.
        :raises stacksync.errors.Forbidden: others could read the answer.
        """


class IPasswordChanges(Interface):
    """Gives accounts other passwords, wherever those are kept."""

    async def change(principal: Principal, password: str) -> int:
        """Give the principal's account another password; all its tokens end.

        :returns: how many tokens that were.
        :raises stacksync.errors.Forbidden: the principal did not sign in with the password.
        :raises stacksync.errors.InvalidRequest: the new one will not do; says what would.
        :raises stacksync.errors.Conflict: it is kept where we can't change it; says where.
        :raises stacksync.errors.TooManyRequests: too many passwords are being hashed.
        :raises stacksync.errors.Unavailable: who keeps it is away.
        """


class IBrokerConnections(Interface):
    """The connections that devices have to the broker, and what outlives them there."""

    async def close(login: str, reason: str) -> None:
        """End all connections that were made under this login, if there are any.

        :raises stacksync.errors.Unavailable: the broker does not do it now.
        """

    async def remove_queues(texts: Sequence[str]) -> None:
        """Remove the queues that have one of these texts in their name, whatever its case.

        But for those that end with a connection.

        :raises stacksync.errors.Unavailable: the broker does not do it now.
        """


class IAccessControl(Interface):
    """A store whose containers people may reach themselves, with what they are allowed there.

    Grantees are users' ids in the identity service.  Whoever else is on a
    container's access list, or has access by other means, is left alone.
    """

    async def access(container: str) -> ContainerAccess:
        """Who may read and write, as the store has it.

        :raises stacksync.errors.ContainerNotFound: no such container.
        """

    async def set_access(container: str, access: ContainerAccess) -> None:
        """Let exactly these users read and write, and keep the quota with the container.

        Changes nothing where it is so already.

        :raises stacksync.errors.ContainerNotFound: no such container.
        :raises stacksync.errors.InvalidRequest: more users than an access list holds.
        """


class IHealthCheck(Interface):
    """A part that readiness depends on."""

    part = Attribute("What to call the part: ``database``, ``broker`` (str).")

    async def check() -> None:
        """Return if the part works now.

        :raises stacksync.errors.Unavailable: it does not; the message says why.
        """


class IByteStream(Interface):
    """Bytes that come piece by piece, when they are asked for.

    Who reads sets the pace: nothing is read ahead of demand but a bounded
    buffer.  One call at a time.
    """

    async def read() -> bytes:
        """The next piece, of any size up to :data:`stacksync.streams.PIECE`; ``b""`` at the end.

        :raises stacksync.errors.StackSyncError: the source failed; there is no more.
        """

    async def close() -> None:
        """Give up what is held for reading.  May be called at any time, and twice."""


class IBlobStore(Interface):
    """Where the bytes of chunks are kept: containers of named, immutable objects.

    A container belongs to one workspace.  Names of containers and objects are
    1 to 255 bytes of UTF-8 without ``/`` and NUL, and not ``.`` or ``..``;
    others raise :class:`~stacksync.errors.InvalidRequest`.  Every operation
    raises :class:`~stacksync.errors.Unavailable` (part ``storage``) when the
    store is away, full or too slow; a container that is not there is
    :class:`~stacksync.errors.ContainerNotFound`.
    """

    async def create_container(container: str) -> None:
        """Make a container, unless it is there."""

    async def delete_container(container: str) -> None:
        """Remove a container with all that is in it, if it is there."""

    async def put(container: str, name: str, body: IByteStream) -> BlobInfo:
        """Keep the body under a name; an object that has the name is replaced.

        All or nothing: when it returns, the object outlives a power failure;
        when it raises (also what reading the body raises) or is cancelled,
        what was there before is there still.
        """

    async def get(
        container: str, name: str, start: int = 0, stop: int | None = None
    ) -> IByteStream:
        """Read an object, or the bytes from ``start`` up to but not including ``stop``.

        A range that goes beyond the end gets what there is.

        :raises stacksync.errors.ChunkNotFound: no such object.
        """

    async def head(container: str, name: str) -> BlobInfo | None:
        """What is known of an object, or ``None`` if there is none."""

    async def refresh(container: str, name: str) -> BlobInfo | None:
        """Like :meth:`head`, and the object counts as stored just now.

        Garbage collection spares what is young.
        """

    async def delete(container: str, name: str) -> bool:
        """Remove an object; whether it was there."""

    async def copy(container: str, name: str, to_container: str) -> BlobInfo:
        """Put the same object into another container, by the store's own means.

        :raises stacksync.errors.ChunkNotFound: no such object.
        """

    async def list(container: str, after: str = "", limit: int = 1000) -> Sequence[BlobInfo]:
        """At most ``limit`` objects whose names follow ``after`` in the byte order of names."""

    async def containers(after: str = "", limit: int = 1000) -> Sequence[str]:
        """At most ``limit`` names of containers that follow ``after``, in their byte order."""
