"""WithdrawnCertificates: the app registration has no key of an older version any more."""

from collections.abc import Callable

from admin.azure.graph_client import GraphClient
from admin.azure.json_object import JsonObject
from admin.migrate.certificate.app_registration import (
    AppRegistration,
    NoRegistration,
    RegistrationState,
    UnsettledRegistration,
)
from admin.migrate.certificate.bot_vault import BotVault
from admin.migrate.certificate.key_credentials import entry_thumbprint
from admin.migrate.certificate.registered_certificate import Now, utc_now
from admin.migrate.change import Change
from admin.migrate.shell import az
from admin.migrate.step import Finding


class WithdrawnCertificates:
    """The keys of older versions of the vault's certificate are deleted, and no others.

    Nothing is deleted unless, at this moment, the app signs in with the newest version, and the
    registration has its key. So a key remains with which the app has just signed in.

    Args:
        graph: builds the URL.
        registration: of the bot.
        vault: the vault and the certificate's name.
        in_use: asks the app for the thumbprint that it signs in with; empty: it cannot be known.
        now: the time (UTC).
    """

    title = "Older keys on the app registration"

    def __init__(
        self,
        graph: GraphClient,
        registration: AppRegistration,
        vault: BotVault,
        in_use: Callable[[], str],
        now: Now = utc_now,
    ) -> None:
        self._graph = graph
        self._registration = registration
        self._vault = vault
        self._in_use = in_use
        self._now = now
        self._leaving: set[str] = set()

    def look(self) -> Finding:
        """Compare the registration's keys with the vault's versions.

        Raises:
            AzureProblem: the vault, the directory or the app cannot be read.
        """
        newest, *older = [version.thumbprint for version in self._vault.versions()]
        in_use = self._in_use()
        if in_use != newest:
            text = f"the app signs in with {in_use or 'no certificate'}, not with {newest}"
            return Finding(f"nothing is deleted while {text}", waiting=True, az=("# not yet",))
        try:
            state = self._registration.read(leaving=self._leaving)
        except (UnsettledRegistration, NoRegistration) as unsettled:
            return Finding(str(unsettled), waiting=True)
        if state.keys.usable(newest, self._now()) is None:
            text = f"the app registration does not show the certificate {newest}"
            return Finding(f"nothing is deleted while {text}", waiting=True)
        old = [entry for entry in state.keys.entries if entry_thumbprint(entry) in set(older)]
        if not old:
            return Finding("the app registration has no key of an older version")
        self._leaving |= {str(entry["keyId"]) for entry in old}
        names = ", ".join(entry_thumbprint(entry) for entry in old)
        return Finding(
            f"the app registration still has {names}", changes=(self._change(state, old),)
        )

    def _change(self, state: RegistrationState, old: list[JsonObject]) -> Change:
        key_ids = [str(entry["keyId"]) for entry in old]
        names = ", ".join(entry_thumbprint(entry) for entry in old)
        return Change(
            method="PATCH",
            url=self._graph.url(f"/applications/{state.object_id}"),
            body={"keyCredentials": state.keys.without(key_ids)},
            summary=f"Delete the public key {names} of an older version from the app registration,"
            f" and keep its {len(state.keys.entries) - len(old)} other certificates",
            az=tuple(
                az(
                    "ad app credential delete",
                    {"--id": self._registration.app_id, "--cert": None, "--key-id": key_id},
                )
                for key_id in key_ids
            ),
            service="graph",
        )
