"""CertificatePolicy: how Key Vault makes the bot's certificate, and whether a given one will do."""

import datetime
import json
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import rsa

from bot_workbench.admin.azure.json_object import JsonObject
from bot_workbench.admin.migrate.certificate.public_certificate import PublicCertificate

CLIENT_AUTHENTICATION = "1.3.6.1.5.5.7.3.2"
"""The extended key usage (RFC 5280, 4.2.1.12)."""

RENEW_DAYS_BEFORE_EXPIRY = 60
VALID_MONTHS = 12
KEY_BITS = 2048
"""The least that the bot accepts (RFC 7518, 3.3 and 3.5)."""


@dataclass(frozen=True)
class CertificatePolicy:
    """The policy of the bot's certificate: self-signed, for signatures only, renewed by the vault.

    Attributes:
        exportable: whether the private key can be read.
    """

    exportable: bool

    def request(self) -> JsonObject:
        """As Key Vault's REST API has it (CertificatePolicy, 7.4)."""
        return {
            "key_props": {
                "exportable": self.exportable,
                "kty": "RSA",
                "key_size": KEY_BITS,
                "reuse_key": False,
            },
            "secret_props": {"contentType": "application/x-pkcs12"},
            "x509_props": {
                "subject": "CN=bot",
                "key_usage": ["digitalSignature"],
                "ekus": [CLIENT_AUTHENTICATION],
                "validity_months": VALID_MONTHS,
            },
            "lifetime_actions": [
                {
                    "trigger": {"days_before_expiry": RENEW_DAYS_BEFORE_EXPIRY},
                    "action": {"action_type": "AutoRenew"},
                }
            ],
            "issuer": {"name": "Self"},
        }

    def az_json(self) -> str:
        """The same, as `az keyvault certificate create --policy` reads it."""
        return json.dumps(
            {
                "issuerParameters": {"name": "Self"},
                "keyProperties": {
                    "exportable": self.exportable,
                    "keyType": "RSA",
                    "keySize": KEY_BITS,
                    "reuseKey": False,
                },
                "secretProperties": {"contentType": "application/x-pkcs12"},
                "x509CertificateProperties": {
                    "subject": "CN=bot",
                    "keyUsage": ["digitalSignature"],
                    "ekus": [CLIENT_AUTHENTICATION],
                    "validityInMonths": VALID_MONTHS,
                },
                "lifetimeActions": [
                    {
                        "trigger": {"daysBeforeExpiry": RENEW_DAYS_BEFORE_EXPIRY},
                        "action": {"actionType": "AutoRenew"},
                    }
                ],
            },
            indent=2,
        )

    def import_request(self, key_bits: int) -> JsonObject:
        """The policy of an imported certificate, which the vault does not renew."""
        return {
            "key_props": {
                "exportable": self.exportable,
                "kty": "RSA",
                "key_size": key_bits,
                "reuse_key": False,
            },
            "secret_props": {"contentType": "application/x-pkcs12"},
            "issuer": {"name": "Unknown"},
        }

    def import_az_json(self, key_bits: int) -> str:
        """The same, as `az keyvault certificate import --policy` reads it."""
        return json.dumps(
            {
                "issuerParameters": {"name": "Unknown"},
                "keyProperties": {
                    "exportable": self.exportable,
                    "keyType": "RSA",
                    "keySize": key_bits,
                    "reuseKey": False,
                },
                "secretProperties": {"contentType": "application/x-pkcs12"},
            },
            indent=2,
        )

    def problem(self, bundle: JsonObject, now: datetime.datetime) -> str:
        """Why the bot cannot use the vault's certificate; empty: it can.

        Args:
            bundle: Key Vault's certificate bundle, with its policy.
            now: with a time zone.
        """
        certificate = PublicCertificate.from_bundle(bundle)
        if not bundle.get("attributes", {}).get("enabled", True):
            return "it is disabled"
        if now < certificate.starts:
            return f"it is not valid before {certificate.starts:%Y-%m-%d %H:%M} UTC"
        if now >= certificate.ends:
            return f"it expired on {certificate.ends:%Y-%m-%d}"
        key = certificate.public.public_key()
        if not isinstance(key, rsa.RSAPublicKey) or key.key_size < KEY_BITS:
            return f"its key is not RSA with {KEY_BITS} bits or more"
        if self.exportable and never_leaves_vault(bundle):
            return "its private key cannot be exported"
        return ""

    def notes(self, bundle: JsonObject) -> tuple[str, ...]:
        """The remarks on a certificate that was not made by this policy."""
        policy = bundle.get("policy", {})
        notes = []
        if not self.exportable and policy.get("key_props", {}).get("exportable"):
            notes.append(
                "the certificate's private key can be exported: whoever reads secrets in the vault"
                " can copy it"
            )
        actions = [
            each.get("action", {}).get("action_type") for each in policy.get("lifetime_actions", ())
        ]
        if "AutoRenew" not in actions:
            notes.append("the vault does not renew this certificate by itself")
        return tuple(notes)


def never_leaves_vault(bundle: JsonObject) -> bool:
    """Whether a certificate's private key cannot be exported.

    Args:
        bundle: Key Vault's certificate bundle, with its policy.
    """
    return bundle.get("policy", {}).get("key_props", {}).get("exportable") is False
