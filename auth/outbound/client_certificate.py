"""Signs an app registration in with a certificate, which signs the client assertion: a JWT.

Microsoft reference: "Microsoft identity platform application authentication certificate
credentials": PS256 with the header `x5t#S256`, at most ten minutes.
"""

import base64
import json
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from auth.certificates.certificate import Certificate
from auth.certificates.versions import CertificateVersions
from auth.errors import CertificateError, SignInError, VaultForbidden
from auth.outbound.entra import Assertion, EntraClient
from auth.outbound.token_provider import AccessToken, Credential

CLOCK_SKEW_SECONDS = LIFETIME_SECONDS = 300
"""The time before and after its creation in which an assertion is valid, because clocks differ."""

_Request = Callable[[Assertion, Certificate], Awaitable[AccessToken]]


class ClientCertificateCredential(Credential):
    """Signs in with the newest version of a certificate that Entra accepts.

    Args:
        client_id: GUID of the app registration, the bot's MicrosoftAppId.
        entra: requests tokens for the app registration.
        versions: the versions of the certificate.
        send_x5c: whether to put the certificate into the assertion.
    """

    def __init__(
        self, client_id: str, entra: EntraClient, versions: CertificateVersions, *, send_x5c: bool
    ) -> None:
        self._client_id = client_id
        self._entra = entra
        self._versions = versions
        self._send_x5c = send_x5c

    async def request_token(self, audience: str) -> AccessToken:
        """A token for `audience` (URL or GUID, without `/.default`).

        Raises:
            CertificateError: no version can be loaded, is allowed, and is accepted.
            SignInError: Entra refused for another reason, or an endpoint is unavailable.
        """
        return await self._request(partial(self._entra.request_token, audience))

    async def request_user_token(self, scopes: Sequence[str], user_token: str) -> AccessToken:
        """A token on behalf of a user.

        Raises:
            CertificateError, SignInError: as `request_token`, or Entra refuses the user's token or
                the scopes.
        """
        return await self._request(partial(self._entra.request_user_token, scopes, user_token))

    def refresh_if_due(self) -> None:
        """Start to look for a newer version in the background, if a check is due."""
        self._versions.refresh_if_due()

    @property
    def warnings(self) -> tuple[str, ...]:
        """Lines about what needs action before the certificate expires."""
        return self._versions.warnings

    async def _request(self, request: _Request) -> AccessToken:
        if not self._versions.candidates():
            await self._versions.refresh()
        tried = self._versions.candidates()
        try:
            return await self._request_with_newest(request)
        except (CertificateError, VaultForbidden):
            await self._versions.refresh()
            # Compared with what was tried, because another request's refresh may have run first.
            if set(self._versions.candidates()) == set(tried):
                raise
        return await self._request_with_newest(request)

    async def _request_with_newest(self, request: _Request) -> AccessToken:
        failures: dict[str, SignInError] = {}
        before = self._versions.in_use
        for version in self._versions.candidates():
            try:
                certificate = await self._versions.load(version)
                assertion = self._assertion_of(certificate)
                token = await request(assertion, certificate)
            # An older version may still work.
            except (CertificateError, VaultForbidden) as error:
                failures[version] = error
                self._versions.postpone(version)
            else:
                self._versions.accept(version, certificate, failures, before)
                return token
        raise next(iter(failures.values()))

    def _assertion_of(self, certificate: Certificate) -> Assertion:
        return partial(
            client_assertion, certificate, client_id=self._client_id, send_x5c=self._send_x5c
        )


async def client_assertion(
    certificate: Certificate,
    token_endpoint: str,
    *,
    client_id: str,
    send_x5c: bool,
    clock: Callable[[], float] = time.time,
) -> str:
    """A signed assertion for one token request.

    Args:
        certificate: the certificate whose key signs; its thumbprint tells Entra which key this is.
        token_endpoint: URL of the token endpoint that the assertion is for.
        client_id: GUID of the app registration.
        send_x5c: whether to add the certificate itself, for subject name and issuer authentication.
        clock: returns the time in seconds since the epoch.

    Raises:
        SignInError: the key cannot be used now.
    """
    header: dict[str, object] = {"alg": "PS256", "typ": "JWT", "x5t#S256": certificate.x5t_s256}
    if send_x5c:
        header["x5c"] = [certificate.x5c]
    now = int(clock())
    claims = {
        "aud": token_endpoint,
        "iss": client_id,
        "sub": client_id,
        "jti": str(uuid.uuid4()),
        "iat": now - CLOCK_SKEW_SECONDS,
        "nbf": now - CLOCK_SKEW_SECONDS,
        "exp": now + LIFETIME_SECONDS,
    }
    signed = f"{_part(header)}.{_part(claims)}"
    return f"{signed}.{_base64url(await certificate.key.sign(signed.encode()))}"


def _part(value: object) -> str:
    return _base64url(json.dumps(value, separators=(",", ":")).encode())


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
