"""The certificate credential: an app registration signs in with a client assertion."""

from functools import partial

from auth.certificates.certificate import Certificate
from auth.certificates.client_assertion import client_assertion
from auth.certificates.versions import CertificateVersions
from auth.errors import CertificateError, SignInError, VaultForbidden
from auth.outbound.credential import AccessToken, Credential
from auth.outbound.entra import Assertion, EntraClient


class ClientCertificateCredential(Credential):
    """Signs in as an app registration, with the newest version of a certificate that Entra takes.

    Args:
        client_id: GUID of the app registration, the bot's MicrosoftAppId.
        entra: knows it.
        versions: of the certificate.
        send_x5c: put the certificate into the assertion.
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
            CertificateError: no version can be had, is allowed, or is accepted.
            SignInError: Entra refused for another reason, or something cannot be reached.
        """
        if not self._versions.to_try():
            await self._versions.look()
        tried = self._versions.to_try()
        try:
            return await self._newest_accepted(audience)
        except (CertificateError, VaultForbidden):
            await self._versions.look()
            # Compared with what was tried: another request's look may have found what is new.
            if set(self._versions.to_try()) == set(tried):
                raise
        return await self._newest_accepted(audience)

    def refresh_if_due(self) -> None:
        """Look for a newer version in the background, when that is due."""
        self._versions.refresh_if_due()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What somebody should see to before the certificate expires."""
        return self._versions.warnings

    async def _newest_accepted(self, audience: str) -> AccessToken:
        failures: dict[str, SignInError] = {}
        before = self._versions.in_use
        for version in self._versions.to_try():
            try:
                certificate = await self._versions.load(version)
                assertion = self._assertion_of(certificate)
                token = await self._entra.request_token(audience, assertion, certificate)
            # An older version may do.
            except (CertificateError, VaultForbidden) as error:
                failures[version] = error
                self._versions.set_aside(version)
            else:
                self._versions.use(version, certificate, failures, before)
                return token
        raise next(iter(failures.values()))

    def _assertion_of(self, certificate: Certificate) -> Assertion:
        return partial(
            client_assertion, certificate, client_id=self._client_id, send_x5c=self._send_x5c
        )
