"""ChannelTokens: whatever is wrong with a token, it is rejected, and only that."""

import base64
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from auth.errors import KeysUnavailable, TokenRejected
from auth.inbound.channel_token import LONGEST_HEADER, MOST_REMEMBERED, ChannelTokens
from auth.inbound.signing_keys import RENEW_AFTER, SigningKeys
from emulator.entra.token_issuer import IssuerKey
from tests.support.bots.cloud_thread import CloudThread
from tests.support.credentials.token_press import TokenPress
from tests.support.timing.clock import Clock
from tests.support.timing.loop_turns import settled
from tests.support.wire.key_publisher import METADATA_URL, KeyPublisher

ISSUER = "https://api.botframework.com"
NOW = 1_800_000_000
HOUR = 3600

Forge = Callable[[TokenPress], str]
"""Makes an Authorization header."""


@pytest.fixture(scope="module")
def press(platform_thread: CloudThread) -> TokenPress:
    """Makes the channel's tokens."""
    return TokenPress(platform_thread.cloud, {"serviceUrl": "https://smba.trafficmanager.net/"})


@pytest.fixture
def publisher(press: TokenPress) -> KeyPublisher:
    """Publishes the channel's key."""
    return KeyPublisher([press.key.jwk()])


@pytest.fixture
def tokens(publisher: KeyPublisher) -> ChannelTokens:
    """It is NOW."""
    return ChannelTokens(SigningKeys(METADATA_URL, publisher), ISSUER, Clock(NOW))


def claims(press: TokenPress, **changes: Any) -> dict[str, Any]:
    """Good claims, valid for an hour from NOW; a change to None leaves the claim out."""
    return press.claims(**{"nbf": NOW, "exp": NOW + HOUR, **changes})


def header(text: str) -> Forge:
    """A header that holds no token of the channel."""
    return lambda _: text


def with_claims(**changes: Any) -> Forge:
    """A token of the channel's key with these claims changed."""
    return lambda press: f"Bearer {press.token(claims(press, **changes))}"


def with_payload(payload: Any) -> Forge:
    """A token of the channel's key with this payload."""
    return lambda press: f"Bearer {press.token(payload)}"


def with_header(**changes: Any) -> Forge:
    """A token of the channel's key with another header."""
    return lambda press: f"Bearer {press.token(claims(press), changes)}"


def framed(template: str) -> Forge:
    """A good token in another frame."""
    return lambda press: template.format(press.token(claims(press)))


def signed(change: Callable[[str], str]) -> Forge:
    """A good token with its signature changed."""

    def forge(press: TokenPress) -> str:
        head, payload, signature = press.token(claims(press)).split(".")
        return f"Bearer {head}.{payload}.{change(signature)}"

    return forge


def other_payload(press: TokenPress) -> str:
    """Another payload under a good token's signature."""
    head, payload, signature = press.token(claims(press)).split(".")
    changed = press.json_part(claims(press, exp=NOW + 9 * HOUR))
    assert changed != payload
    return f"Bearer {head}.{changed}.{signature}"


def not_alphabetical(press: TokenPress) -> str:
    """Characters between those of base64url, which a tolerant decoder passes over."""
    return f"Bearer {press.token(claims(press)).replace('.', '.!', 1)}"


INFINITE_EXP = f'{{"iss": "{ISSUER}", "nbf": {NOW}, "exp": 1e999}}'

ACCEPTED: dict[str, Forge] = {
    "usual": with_claims(),
    "scheme in lower case": framed("bearer {}"),
    "scheme in upper case": framed("BEARER {}"),
    "expired, within the skew": with_claims(exp=NOW - 299),
    "early, within the skew": with_claims(nbf=NOW + 300),
    "dates with fractions": with_claims(nbf=NOW - 0.5, exp=NOW + 0.5),
    "more claims": with_claims(jti="1", ver="2.0", appid=[]),
    "no typ": with_header(typ=None),
}

REJECTED: dict[str, tuple[Forge, str]] = {
    "nothing": (header(""), "no bearer token"),
    "blank": (header(" "), "not a JWT"),
    "scheme alone": (header("Bearer"), "not a JWT"),
    "scheme and a blank": (header("Bearer "), "not a JWT"),
    "dots": (header("Bearer .."), "not a JWT"),
    "garbage": (header("Bearer garbage"), "not a JWT"),
    "garbage in three parts": (header("Bearer a.b.c"), "not a JWT"),
    "too long": (header("Bearer " + "A" * LONGEST_HEADER), "too long"),
    "deep": (
        header(f"Bearer {base64.urlsafe_b64encode(b'[' * 12000).decode()}.AA.AA"),
        "not a JWT",
    ),
    "like a letter": (header("Bearer AAAA.AAAA.\u212aAAA"), "not a JWT"),
    "no scheme": (framed("{}"), "not a JWT"),
    "another scheme": (framed("Basic {}"), "not a JWT"),
    "two blanks": (framed("Bearer  {}"), "not a JWT"),
    "blank before": (framed(" Bearer {}"), "not a JWT"),
    "blank after": (framed("Bearer {} "), "not a JWT"),
    "line end": (framed("Bearer {}\n"), "not a JWT"),
    "two tokens": (framed("Bearer {0} {0}"), "not a JWT"),
    "a list": (framed("Bearer {0}, Bearer {0}"), "not a JWT"),
    "four parts": (framed("Bearer {}.AAAA"), "not a JWT"),
    "padding": (framed("Bearer {}=="), "not a JWT"),
    "scheme not ASCII": (framed("Bea\u0280er {}"), "not a JWT"),
    "not base64url": (not_alphabetical, "not a JWT"),
    "standard base64": (
        signed(lambda text: text.replace("-", "+").replace("_", "/")),
        "not a JWT",
    ),
    "signature with other trailing bits": (
        signed(lambda text: text[:-1] + chr(ord(text[-1]) + 1)),
        "not a JWT",
    ),
    "two parts": (
        lambda press: f"Bearer {press.unsigned({'alg': 'RS256'}, claims(press))}",
        "not a JWT",
    ),
    "no signature": (signed(lambda _: ""), "not a JWT"),
    "signature cut to no bytes": (signed(lambda text: text[:1]), "not a JWT"),
    "signature cut short": (signed(lambda text: text[:-2]), "signature is wrong"),
    "signature changed": (
        signed(lambda text: ("B" if text[0] == "A" else "A") + text[1:]),
        "signature is wrong",
    ),
    "another payload": (other_payload, "signature is wrong"),
    "another key": (
        lambda press: f"Bearer {press.token(claims(press), key=press.other_key)}",
        "signature is wrong",
    ),
    "header a list": (
        lambda press: f"Bearer {press.json_part([])}.{press.json_part({})}.AAAA",
        "not a JWT",
    ),
    "header not JSON": (header("Bearer AAAA.AAAA.AAAA"), "not a JWT"),
    "header not UTF-8": (header("Bearer _w.AAAA.AAAA"), "not a JWT"),
    "payload a list": (with_payload(["iss"]), "not a JWT"),
    "payload a string": (with_payload("iss"), "not a JWT"),
    "payload null": (
        lambda press: f"Bearer {press.unsigned({'alg': 'RS256', 'kid': 'x'}, None)}.AAAA",
        "not a JWT",
    ),
    "payload not JSON": (
        lambda press: f"Bearer {press.json_part({'alg': 'RS256', 'kid': 'x'})}.AAAA.AAAA",
        "not a JWT",
    ),
    "payload empty": (with_payload({}), "issuer"),
    "alg none": (with_header(alg="none"), "algorithm"),
    "alg missing": (with_header(alg=None), "algorithm"),
    "alg a list": (with_header(alg=["RS256"]), "algorithm"),
    "alg in lower case": (with_header(alg="rs256"), "algorithm"),
    "RS512": (lambda press: f"Bearer {press.standard('RS512')}", "algorithm"),
    "PS256": (lambda press: f"Bearer {press.standard('PS256')}", "algorithm"),
    "HS256 with the public key": (
        lambda press: f"Bearer {press.hmac_with_public_key()}",
        "algorithm",
    ),
    "crit": (with_header(crit=["exp"]), "extension"),
    "kid missing": (with_header(kid=None), "names no key"),
    "kid empty": (with_header(kid=""), "names no key"),
    "kid a number": (with_header(kid=1), "names no key"),
    "kid a list": (with_header(kid=[]), "names no key"),
    "kid unknown": (with_header(kid="made up"), "no signing key 'made up'"),
    "kid a path": (with_header(kid="../../dev/null"), "no signing key"),
    "own key in the header": (
        lambda press: f"Bearer {press.token(claims(press), {'kid': 'x', 'jwk': press.key.jwk()})}",
        "no signing key",
    ),
    "iss missing": (with_claims(iss=None), "issuer"),
    "iss another": (with_claims(iss="https://api.botframework.us"), "issuer"),
    "iss with a slash": (with_claims(iss=f"{ISSUER}/"), "issuer"),
    "iss in upper case": (with_claims(iss=ISSUER.upper()), "issuer"),
    "iss a list": (with_claims(iss=[ISSUER]), "issuer"),
    "iss of Entra": (with_claims(iss="https://sts.windows.net/botframework.com/"), "issuer"),
    "exp missing": (with_claims(exp=None), "exp or nbf is missing"),
    "exp a string": (with_claims(exp=str(NOW + HOUR)), "exp or nbf is missing"),
    "exp true": (with_claims(exp=True), "exp or nbf is missing"),
    "exp a list": (with_claims(exp=[NOW + HOUR]), "exp or nbf is missing"),
    "exp not a number": (with_claims(exp=float("nan")), "not a JWT"),
    "exp infinite": (with_claims(exp=float("inf")), "not a JWT"),
    "exp too large for a float": (
        lambda press: f"Bearer {press.token_of(press.part(INFINITE_EXP.encode()))}",
        "exp or nbf is missing",
    ),
    "expired": (with_claims(exp=NOW - 300), "has expired"),
    "expired for long": (with_claims(nbf=0, exp=1), "has expired"),
    "nbf missing": (with_claims(nbf=None), "exp or nbf is missing"),
    "nbf a string": (with_claims(nbf=str(NOW)), "exp or nbf is missing"),
    "early": (with_claims(nbf=NOW + 301), "not valid yet"),
}


@pytest.mark.parametrize("name", ACCEPTED)
async def test_accepted(name: str, tokens: ChannelTokens, press: TokenPress) -> None:
    """A token of the channel is read: its claims, and what its key endorses."""
    token = await tokens.read(ACCEPTED[name](press))
    assert token.claims["aud"] == press.cloud.registration.app_id
    assert token.endorsements == set(press.key.endorsements)


@pytest.mark.parametrize("name", REJECTED)
async def test_rejected(name: str, tokens: ChannelTokens, press: TokenPress) -> None:
    """Everything else is rejected with the one error that means 401, and the reason."""
    forge, reason = REJECTED[name]
    with pytest.raises(TokenRejected, match=reason) as caught:
        await tokens.read(forge(press))
    assert type(caught.value) is TokenRejected


async def test_the_longest_header(tokens: ChannelTokens, press: TokenPress) -> None:
    """A header as long as allowed is read."""
    short = len(with_claims(filler="")(press))
    # Base64 makes four characters of three.
    filler = "x" * ((LONGEST_HEADER - short) * 3 // 4)
    authorization = with_claims(filler=filler)(press)
    assert LONGEST_HEADER - 3 < len(authorization) <= LONGEST_HEADER
    assert (await tokens.read(authorization)).claims["filler"] == filler


async def test_keys_are_not_asked_for_a_hopeless_token(
    tokens: ChannelTokens, publisher: KeyPublisher, press: TokenPress
) -> None:
    """What can be seen to be wrong without a key costs no fetch."""
    needs_a_key = ("signature is wrong", "no signing key")
    for forge, reason in REJECTED.values():
        if not reason.startswith(needs_a_key):
            with pytest.raises(TokenRejected):
                await tokens.read(forge(press))
    assert publisher.fetches == 0


async def test_no_keys(tokens: ChannelTokens, publisher: KeyPublisher, press: TokenPress) -> None:
    """A token that cannot be checked now is not rejected: the channel may come again."""
    publisher.failure = ConnectionError("refused")
    with pytest.raises(KeysUnavailable):
        await tokens.read(ACCEPTED["usual"](press))
    with pytest.raises(TokenRejected):
        await tokens.read(REJECTED["expired"][0](press))


async def test_a_rollover(
    tokens: ChannelTokens, publisher: KeyPublisher, press: TokenPress
) -> None:
    """The first token of a new key is accepted, and none of the withdrawn one any more."""
    old = ACCEPTED["usual"](press)
    assert await tokens.read(old)
    publisher.publish({**press.key.jwk(), "kid": "new"})
    assert await tokens.read(with_header(kid="new")(press))
    with pytest.raises(TokenRejected):
        await tokens.read(old)


class Watched:
    """Tokens whose clocks a test moves, and whose checks of signatures are counted.

    Attributes:
        wall: the clock of dates.
        monotonic: the clock of the keys' age.
        checked: signatures that were checked.
    """

    def __init__(self, publisher: KeyPublisher) -> None:
        self.wall, self.monotonic = Clock(NOW), Clock(1000.0)
        self.checked = 0
        self.keys = SigningKeys(METADATA_URL, publisher, self.monotonic)
        # The keys are the wire here: they stand between the channel and the class under test.
        self.tokens = ChannelTokens(self, ISSUER, self.wall)  # type: ignore[arg-type]
        self._counted: dict[int, Any] = {}

    async def find(self, kid: str) -> Any:
        """The key, which counts its checks; the same for as long as the channel's is the same."""
        key = await self.keys.find(kid)
        if key is None:
            return None
        counted = SimpleNamespace(public_key=self, endorsements=key.endorsements, key=key)
        return self._counted.setdefault(id(key), counted)

    def verify(self, *arguments: Any) -> None:
        """One check, by the channel's newest key."""
        self.checked += 1
        next(reversed(self._counted.values())).key.public_key.verify(*arguments)


@pytest.fixture
def watched(publisher: KeyPublisher) -> Watched:
    """It is NOW, and no token was seen yet."""
    return Watched(publisher)


async def test_a_verified_token_is_remembered(watched: Watched, press: TokenPress) -> None:
    """The signature of a token that comes again is not checked again; the answer is the same."""
    authorization = ACCEPTED["usual"](press)
    first = await watched.tokens.read(authorization)
    for _ in range(20):
        assert await watched.tokens.read(authorization) == first
    assert watched.checked == 1


async def test_a_refused_token_is_not(watched: Watched, press: TokenPress) -> None:
    """What was refused once leaves nothing behind, and is checked again each time."""
    authorization = REJECTED["another key"][0](press)
    for times in (1, 2, 3):
        with pytest.raises(TokenRejected, match="signature is wrong"):
            await watched.tokens.read(authorization)
        assert watched.checked == times
    for forge, _ in REJECTED.values():
        with pytest.raises((TokenRejected, KeysUnavailable)):
            await watched.tokens.read(forge(press))
    assert not watched.tokens._verified


FORGERIES = ["signature cut short", "signature changed", "another payload", "another key"]


@pytest.mark.parametrize("name", FORGERIES)
async def test_a_forgery_of_a_remembered_token(
    name: str, tokens: ChannelTokens, press: TokenPress
) -> None:
    """A remembered token vouches for no other, however much of it they share."""
    assert await tokens.read(ACCEPTED["usual"](press))
    with pytest.raises(TokenRejected, match="signature is wrong"):
        await tokens.read(REJECTED[name][0](press))
    assert await tokens.read(ACCEPTED["usual"](press))


async def test_a_remembered_token_expires(watched: Watched, press: TokenPress) -> None:
    """Its dates count each time, with the skew; once expired, it is forgotten."""
    authorization = ACCEPTED["usual"](press)
    assert await watched.tokens.read(authorization)
    watched.wall.now = NOW + HOUR + 299
    assert await watched.tokens.read(authorization)
    watched.wall.now = NOW + HOUR + 300
    with pytest.raises(TokenRejected, match="has expired"):
        await watched.tokens.read(authorization)
    assert not watched.tokens._verified
    assert watched.checked == 1


async def test_a_remembered_token_before_its_time(watched: Watched, press: TokenPress) -> None:
    """A clock that was set back counts too."""
    authorization = ACCEPTED["usual"](press)
    assert await watched.tokens.read(authorization)
    watched.wall.now = NOW - 301
    with pytest.raises(TokenRejected, match="not valid yet"):
        await watched.tokens.read(authorization)


async def renew(watched: Watched, authorization: str) -> None:
    """Let an hour pass, so that the next read has the keys fetched, and wait for them."""
    watched.monotonic.advance(RENEW_AFTER)
    await watched.tokens.read(authorization)
    await settled()


async def test_new_keys_check_anew(watched: Watched, press: TokenPress) -> None:
    """After a renewal every token is checked once more, although the same keys came."""
    authorization = ACCEPTED["usual"](press)
    await renew(watched, authorization)
    await renew(watched, authorization)
    checked = watched.checked
    for _ in range(5):
        assert await watched.tokens.read(authorization)
    assert watched.checked == checked + 1


async def test_a_key_that_was_removed(
    watched: Watched, publisher: KeyPublisher, press: TokenPress
) -> None:
    """A token is refused, remembered or not, when its key is no longer published."""
    authorization = ACCEPTED["usual"](press)
    assert await watched.tokens.read(authorization)
    publisher.publish({**press.key.jwk(), "kid": "new"})
    await renew(watched, authorization)
    with pytest.raises(TokenRejected, match="no signing key"):
        await watched.tokens.read(authorization)


async def test_a_key_that_was_replaced(
    watched: Watched, publisher: KeyPublisher, press: TokenPress
) -> None:
    """Another key under the same id takes the remembered tokens of the first one along."""
    authorization = ACCEPTED["usual"](press)
    assert await watched.tokens.read(authorization)
    other = IssuerKey(press.key.kid, press.other_key, press.key.endorsements)
    publisher.publish(other.jwk())
    await renew(watched, authorization)
    with pytest.raises(TokenRejected, match="signature is wrong"):
        await watched.tokens.read(authorization)


async def test_endorsements_that_changed(
    watched: Watched, publisher: KeyPublisher, press: TokenPress
) -> None:
    """A remembered token speaks for the channels that its key endorses now."""
    authorization = ACCEPTED["usual"](press)
    assert (await watched.tokens.read(authorization)).endorsements == set(press.key.endorsements)
    publisher.publish({**press.key.jwk(), "endorsements": ["webchat"]})
    await renew(watched, authorization)
    assert (await watched.tokens.read(authorization)).endorsements == {"webchat"}


async def test_a_remembered_token_keeps_the_keys_fresh(
    watched: Watched, publisher: KeyPublisher, press: TokenPress
) -> None:
    """The keys' hourly renewal goes on, although no signature is checked."""
    authorization = ACCEPTED["usual"](press)
    assert await watched.tokens.read(authorization)
    before = publisher.fetches
    await renew(watched, authorization)
    assert publisher.fetches == before + 1


async def test_a_flood_of_tokens(watched: Watched, press: TokenPress) -> None:
    """However many tokens come, few are remembered; one that is in use is among them."""
    in_use = ACCEPTED["usual"](press)
    await watched.tokens.read(in_use)
    for number in range(MOST_REMEMBERED + 50):
        await watched.tokens.read(with_claims(jti=str(number))(press))
        assert len(watched.tokens._verified) <= MOST_REMEMBERED
        await watched.tokens.read(in_use)
    assert watched.checked == 1 + MOST_REMEMBERED + 50
    await watched.tokens.read(with_claims(jti="0")(press))
    assert watched.checked == 2 + MOST_REMEMBERED + 50


async def test_claims_are_read_only(tokens: ChannelTokens, press: TokenPress) -> None:
    """No turn can change the claims that the next one gets."""
    token = await tokens.read(ACCEPTED["usual"](press))
    with pytest.raises(TypeError):
        token.claims["aud"] = "another"  # type: ignore[index]  # what must not be done


@pytest.mark.parametrize("value", [[], {}, ["a"], {"a": 1}], ids=str)
async def test_claims_that_can_be_changed(value: Any, watched: Watched, press: TokenPress) -> None:
    """A token with a claim that a turn could change is read anew each time."""
    authorization = with_claims(more=value)(press)
    first, second = [await watched.tokens.read(authorization) for _ in range(2)]
    assert first.claims["more"] == second.claims["more"] == value
    assert first.claims["more"] is not second.claims["more"]
    assert watched.checked == 2
