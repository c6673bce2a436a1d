"""Signatures are right if application and token have made them, now; if not, all is told alike.

The engine's part is made up here: what is looked up, and whether a nonce is new.
"""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from attrs import define, evolve, field
from oauthlib.oauth1 import SIGNATURE_HMAC_SHA1, SIGNATURE_HMAC_SHA256, SIGNATURE_PLAINTEXT, Client
from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred
from zope.interface.verify import verifyObject

from stacksync.auth.applications import TokenProvider
from stacksync.auth.lookups import AT_ONCE
from stacksync.auth.signature_check import Facts, Step, is_right
from stacksync.auth.signatures import WRONG, SignatureAuthenticator, SignatureReader
from stacksync.auth.signed_parameters import parameters_of
from stacksync.engine.oauth.signers import Nonce, SignerRow
from stacksync.errors import InvalidRequest, NotAuthenticated
from stacksync.interfaces import ISignatureAuthenticator
from stacksync.model import AuditEvent, AuditKind, Scope, SignedRequest, SignIn

NOW = 1_790_000_000
URL = "https://cloud.example.org/api/file?name=a%20b"
METHODS = [SIGNATURE_HMAC_SHA1, SIGNATURE_HMAC_SHA256, SIGNATURE_PLAINTEXT]
KNOWN = SignerRow(
    consumer_secret="consumer's",
    token_secret="token's",
    token_id=uuid4(),
    account_id=uuid4(),
    scope=Scope.READ_ONLY,
)


@define
class Signers:
    """Knows one token, and takes each nonce once."""

    known: SignerRow = KNOWN
    used: list[Nonce] = field(factory=list)

    async def acting(self, consumer_key: str, token_key: str) -> SignerRow:
        if consumer_key != "consumer":
            return SignerRow()
        if token_key != "token":
            return SignerRow(self.known.consumer_secret)
        return self.known

    async def use(self, signer: SignerRow, nonce: Nonce) -> None:
        if nonce in self.used:
            raise NotAuthenticated("used")
        self.used.append(nonce)


@define
class SlowSigners(Signers):
    """Looks up nobody but the one token before the test is over."""

    asked: list[Deferred[SignerRow]] = field(factory=list)

    async def acting(self, consumer_key: str, token_key: str) -> SignerRow:
        if consumer_key != "consumer":
            self.asked.append(Deferred())
            return await self.asked[-1]
        return await super().acting(consumer_key, token_key)

    asking = acting


@define
class Desk:
    """Where signed requests are looked at, and what is told of them."""

    signers: Signers = field(factory=Signers)
    told: list[AuditEvent] = field(factory=list)
    authenticator: SignatureAuthenticator = field(init=False)

    def __attrs_post_init__(self) -> None:
        signers: Any = self.signers
        reader = SignatureReader(300.0, lambda: NOW + 0.5)
        self.authenticator = SignatureAuthenticator(signers, reader, self.told.append)

    async def refused(self, asked: SignedRequest) -> str:
        with pytest.raises(NotAuthenticated) as caught:
            await self.authenticator.authenticate_signed(asked, "192.0.2.1")
        assert self.signers.used == []
        return str(caught.value)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def signed(
    consumer: str = "consumer", token: str | None = "token", secret: str = "token's", **how: Any
) -> SignedRequest:
    how = {"timestamp": str(NOW), "nonce": "n", **how}
    client = Client(
        consumer, "consumer's", resource_owner_key=token, resource_owner_secret=secret, **how
    )
    url, headers, _ = client.sign(URL, "PUT")
    return SignedRequest("PUT", url, headers["Authorization"], "", True)


@ensureDeferred
async def test_strangers_who_sign_do_not_fill_the_database_and_delay_nobody_known() -> None:
    signers = SlowSigners()
    desk = Desk(signers)
    await desk.authenticator.authenticate_signed(signed(), "192.0.2.1")

    waiting = [
        Deferred.fromCoroutine(
            desk.authenticator.authenticate_signed(signed(f"made-up-{number}"), "198.51.100.7")
        )
        for number in range(10)
    ]
    await desk.authenticator.authenticate_signed(signed(nonce="m"), "192.0.2.1")

    assert len(signers.asked) == AT_ONCE
    for number in range(10):
        signers.asked[number].callback(SignerRow())
        with pytest.raises(NotAuthenticated):
            await waiting[number]


def test_strangers_who_ask_for_tokens_do_not_fill_the_database() -> None:
    signers: Any = SlowSigners()
    applications: Any = None
    reader = SignatureReader(300.0, lambda: NOW + 0.5)
    provider = TokenProvider(applications, signers, reader)

    for number in range(10):
        asked = signed(f"made-up-{number}", None, callback_uri="oob")
        asked = evolve(asked, url=URL.partition("?")[0])
        Deferred.fromCoroutine(provider.request_token(asked, "198.51.100.7"))

    assert len(signers.asked) == AT_ONCE


def test_it_is_the_seam_of_the_front_end(desk: Desk) -> None:
    assert verifyObject(ISignatureAuthenticator, desk.authenticator)


def test_the_example_of_the_rfc_is_right() -> None:
    # RFC 5849, section 1.2, with the secrets given there: the last of its requests.
    authorization = (
        'OAuth realm="Photos", oauth_consumer_key="dpf43f3p2l4k3l03",'
        ' oauth_token="nnch734d00sl2jdk", oauth_signature_method="HMAC-SHA1",'
        ' oauth_timestamp="137131202", oauth_nonce="chapoH",'
        ' oauth_signature="MdpQcU8iPSUjWoN%2FUDMsK2sui9I%3D"'
    )
    url = "http://photos.example.net/photos?file=vacation.jpg&size=original"
    asked = SignedRequest("GET", url, authorization, "", False)
    parameters = parameters_of(asked)
    # The example's timestamp has nine digits, as that year had.
    parameters.protocol["oauth_timestamp"] = "0137131202"
    facts = Facts("kd94hf93k423kf44", "pfkkdhi9sl3r4s00")
    assert is_right(Step.ACTING, "GET", parameters, facts, confidential=False)
    assert not is_right(Step.ACTING, "POST", parameters, facts, confidential=False)
    wrong = evolve(facts, token_secret="pfkkdhi9sl3r4s01")
    assert not is_right(Step.ACTING, "GET", parameters, wrong, confidential=False)


@pytest.mark.parametrize("method", METHODS)
@ensureDeferred
async def test_who_has_both_secrets_is_let_in(desk: Desk, method: str) -> None:
    principal = await desk.authenticator.authenticate_signed(
        signed(signature_method=method), "192.0.2.1"
    )
    assert principal.account_id == KNOWN.account_id
    assert principal.grant_id == KNOWN.token_id
    assert (principal.sign_in, principal.scope) == (SignIn.OAUTH, Scope.READ_ONLY)
    assert desk.signers.used == [Nonce("consumer", "token", NOW, "n")]
    assert [event.kind for event in desk.told] == [AuditKind.SIGNED_IN]


@pytest.mark.parametrize("method", METHODS)
@ensureDeferred
async def test_whatever_is_wrong_is_told_alike(desk: Desk, method: str) -> None:
    for wrong in (
        signed("nobody", signature_method=method),
        signed(token="nobody", signature_method=method),
        signed(secret="wrong", signature_method=method),
    ):
        assert await desk.refused(wrong) == WRONG
    assert {event.kind for event in desk.told} == {AuditKind.REFUSED}
    assert all("secret" not in str(event) for event in desk.told)


@ensureDeferred
async def test_a_consumer_without_the_token_s_secret_is_not_let_in(desk: Desk) -> None:
    desk.signers.known = SignerRow("consumer's")
    assert await desk.refused(signed()) == WRONG
    assert await desk.refused(signed(secret="")) == WRONG


@ensureDeferred
async def test_a_replay_is_refused(desk: Desk) -> None:
    await desk.authenticator.authenticate_signed(signed(), "192.0.2.1")
    with pytest.raises(NotAuthenticated, match="used"):
        await desk.authenticator.authenticate_signed(signed(), "192.0.2.1")


@ensureDeferred
async def test_the_clocks_may_differ_by_so_much(desk: Desk) -> None:
    for at in (NOW - 299, NOW + 300):
        await desk.authenticator.authenticate_signed(signed(timestamp=str(at)), "192.0.2.1")
    desk.signers.used.clear()
    desk.told.clear()
    assert "behind" in await desk.refused(signed(timestamp=str(NOW - 300)))
    assert "ahead" in await desk.refused(signed(timestamp=str(NOW + 301)))
    assert [event.kind for event in desk.told] == [AuditKind.REFUSED] * 2
    assert "behind" in desk.told[0].detail["problem"]


@pytest.mark.parametrize(
    ("how", "parameter"),
    [
        ({"timestamp": " 179000000"}, "oauth_timestamp"),
        ({"timestamp": "1_79000000"}, "oauth_timestamp"),
        ({"timestamp": "17900000000"}, "oauth_timestamp"),
        ({"timestamp": "-790000000"}, "oauth_timestamp"),
        ({"nonce": "x" * 129}, "oauth_nonce"),
        ({"nonce": "a b"}, "oauth_nonce"),
        ({"nonce": "ä"}, "oauth_nonce"),
        ({"nonce": "\x00"}, "oauth_nonce"),
        ({"consumer": "x" * 101}, "oauth_consumer_key"),
        ({"token": "\x00"}, "oauth_token"),
        ({"token": None}, "oauth_token"),
        ({"signature_method": "HMAC-SHA512"}, "oauth_signature_method"),
    ],
)
@ensureDeferred
async def test_what_is_not_as_it_must_be_is_refused_by_name(
    desk: Desk, how: dict[str, Any], parameter: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        await desk.authenticator.authenticate_signed(signed(**how), "192.0.2.1")
    assert caught.value.field == parameter
    (told,) = desk.told
    assert (told.kind, told.address, told.sign_in) == (
        AuditKind.REFUSED, "192.0.2.1", SignIn.OAUTH,
    )  # fmt: skip
    assert told.detail == {"problem": "not as it must be"}, "and nothing that a stranger made up"


@ensureDeferred
async def test_plaintext_is_for_ways_that_nobody_listens_on(desk: Desk) -> None:
    asked = evolve(signed(signature_method=SIGNATURE_PLAINTEXT), is_confidential=False)
    with pytest.raises(InvalidRequest) as caught:
        await desk.authenticator.authenticate_signed(asked, "192.0.2.1")
    assert caught.value.field == "oauth_signature_method"
    hashed = evolve(signed(), is_confidential=False)
    await desk.authenticator.authenticate_signed(hashed, "192.0.2.1")
