"""RegisteredCertificate: the app registration has the public key of the bot's certificate."""

import datetime
from collections.abc import Callable
from functools import partial

from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.migrate.certificate.public_certificate import (
    PublicCertificate,
    display_name,
)
from bot_workbench.admin.migrate.certificate.registration.app_registration import (
    AppRegistration,
    NoRegistration,
    RegistrationState,
    UnsettledRegistration,
)
from bot_workbench.admin.migrate.certificate.registration.key_credentials import ends
from bot_workbench.admin.plan.change import Change
from bot_workbench.admin.plan.shell import az, quoted
from bot_workbench.admin.plan.step import Finding

UNKNOWN_KEY: JsonObject = {
    "type": "AsymmetricX509Cert",
    "usage": "Verify",
    "endDateTime": "$END_DATE",
    "key": "$PUBLIC_KEY",
}
"""The entry of a certificate that an earlier step makes, for a dry run."""

Now = Callable[[], datetime.datetime]


def utc_now() -> datetime.datetime:
    """The time (UTC)."""
    return datetime.datetime.now(datetime.UTC)


class RegisteredCertificate:
    """The app registration accepts the bot's certificate, beside all that it accepted before.

    Args:
        registration: of the bot.
        certificate: reads the certificate that must be registered; None: it does not exist yet.
        vault: the vault's name, for `az`.
        name: the certificate's name in the vault.
        now: the time (UTC).
        may_be_new: whether a registration that Graph does not show may have just been made.
    """

    title = "Public key on the app registration"

    def __init__(
        self,
        registration: AppRegistration,
        certificate: Callable[[], PublicCertificate | None],
        *,
        vault: str,
        name: str,
        now: Now = utc_now,
        may_be_new: Callable[[], bool] = lambda: False,
    ) -> None:
        self._registration = registration
        self._may_be_new = may_be_new
        self._certificate = certificate
        self._vault = vault
        self._name = name
        self._now = now
        self._sent = ""

    def look(self) -> Finding:
        """Compare the registration's certificates with the one that must be there.

        Raises:
            AzureProblem: the vault or the directory cannot be read.
        """
        certificate = self._certificate()
        try:
            state = self._registration.read()
        except NoRegistration:
            if self._may_be_new():
                return Finding(
                    "Microsoft Graph does not show the app registration yet", waiting=True
                )
            return Finding("the app registration is not in this tenant", refusal=self._elsewhere())
        except UnsettledRegistration as unsettled:
            return Finding(str(unsettled), waiting=True)
        if certificate is None:
            text = "the certificate does not exist yet"
            return Finding(text, changes=(self._add_unknown(state),))
        entry = state.keys.usable(certificate.thumbprint, self._now())
        if entry is None:
            text = f"the app registration does not have the certificate {certificate.thumbprint}"
            if self._sent == certificate.thumbprint:
                # This read is older than the write: what was made from it could lack a certificate.
                return Finding(f"{text} yet, although it was added", waiting=True)
            return Finding(text, changes=(self._add(state, certificate),))
        return Finding(
            f"the app registration has the certificate {certificate.thumbprint} (key id"
            f" {entry['keyId']}), and others ({len(state.keys.entries) - 1})",
            notes=_ends_early(entry, certificate),
        )

    def _add(self, state: RegistrationState, certificate: PublicCertificate) -> Change:
        return self._change(
            state,
            state.keys.with_certificate(certificate),
            certificate.thumbprint,
            f"Add the public key {certificate.thumbprint} to the app registration, and keep its"
            f" other certificates ({len(state.keys.entries)})",
        )

    def _add_unknown(self, state: RegistrationState) -> Change:
        named = {**UNKNOWN_KEY, "displayName": display_name(self._name, "$THUMBPRINT")}
        return self._change(
            state,
            [*state.keys.without(()), named],
            "$THUMBPRINT",
            "Add the certificate's public key to the app registration, and keep its"
            f" other certificates ({len(state.keys.entries)})",
        )

    def _change(
        self, state: RegistrationState, entries: list[JsonObject], thumbprint: str, summary: str
    ) -> Change:
        return Change(
            method="PATCH",
            url=self._registration.url(state),
            body={"keyCredentials": entries},
            summary=summary,
            az=(
                *download(self._vault, self._name),
                # --append keeps what is there; without --cert, it would make a secret.
                az(
                    "ad app credential reset",
                    {
                        "--id": self._registration.app_id,
                        "--append": None,
                        "--cert": f"@{self._name}.pem",
                        "--display-name": display_name(self._name, "$THUMBPRINT"),
                        "--years": "2",
                    },
                ),
            ),
            service="graph",
            send=partial(self._send, state, entries, thumbprint),
        )

    def _send(self, state: RegistrationState, entries: list[JsonObject], thumbprint: str) -> None:
        self._registration.replace_keys(state, entries)
        self._sent = thumbprint

    def _elsewhere(self) -> str:
        return (
            "the tenant that your account is signed in to has no app registration with the id"
            f" {self._registration.app_id}: it is in another tenant, or deleted. Sign in to its"
            " tenant (`az login --tenant`) as an owner of the app registration or as Application"
            " Administrator. If you cannot reach the Azure Bot and the vault from there, add the"
            " public key by hand"
        )


def download(vault: str, name: str) -> tuple[str, ...]:
    """Lines that save the newest version's public part, and set THUMBPRINT."""
    file = quoted(f"{name}.pem")
    return (
        f"rm -f {file} # the download refuses to overwrite",
        az(
            "keyvault certificate download",
            {"--vault-name": vault, "--name": name, "--encoding": "PEM", "--file": f"{name}.pem"},
        ),
        f"THUMBPRINT=$(openssl x509 -in {file} -noout -fingerprint -sha1 | cut -d= -f2 | tr -d :)",
    )


def _ends_early(entry: JsonObject, certificate: PublicCertificate) -> tuple[str, ...]:
    if ends(entry) >= certificate.ends - datetime.timedelta(days=1):
        return ()
    return (
        f"the app registration accepts this certificate until {ends(entry):%Y-%m-%d} only, although"
        f" it is valid until {certificate.ends:%Y-%m-%d}",
    )
