"""Soak: one bot under load, while the local cloud around it goes through a bad minute."""

import asyncio
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa

from bot_workbench.credential_kinds import SIGN_IN_VAULT
from bot_workbench.emulator.cloud import CERTIFICATE_NAME, READER_PERMISSIONS, Cloud
from bot_workbench.emulator.entra.token_issuer import RSA_BITS, IssuerKey, TokenIssuer
from tests.support.bots.bot_process import BotProcess
from tests.support.bots.patched_bot import patched
from tests.support.load.turn_load import Turn, TurnLoad, replies_at, reply_to

RATE = 102.0
"""Turns in a second."""

SECONDS = 62.0
"""How long they come."""

CHECK_EVERY = 2.0
"""Seconds between two looks at the certificate's versions, in place of the bot's 300."""

PATCH = f"""
from auth.certificates import versions
from auth.outbound.token_provider import TokenProvider
versions.CHECK_INTERVAL_SECONDS = {CHECK_EVERY}
TokenProvider.prefetch = lambda provider, audience: None
"""
"""The timeline counts from the first turn: nobody signs in before it."""

LAG = 10.0
"""Seconds from a new certificate in the vault until Entra knows it."""

FIRST_LIFETIME = 70
"""Seconds that the first token lives: served for 10, renewed from 6.7 on."""

ENTRA_CLOSED = re.compile(r"No new token \(the sign-in endpoint .* does not answer")
"""The bot's log, once for each renewal that found a closed port."""

SIGNED_WITH = re.compile(r"Signs in with the certificate ([0-9A-F]{40})")
"""The bot's log, once for each certificate that it goes over to."""

Deed = Callable[[], Awaitable[object] | None]


@dataclass(frozen=True)
class Outcome:
    """The findings of a soak.

    Attributes:
        credential: how the bot signed in.
        turns: all that were delivered.
        seconds: from the first to the last answer.
        replies: messages that arrived at the connector, by their text.
        strangers: calls at the connector without a token of this bot, or refused.
        unknown_key: status of the turn whose key nobody had published.
        entra: token requests at Entra: `issued`, or the AADSTS code of the refusal.
        entra_closed: token requests that found Entra's port closed.
        identity_issued, identity_failed: token requests at the identity endpoint.
        vault: operations by the name of their permission.
        key_fetches: of the channel's key set.
        used: the certificates' thumbprints (SHA-1 in hex) in the order of their use.
        certificates: all that there were, oldest first.
        facts: what `GET /api/identity` said at the end.
    """

    credential: str
    turns: list[Turn]
    seconds: float
    replies: Counter[str]
    strangers: int
    unknown_key: int
    entra: Counter[str]
    entra_closed: int
    identity_issued: int
    identity_failed: int
    vault: Counter[str]
    key_fetches: int
    used: list[str]
    certificates: list[str]
    facts: dict[str, Any]

    @property
    def failed(self) -> list[Turn]:
        """Turns that were not answered 200."""
        return [turn for turn in self.turns if not turn.ok]

    @property
    def lost(self) -> list[str]:
        """Messages without a reply."""
        return [turn.text for turn in self.turns if not self.replies[reply_to(turn.text)]]

    @property
    def repeated(self) -> list[str]:
        """Messages with more than one reply, and what is no reply to any."""
        once = Counter(reply_to(turn.text) for turn in self.turns)
        return list(self.replies - once)


class Soak:
    """One credential's minute.

    Tokens that live an hour would not be renewed in it. So their lifetime is set such that the
    renewals fall into the faults: a token that lives for L seconds serves for L - 60, and is
    renewed from the sooner of L / 2 and (L - 60) * 2 / 3 on.

    Args:
        credential: how the bot signs in.
        folder: its own.
        log: file that takes the bot's.
    """

    def __init__(self, credential: str, folder: Path, log: Path) -> None:
        folder.mkdir()
        self._folder = folder
        self._log = log
        self._cloud = Cloud(folder, credential)
        self._rotates = credential in READER_PERMISSIONS
        # Made ahead: this takes time, in which the local cloud would stand still.
        self._spare = [rsa.generate_private_key(65537, RSA_BITS) for _ in range(2)]
        self._unknown_key, self._next_key = (_key_of(self._cloud.channel.issuer) for _ in range(2))
        self._unknown_key_status = 0

    async def run(self, begin: asyncio.Barrier) -> Outcome:
        """Start the bot, wait for the others', and go through the minute."""
        cloud = self._cloud
        cloud.entra.token_lifetime = FIRST_LIFETIME
        await cloud.start()
        try:
            async with self._bot() as bot, TurnLoad(cloud, bot.messages) as load:
                await begin.wait()
                await load.deliver("the first, which signs in")
                minute = asyncio.create_task(self._bad_minute(load))
                seconds = await load.run(SECONDS, RATE)
                await minute
                facts = await _facts(bot)
            return self._outcome(load, seconds, facts)
        finally:
            await cloud.stop()

    def _bot(self) -> BotProcess:
        return BotProcess(self._cloud.settings() | patched(self._folder, PATCH), self._log)

    async def _bad_minute(self, load: TurnLoad) -> None:
        now = asyncio.get_running_loop().time
        start = now()
        for second, deed in self._timeline(load):
            await asyncio.sleep(max(0.0, start + second - now()))
            done = deed()
            if done is not None:
                await done

    def _timeline(self, load: TurnLoad) -> list[tuple[float, Deed]]:
        cloud = self._cloud
        identity = cloud.identity.server.faults
        return [
            (2, self._rotate),
            # The renewal at 6.7 s: Entra does not know the new certificate, the old one signs in.
            (5, lambda: self._tokens_live(107)),
            (9, lambda: self._tokens_live(75)),
            (10, cloud.channel.server.stop),
            (12, lambda: self._meet_stranger(load)),
            (14, self._withdraw_old),
            (16, self._roll_keys),
            (18, lambda: self._keys_are_back(load)),
            (20, cloud.entra.server.stop),
            (30, lambda: self._tokens_live(82)),
            # The renewal at 38.0 s, again at 39.0 and, with success, 41.0 s. A managed identity's
            # succeeds at once.
            (36, self._rotate),
            (40, cloud.entra.server.start),
            (40, lambda: self._tokens_live(78)),
            (46, lambda: identity.set(status=500)),
            (48, self._withdraw_old),
            # The renewals at 53.0 s; a managed identity's from 52.7 s on; those of the vault's
            # token when versions are next looked for, shortly after 56 s at the latest.
            (50, lambda: self._tokens_live(3599)),
            (58, identity.clear),
        ]

    def _tokens_live(self, seconds: int) -> None:
        self._cloud.entra.token_lifetime = seconds

    def _rotate(self) -> None:
        if self._rotates:
            exportable = self._cloud.credential != SIGN_IN_VAULT
            version = self._cloud.vault.inventory.add_version(
                CERTIFICATE_NAME, key=self._spare.pop(), exportable=exportable
            )
            self._cloud.registration.register(version.certificate, after=LAG)

    def _withdraw_old(self) -> None:
        self._cloud.registration.withdraw_old()

    async def _meet_stranger(self, load: TurnLoad) -> None:
        self._unknown_key_status = await load.status_for(self._unknown_key)

    def _roll_keys(self) -> None:
        self._cloud.channel.issuer.keys = [self._next_key]

    async def _keys_are_back(self, load: TurnLoad) -> None:
        await self._cloud.channel.server.start()
        await load.go_over_to_new_key()

    def _outcome(self, load: TurnLoad, seconds: float, facts: dict[str, Any]) -> Outcome:
        cloud, log = self._cloud, self._log.read_text()
        calls, app_id = cloud.connector.calls, cloud.registration.app_id
        identity_issued = cloud.entra.tokens_issued - cloud.entra.token_outcomes["issued"]
        versions = cloud.vault.inventory.versions.get(CERTIFICATE_NAME, [])
        return Outcome(
            credential=cloud.credential,
            turns=load.turns,
            seconds=seconds,
            replies=replies_at(cloud.connector),
            strangers=sum(not call.verified or call.appid != app_id for call in calls),
            unknown_key=self._unknown_key_status,
            entra=cloud.entra.token_outcomes,
            entra_closed=len(ENTRA_CLOSED.findall(log)),
            identity_issued=identity_issued,
            identity_failed=cloud.identity.server.requests.total() - identity_issued,
            vault=cloud.vault.operations,
            key_fetches=cloud.channel.server.requests["GET /v1/.well-known/keys"],
            used=SIGNED_WITH.findall(log),
            certificates=[_thumbprint(version.certificate) for version in versions],
            facts=facts,
        )


def _key_of(issuer: TokenIssuer) -> IssuerKey:
    """A new key of an authority, which does not publish it yet."""
    published = issuer.keys
    made = issuer.roll()
    issuer.keys = published
    return made


def _thumbprint(certificate: x509.Certificate) -> str:
    return certificate.fingerprint(hashes.SHA1()).hex().upper()  # noqa: S303  # a name only


async def _facts(bot: BotProcess) -> dict[str, Any]:
    async with aiohttp.ClientSession() as session, session.get(f"{bot.url}/api/identity") as answer:
        facts: dict[str, Any] = await answer.json()
        return facts
