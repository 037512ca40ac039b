"""ClientCertificateCredential: signs an app registration in with a certificate."""

from functools import partial

from auth.certificates.certificate import Certificate
from auth.certificates.client_assertion import client_assertion
from auth.certificates.versions import CertificateVersions
from auth.errors import CertificateError, SignInError, VaultForbidden
from auth.outbound.credential import AccessToken, Credential
from auth.outbound.entra import Assertion, EntraClient


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
        if not self._versions.candidates():
            await self._versions.refresh()
        tried = self._versions.candidates()
        try:
            return await self._request_with_newest(audience)
        except (CertificateError, VaultForbidden):
            await self._versions.refresh()
            # Compared with what was tried, because another request's refresh may have run first.
            if set(self._versions.candidates()) == set(tried):
                raise
        return await self._request_with_newest(audience)

    def refresh_if_due(self) -> None:
        """Start to look for a newer version in the background, if a check is due."""
        self._versions.refresh_if_due()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What needs action before the certificate expires."""
        return self._versions.warnings

    async def _request_with_newest(self, audience: str) -> AccessToken:
        failures: dict[str, SignInError] = {}
        before = self._versions.in_use
        for version in self._versions.candidates():
            try:
                certificate = await self._versions.load(version)
                assertion = self._assertion_of(certificate)
                token = await self._entra.request_token(audience, assertion, certificate)
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
