"""CertificatePolicy: how Key Vault makes the versions of one certificate."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cryptography.x509 import Name, ObjectIdentifier

from bot_workbench.emulator.key_vault.errors import bad_parameter, invalid_property

PKCS12 = "application/x-pkcs12"
PEM = "application/x-pem-file"

SELF = "Self"
UNKNOWN_ISSUER = "Unknown"
"""The issuer of certificates that somebody else signs, and of a policy that names none."""

KEY_USAGES = {
    "digitalSignature": "digital_signature",
    "nonRepudiation": "content_commitment",
    "keyEncipherment": "key_encipherment",
    "dataEncipherment": "data_encipherment",
    "keyAgreement": "key_agreement",
    "keyCertSign": "key_cert_sign",
    "cRLSign": "crl_sign",
    "encipherOnly": "encipher_only",
    "decipherOnly": "decipher_only",
}
"""Key usages (RFC 5280, section 4.2.1.3), and what cryptography calls each."""

KEY_SIZES = (2048, 3072, 4096)
MAX_VALIDITY_MONTHS = 1200
TRIGGER_DAYS_A_MONTH = 27
"""`days_before_expiry` is at most this many times `validity_months` (REST reference, Trigger)."""

SERVER_AUTHENTICATION, CLIENT_AUTHENTICATION = "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"
_DEFAULT_ACTION = {
    "trigger": {"lifetime_percentage": 80},
    "action": {"action_type": "EmailContacts"},
}


@dataclass(frozen=True)
class CertificatePolicy:
    """The policy of one certificate; the defaults are Key Vault's own.

    Attributes:
        subject: X.500 distinguished name, such as `CN=contoso-bot`; may be empty with `dns_names`.
        dns_names: subject alternative names.
        exportable: whether the secret holds the private key.
        key_size: bits of the RSA key.
        reuse_key: whether the next version has the same key.
        content_type: of the secret, PKCS12 or PEM.
        ekus: object identifiers of the extended key usage.
        key_usage: keys of KEY_USAGES.
        validity_months: of each new version.
        lifetime_actions: at most one, as the REST reference has it; kept, never carried out.
        issuer: Self or Unknown.
    """

    subject: str = ""
    dns_names: tuple[str, ...] = ()
    exportable: bool = True
    key_size: int = 2048
    reuse_key: bool = False
    content_type: str = PKCS12
    ekus: tuple[str, ...] = (SERVER_AUTHENTICATION, CLIENT_AUTHENTICATION)
    key_usage: tuple[str, ...] = ("digitalSignature", "keyEncipherment")
    validity_months: int = 12
    lifetime_actions: tuple[Mapping[str, Any], ...] = (_DEFAULT_ACTION,)
    issuer: str = SELF

    @classmethod
    def from_json(cls, body: object) -> "CertificatePolicy":
        """Read and check a policy.

        Raises:
            VaultError: 400, a value is not allowed.
        """
        policy = _object({"policy": body}, "policy")
        key, secret, x509 = (_object(policy, f"{name}_props") for name in ("key", "secret", "x509"))
        if _one_of(key, "kty", ("RSA", "RSA-HSM", "EC", "EC-HSM"), "RSA") != "RSA":
            raise bad_parameter("This stand-in of Key Vault has RSA keys only")
        months = _number(x509, "validity_months", range(1, MAX_VALIDITY_MONTHS + 1), 12)
        names = _texts(_object(x509, "sans"), "dns_names", ())
        subject = _of_type(x509, "subject", str, "")
        if not all(name.isascii() for name in names):
            raise invalid_property("dns_names")
        if not subject and not names:
            raise invalid_property("subject")
        issuer = _one_of(_object(policy, "issuer"), "name", (SELF, UNKNOWN_ISSUER), UNKNOWN_ISSUER)
        made = cls(
            subject=subject,
            dns_names=names,
            exportable=_of_type(key, "exportable", bool, True),
            key_size=_number(key, "key_size", KEY_SIZES, 2048),
            reuse_key=_of_type(key, "reuse_key", bool, False),
            content_type=_one_of(secret, "contentType", (PKCS12, PEM), PKCS12),
            ekus=_texts(x509, "ekus", cls.ekus),
            key_usage=_texts(x509, "key_usage", cls.key_usage),
            validity_months=months,
            lifetime_actions=_actions(policy, months, issuer),
            issuer=issuer,
        )
        if not set(made.key_usage) <= KEY_USAGES.keys():
            raise invalid_property("key_usage")
        distinguished_name(subject)
        for eku in made.ekus:
            object_identifier(eku)
        return made

    def changed(self, body: object) -> "CertificatePolicy":
        """This policy with the members that a PATCH names; the others stay.

        Raises:
            VaultError: 400, a value is not allowed.
        """
        own = self.to_json()
        for name, value in _object({"policy": body}, "policy").items():
            nested = isinstance(value, dict) and isinstance(own.get(name), dict)
            own[name] = {**own[name], **value} if nested else value
        return self.from_json(own)

    def imported(self, subject: str, key_size: int, validity_months: int) -> "CertificatePolicy":
        """This policy for a certificate that has come with its own subject, key and validity."""
        return replace(self, subject=subject, key_size=key_size, validity_months=validity_months)

    def to_json(self) -> dict[str, Any]:
        """The policy without its id and its dates."""
        x509: dict[str, Any] = {
            "subject": self.subject,
            "ekus": list(self.ekus),
            "key_usage": list(self.key_usage),
            "validity_months": self.validity_months,
            "basic_constraints": {"ca": False},
        }
        if self.dns_names:
            x509["sans"] = {"dns_names": list(self.dns_names)}
        return {
            "key_props": {
                "exportable": self.exportable,
                "kty": "RSA",
                "key_size": self.key_size,
                "reuse_key": self.reuse_key,
            },
            "secret_props": {"contentType": self.content_type},
            "x509_props": x509,
            "lifetime_actions": list(self.lifetime_actions),
            "issuer": {"name": self.issuer},
        }


def distinguished_name(subject: str) -> Name:
    """A subject such as `CN=contoso-bot, O=Contoso` (RFC 4514).

    Raises:
        VaultError: 400, it is not a distinguished name.
    """
    try:
        return Name.from_rfc4514_string(re.sub(r",\s+", ",", subject.strip()))
    except ValueError as error:
        raise invalid_property("subject") from error


def object_identifier(dotted: str) -> ObjectIdentifier:
    """An object identifier such as `1.3.6.1.5.5.7.3.2`.

    Raises:
        VaultError: 400, it is not an object identifier.
    """
    try:
        return ObjectIdentifier(dotted)
    except ValueError as error:
        raise invalid_property("ekus") from error


def _object(parent: Mapping[str, Any], name: str) -> dict[str, Any]:
    return dict(_of_type(parent, name, dict, {}))


def _of_type[T](parent: Mapping[str, Any], name: str, kind: type[T], default: T) -> T:
    value = parent.get(name)
    if value is None:
        return default
    # bool is a subclass of int, and `true` is no number.
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise invalid_property(name)
    return value


def _one_of(parent: Mapping[str, Any], name: str, choices: Sequence[str], default: str) -> str:
    value = _of_type(parent, name, str, default)
    if value not in choices:
        raise invalid_property(name)
    return value


def _number(parent: Mapping[str, Any], name: str, allowed: Sequence[int], default: int) -> int:
    value = _of_type(parent, name, int, default)
    if value not in allowed:
        raise invalid_property(name)
    return value


def _texts(parent: Mapping[str, Any], name: str, default: tuple[str, ...]) -> tuple[str, ...]:
    values = _of_type(parent, name, list, [])
    if not all(isinstance(value, str) and value for value in values):
        raise invalid_property(name)
    return tuple(values) or default


def _actions(policy: Mapping[str, Any], months: int, issuer: str) -> tuple[Mapping[str, Any], ...]:
    actions = _of_type(policy, "lifetime_actions", list, [])
    if len(actions) > 1:
        raise bad_parameter("At most one action is allowed")
    if not actions:
        return (_DEFAULT_ACTION,)
    action = _object({"lifetime_actions": actions[0]}, "lifetime_actions")
    kinds = ("EmailContacts", "AutoRenew") if issuer == SELF else ("EmailContacts",)
    if _one_of(_object(action, "action"), "action_type", kinds, "") not in kinds:
        raise invalid_property("action_type")
    trigger = {k: v for k, v in _object(action, "trigger").items() if v is not None}
    ranges = {
        "lifetime_percentage": range(1, 100),
        "days_before_expiry": range(1, months * TRIGGER_DAYS_A_MONTH + 1),
    }
    if len(trigger) != 1 or not trigger.keys() <= ranges.keys():
        raise invalid_property("trigger")
    for name in trigger:
        _number(trigger, name, ranges[name], 0)
    return ({"trigger": trigger, "action": {"action_type": action["action"]["action_type"]}},)
