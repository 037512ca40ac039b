"""BenchmarkCloud: the local cloud for one credential, with a connector for the load."""

import dataclasses
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import Encoding

from benchmarks.traffic.connector import ReplyConnector
from benchmarks.traffic.load import BotTarget
from bot_workbench.emulator.certificates import private_key_pem
from bot_workbench.emulator.channel.connector import AUDIENCE
from bot_workbench.emulator.cloud import CERTIFICATE_NAME, READER_PERMISSIONS, Cloud
from bot_workbench.emulator.entra.verified_tokens import VerifiedTokens

CHANNEL_TOKENS = 2048
"""Distinct tokens of the channel, used in turn: more than a bot may remember as verified."""


@dataclasses.dataclass(frozen=True)
class Counts:
    """Requests and connections at the local cloud so far.

    Attributes:
        token_requests: at Entra and at the identity endpoint.
        connections: accepted, at all servers together.
    """

    token_requests: int
    connections: int

    def __sub__(self, earlier: "Counts") -> "Counts":
        return Counts(
            self.token_requests - earlier.token_requests, self.connections - earlier.connections
        )


class BenchmarkCloud:
    """The services around a bot with one credential.

    Args:
        folder: for the files that bots need.
        credential: a key of `bot_workbench.credential_kinds.KINDS`.
        tokens: number of distinct channel tokens.
    """

    def __init__(self, folder: Path, credential: str, tokens: int = CHANNEL_TOKENS) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.cloud = Cloud(folder, credential)
        registration = self.cloud.registration
        self.connector = ReplyConnector(
            self.cloud.authority.server_context(),
            VerifiedTokens(self.cloud.entra.issuer, registration, AUDIENCE),
            registration.app_id,
        )
        self._number_of_tokens = tokens
        self._tokens: tuple[str, ...] = ()

    async def start(self) -> None:
        """Start every server, and sign the channel's tokens."""
        await self.cloud.start()
        await self.connector.start()
        channel = self.cloud.channel
        claims = {
            "serviceurl": self.connector.url,
            "iss": channel.token_issuer,
            "aud": self.cloud.registration.app_id,
        }
        self._tokens = tuple(
            channel.issuer.sign(claims | {"jti": f"{number}"})
            for number in range(self._number_of_tokens)
        )

    async def stop(self) -> None:
        """Stop every server."""
        self.connector.stop()
        await self.cloud.stop()

    def environ(self) -> dict[str, str]:
        """The app settings that point a bot to these servers."""
        settings = self.cloud.settings()
        if self.cloud.credential in READER_PERMISSIONS:
            settings |= self._certificate_files()
        return settings

    def file_settings(self) -> dict[str, str]:
        """The app settings that differ when the certificate is in a file."""
        path = self._folder / "both.pem"
        files = self._certificate_files()
        parts = (
            Path(files[name]).read_bytes() for name in ("BENCH_PRIVATE_KEY", "BENCH_CERTIFICATE")
        )
        path.touch(mode=0o600)
        path.write_bytes(b"".join(parts))
        return {"CertificateVaultUrl": "", "CertificateName": "", "CertificatePath": str(path)}

    def _certificate_files(self) -> dict[str, str]:
        """Certificate files and thumbprint, for bots that do not read a vault."""
        version = self.cloud.vault.inventory.versions[CERTIFICATE_NAME][-1]
        public, private = self._folder / "certificate.pem", self._folder / "private_key.pem"
        public.write_bytes(version.certificate.public_bytes(Encoding.PEM))
        private.touch(mode=0o600)
        private.write_bytes(private_key_pem(version.private_key))
        return {
            "BENCH_CERTIFICATE": str(public),
            "BENCH_PRIVATE_KEY": str(private),
            "BENCH_THUMBPRINT": version.certificate.fingerprint(SHA1()).hex().upper(),  # noqa: S303  # identifies the certificate
        }

    def target(self, port: int, *, one_token: bool) -> BotTarget:
        """The load's target: the bot at this port, called with one or with all channel tokens."""
        registration = self.cloud.registration
        tokens = self._tokens[:1] if one_token else self._tokens
        return BotTarget(port, registration.app_id, registration.tenant_id, tokens, self.connector)

    def set_latencies(self, auth: float, connector: float) -> None:
        """Set the latencies (seconds) of the sign-in and keys endpoints, and of the connector."""
        cloud = self.cloud
        for part in (cloud.entra, cloud.identity, cloud.vault, cloud.channel):
            part.server.faults.set(latency=auth)
        self.connector.latency = connector

    def counts(self) -> Counts:
        """The counts so far."""
        identity = self.cloud.identity.server.requests.total()
        servers = self.cloud.servers.values()
        return Counts(
            self.cloud.entra.token_requests + identity,
            self.connector.connections + sum(server.connections for server in servers),
        )
