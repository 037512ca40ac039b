"""Certificate policies: how Key Vault makes the versions of one certificate."""

import base64
import calendar
import datetime
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bot_workbench.emulator.key_vault.errors import VaultError

JsonObject = dict[str, Any]

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

MAX_VALIDITY_MONTHS = 1200
TRIGGER_DAYS_A_MONTH = 27
"""`days_before_expiry` is at most this many times `validity_months` (REST reference, Trigger)."""

SERVER_AUTHENTICATION, CLIENT_AUTHENTICATION = "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"

BACKDATED = datetime.timedelta(minutes=10)
"""The time before its creation from which a certificate of Key Vault's is valid."""

ANY_USE = ("sign", "verify", "wrapKey", "unwrapKey", "encrypt", "decrypt")
_OPERATIONS = {
    "digital_signature": ("sign", "verify"),
    "content_commitment": ("sign", "verify"),
    "key_cert_sign": ("sign", "verify"),
    "crl_sign": ("sign", "verify"),
    "key_encipherment": ("wrapKey", "unwrapKey"),
    "data_encipherment": ("encrypt", "decrypt"),
}
"""Key operations by key usage (Key Vault's documentation, composition of a certificate)."""

_SECTIONS = ("key_props", "secret_props", "x509_props")


def _distinguished_name(subject: str) -> x509.Name:
    """A subject such as `CN=contoso-bot, O=Contoso` (RFC 4514).

    Raises:
        ValueError: it is not a distinguished name.
    """
    return x509.Name.from_rfc4514_string(re.sub(r",\s+", ",", subject.strip()))


def _anything(_: object) -> bool:
    return True


_PROPERTIES: Mapping[str, tuple[str, Any, Callable[[Any], bool]]] = {
    "kty": ("key_props", "RSA", ("RSA", "RSA-HSM", "EC", "EC-HSM").__contains__),
    "validity_months": ("x509_props", 12, range(1, MAX_VALIDITY_MONTHS + 1).__contains__),
    "subject": ("x509_props", "", _anything),
    "exportable": ("key_props", True, _anything),
    "key_size": ("key_props", 2048, (2048, 3072, 4096).__contains__),
    "reuse_key": ("key_props", False, _anything),
    "contentType": ("secret_props", PKCS12, (PKCS12, PEM).__contains__),
}
"""The section of a policy's property, Key Vault's default, and whether a value is allowed."""

_LISTS = {
    "ekus": [SERVER_AUTHENTICATION, CLIENT_AUTHENTICATION],
    "key_usage": ["digitalSignature", "keyEncipherment"],
}
"""Key Vault's defaults of the lists of texts in `x509_props`, also in place of an empty list."""


def default_policy() -> JsonObject:
    """A policy in which nothing is said but that the vault signs: with Key Vault's own values."""
    policy: JsonObject = {section: {} for section in _SECTIONS}
    for name, (section, default, _) in _PROPERTIES.items():
        policy[section][name] = default
    policy["x509_props"] |= {**_LISTS, "basic_constraints": {"ca": False}}
    action = {"trigger": {"lifetime_percentage": 80}, "action": {"action_type": "EmailContacts"}}
    return {**policy, "lifetime_actions": [action], "issuer": {"name": SELF}}


def checked_policy(body: object) -> JsonObject:
    """A policy as the REST reference has it, completed with Key Vault's own values.

    Its certificate actions are kept, never carried out.

    Raises:
        VaultError: 400, a value is not allowed.
    """
    given = _object({"policy": body}, "policy")
    made = default_policy()
    sections = {section: _object(given, section) for section in _SECTIONS}
    wanted, x509_props = sections["x509_props"], made["x509_props"]

    def take(*names: str) -> None:
        for name in names:
            section, default, is_allowed = _PROPERTIES[name]
            made[section][name] = _checked(sections[section], name, default, is_allowed)

    take("kty")
    if made["key_props"]["kty"] != "RSA":
        raise VaultError("bad parameter", "This stand-in of Key Vault has RSA keys only")
    take("validity_months")
    dns_names = _texts(_object(wanted, "sans"), "dns_names")
    take("subject")
    if dns_names:
        x509_props["sans"] = {"dns_names": dns_names}
    if not all(map(str.isascii, dns_names)):
        raise VaultError("invalid property", "dns_names")
    if not dns_names and not x509_props["subject"]:
        raise VaultError("invalid property", "subject")
    issuers = (SELF, UNKNOWN_ISSUER)
    issuer = _checked(_object(given, "issuer"), "name", UNKNOWN_ISSUER, issuers.__contains__)
    take("exportable", "key_size", "reuse_key", "contentType")
    for name, default in _LISTS.items():
        x509_props[name] = _texts(wanted, name) or default
    actions: list[Any] = _checked(given, "lifetime_actions", [], _anything)
    if len(actions) > 1:
        raise VaultError("bad parameter", "At most one action is allowed")
    if actions:
        action = _object({"lifetime_actions": actions[0]}, "lifetime_actions")
        made["lifetime_actions"] = [_action(action, x509_props["validity_months"], issuer)]
    _check_meaning(x509_props)
    return {**made, "issuer": {"name": issuer}}


def _check_meaning(x509_props: Mapping[str, Any]) -> None:
    if not KEY_USAGES.keys() >= set(x509_props["key_usage"]):
        raise VaultError("invalid property", "key_usage")
    name = "subject"
    try:
        _distinguished_name(x509_props[name])
        name = "ekus"
        for eku in x509_props[name]:
            x509.ObjectIdentifier(eku)
    except ValueError as error:
        raise VaultError("invalid property", name) from error


def changed_policy(own: Mapping[str, Any], body: object) -> JsonObject:
    """A policy with the members that a PATCH names; the others stay.

    Raises:
        VaultError: 400, a value is not allowed.
    """
    change = _object({"policy": body}, "policy")
    return checked_policy({**own, **_merged(own, change)})


def _merged(own: Mapping[str, Any], change: Mapping[str, Any]) -> JsonObject:
    return {
        name: {**own[name], **value}
        if isinstance(value, dict) and isinstance(own.get(name), dict)
        else value
        for name, value in change.items()
    }


def certificate_policy(
    policy: Mapping[str, Any], certificate: x509.Certificate, key_size: int
) -> JsonObject:
    """A policy for a certificate that has come with its own subject, key and validity."""
    days = (certificate.not_valid_after_utc - certificate.not_valid_before_utc).days
    own = {
        "subject": certificate.subject.rfc4514_string(),
        # A part of a month as a whole one.
        "validity_months": max(1, -(-days * 12 // 365)),
    }
    change = {"key_props": {"key_size": key_size}, "x509_props": own}
    return {**policy, **_merged(policy, change)}


def self_issued(policy: Mapping[str, Any], key: rsa.RSAPrivateKey) -> x509.Certificate:
    """A certificate of the issuer Self, valid from now as long as the policy says."""
    subject = _distinguished_name(policy["x509_props"]["subject"])
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    public = key.public_key()
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(_months_later(now, policy["x509_props"]["validity_months"]))
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )
    for extension, critical in _extensions(policy["x509_props"]):
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(key, hashes.SHA256())


def signing_request(policy: Mapping[str, Any], key: rsa.RSAPrivateKey) -> str:
    """The certificate signing request (PKCS#10) in base64."""
    subject = _distinguished_name(policy["x509_props"]["subject"])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    for extension, critical in _extensions(policy["x509_props"]):
        builder = builder.add_extension(extension, critical=critical)
    request = builder.sign(key, hashes.SHA256())
    return base64.b64encode(request.public_bytes(serialization.Encoding.DER)).decode()


def key_operations(certificate: x509.Certificate) -> list[str]:
    """The allowed uses of the key, by the certificate's key usage; all, if it has none."""
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return list(ANY_USE)
    allowed = {each for name in _OPERATIONS if getattr(usage, name) for each in _OPERATIONS[name]}
    return [operation for operation in ANY_USE if operation in allowed]


def _extensions(x509_props: Mapping[str, Any]) -> list[tuple[x509.ExtensionType, bool]]:
    usage = {KEY_USAGES[name]: True for name in x509_props["key_usage"]}
    if not usage.get("key_agreement"):
        # These two mean something beside keyAgreement only (RFC 5280, section 4.2.1.3).
        usage |= {"encipher_only": False, "decipher_only": False}
    flags = {name: usage.get(name, False) for name in KEY_USAGES.values()}
    ekus = [x509.ObjectIdentifier(eku) for eku in x509_props["ekus"]]
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (x509.KeyUsage(**flags), True),
        (x509.ExtendedKeyUsage(ekus), False),
        (x509.BasicConstraints(ca=False, path_length=None), False),
    ]
    if "sans" in x509_props:
        names = [x509.DNSName(name) for name in x509_props["sans"]["dns_names"]]
        extensions.append((x509.SubjectAlternativeName(names), False))
    return extensions


def _months_later(start: datetime.datetime, months: int) -> datetime.datetime:
    years, month = divmod(start.month - 1 + months, 12)
    year = start.year + years
    last = calendar.monthrange(year, month + 1)[1]
    return start.replace(year=year, month=month + 1, day=min(start.day, last))


def _object(parent: Mapping[str, Any], name: str) -> JsonObject:
    return dict(_checked(parent, name, {}, _anything))


def _checked[T](
    parent: Mapping[str, Any], name: str, default: T, is_allowed: Callable[[Any], bool]
) -> T:
    """A value of the default's type, or the default: `true` is no number."""
    value = parent.get(name)
    if value is None:
        return default
    if type(value) is not type(default) or not is_allowed(value):
        raise VaultError("invalid property", name)
    return value


def _texts(parent: Mapping[str, Any], name: str) -> list[str]:
    values: list[str] = _checked(parent, name, [], _anything)
    if not all(isinstance(value, str) and value for value in values):
        raise VaultError("invalid property", name)
    return values


def _action(action: Mapping[str, Any], months: int, issuer: str) -> JsonObject:
    """A certificate action, without what its trigger leaves open."""
    kinds: Collection[str] = (
        ("EmailContacts", "AutoRenew") if issuer == SELF else ("EmailContacts",)
    )
    kind = _checked(_object(action, "action"), "action_type", "", kinds.__contains__)
    trigger = {k: v for k, v in _object(action, "trigger").items() if v is not None}
    ranges = {
        "lifetime_percentage": range(1, 100),
        "days_before_expiry": range(1, months * TRIGGER_DAYS_A_MONTH + 1),
    }
    if not kind:
        raise VaultError("invalid property", "action_type")
    if len(trigger) != 1 or not trigger.keys() <= ranges.keys():
        raise VaultError("invalid property", "trigger")
    for name in trigger:
        _checked(trigger, name, 0, ranges[name].__contains__)
    return {"trigger": trigger, "action": {"action_type": kind}}
