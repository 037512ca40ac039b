"""Pipeline: the principal that commands sign in as, without a secret."""

import time
from pathlib import Path

from bot_workbench.emulator.entra.credentials import EXCHANGE_AUDIENCE, TrustedSubject
from bot_workbench.emulator.entra.directory import Directory
from bot_workbench.emulator.entra.registration import Registration
from bot_workbench.emulator.entra.token_issuer import TokenIssuer

ISSUER = "https://token.actions.githubusercontent.com"
"""The OpenID Connect issuer of GitHub's pipelines."""

SUBJECT = "repo:contoso/bot:environment:production"
LIFETIME_SECONDS = 24 * 3600


class Pipeline:
    """A pipeline whose tokens an app registration trusts (GitHub Docs, "OpenID Connect").

    Args:
        registration: the pipeline's; it gets the federated credential.
    """

    def __init__(self, registration: Registration) -> None:
        self.registration = registration
        self.issuer = TokenIssuer()
        credential = TrustedSubject(ISSUER, SUBJECT, name="pipeline")
        registration.federated_credentials.append(credential)

    @property
    def object_id(self) -> str:
        """GUID of its service principal."""
        return self.registration.service_principal_id

    def trust(self, directory: Directory) -> None:
        """Let the tenant's Entra know the issuer's keys."""
        directory.issuers[ISSUER] = self.issuer

    def write_token(self, file: Path) -> None:
        """Write a token to a file, for AZURE_FEDERATED_TOKEN_FILE."""
        claims = {
            "iss": ISSUER,
            "sub": SUBJECT,
            "aud": EXCHANGE_AUDIENCE,
            "repository": "contoso/bot",
            "exp": int(time.time()) + LIFETIME_SECONDS,
        }
        file.touch(mode=0o600)
        file.write_text(self.issuer.sign(claims), "utf-8")
