"""Stage: the local cloud of one credential, with a connector for the load."""

import dataclasses
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import Encoding

from benchmarks.traffic.connector import Connector
from benchmarks.traffic.load import Delivery
from emulator.certificates import private_key_pem
from emulator.channel.connector import AUDIENCE
from emulator.cloud import CERTIFICATE_NAME, READER_PERMISSIONS, Cloud
from emulator.entra.verified_tokens import VerifiedTokens

TOKENS = 2048
"""Distinct tokens of the channel, used in turn: more than a bot may remember as verified."""


@dataclasses.dataclass(frozen=True)
class Counts:
    """What the stand-ins have seen.

    Attributes:
        token_requests: at Entra and at the identity endpoint.
        connections: accepted, at every one of them.
    """

    token_requests: int
    connections: int

    def __sub__(self, earlier: "Counts") -> "Counts":
        return Counts(
            self.token_requests - earlier.token_requests, self.connections - earlier.connections
        )


class Stage:
    """Everything around a bot that signs in in one way.

    Args:
        folder: for the files that bots need.
        credential: as Cloud has it.
        tokens: how many of the channel's there are.
    """

    def __init__(self, folder: Path, credential: str, tokens: int = TOKENS) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.cloud = Cloud(folder, credential)
        registration = self.cloud.registration
        self.connector = Connector(
            self.cloud.authority.server_context(),
            VerifiedTokens(self.cloud.entra.issuer, registration, AUDIENCE),
            registration.app_id,
        )
        self._number = tokens
        self._tokens: tuple[str, ...] = ()

    async def start(self) -> None:
        """Start every server, and have the channel's tokens made."""
        await self.cloud.start()
        await self.connector.start()
        channel = self.cloud.channel
        claims = {
            "serviceurl": self.connector.url,
            "iss": channel.token_issuer,
            "aud": self.cloud.registration.app_id,
        }
        self._tokens = tuple(
            channel.issuer.sign(claims | {"jti": f"{number}"}) for number in range(self._number)
        )

    async def stop(self) -> None:
        """Stop every server."""
        self.connector.stop()
        await self.cloud.stop()

    def environ(self) -> dict[str, str]:
        """The settings with which a bot talks to these servers."""
        settings = self.cloud.settings()
        if self.cloud.credential in READER_PERMISSIONS:
            settings |= self._certificate_files()
        return settings

    def file_settings(self) -> dict[str, str]:
        """What differs for this project when the certificate is in a file."""
        path = self._folder / "both.pem"
        files = self._certificate_files()
        parts = (
            Path(files[name]).read_bytes() for name in ("BENCH_PRIVATE_KEY", "BENCH_CERTIFICATE")
        )
        path.touch(mode=0o600)
        path.write_bytes(b"".join(parts))
        return {"CertificateVaultUrl": "", "CertificateName": "", "CertificatePath": str(path)}

    def _certificate_files(self) -> dict[str, str]:
        """For bots that read no vault."""
        version = self.cloud.vault.versions[CERTIFICATE_NAME][-1]
        public, private = self._folder / "certificate.pem", self._folder / "private_key.pem"
        public.write_bytes(version.certificate.public_bytes(Encoding.PEM))
        private.touch(mode=0o600)
        private.write_bytes(private_key_pem(version.private_key))
        return {
            "BENCH_CERTIFICATE": str(public),
            "BENCH_PRIVATE_KEY": str(private),
            "BENCH_THUMBPRINT": version.certificate.fingerprint(SHA1()).hex().upper(),  # noqa: S303  # a name only
        }

    def delivery(self, port: int, *, one_token: bool) -> Delivery:
        """How turns are delivered to a bot at this port."""
        registration = self.cloud.registration
        tokens = self._tokens[:1] if one_token else self._tokens
        return Delivery(port, registration.app_id, registration.tenant_id, tokens, self.connector)

    def be_slow(self, auth_latency: float, connector_latency: float) -> None:
        """Seconds that sign-in and the channel's keys take, and that the connector takes."""
        cloud = self.cloud
        for part in (cloud.entra, cloud.identity, cloud.vault, cloud.channel):
            part.server.faults.set(latency=auth_latency)
        self.connector.latency = connector_latency

    def counts(self) -> Counts:
        """So far."""
        identity = self.cloud.identity.server.requests.total()
        servers = self.cloud.servers.values()
        return Counts(
            self.cloud.entra.token_requests + identity,
            self.connector.connections + sum(server.connections for server in servers),
        )
