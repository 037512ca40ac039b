"""VaultError: the refusals of Key Vault, as its REST reference and its documentation have them."""

from collections.abc import Mapping

REFUSALS: Mapping[str, tuple[int, str, str, str]] = {
    "bad parameter": (400, "BadParameter", "", "{}"),
    "invalid property": (400, "BadParameter", "", "Property {} has invalid value"),
    "no token": (401, "Unauthorized", "", "AKV10000: Request is missing a Bearer or PoP token."),
    "invalid token": (401, "Unauthorized", "", "The bearer token is not valid here."),
    "access policies": (
        403,
        "Forbidden",
        "AccessDenied",
        "The user, group or application '{}' does not have {} permission on key vault '{}'.",
    ),
    "no role": (
        403,
        "Forbidden",
        "ForbiddenByRbac",
        "Caller is not authorized to perform action on resource.\r\n"
        "If role assignments, deny assignments or role definitions were changed recently, "
        "please observe propagation time.\r\n"
        "Caller: {}\r\nAction: '{}'\r\nResource: '{}'\r\nAssignment: (not found)\r\n",
    ),
    "disabled secret": (
        403,
        "Forbidden",
        "SecretDisabled",
        "Operation get is not allowed on a disabled secret.",
    ),
    "disabled key": (
        403,
        "Forbidden",
        "KeyDisabled",
        "Operation sign is not allowed on a disabled key.",
    ),
    # Key Vault's inner code for this case is undocumented.
    "not valid now": (
        403,
        "Forbidden",
        "KeyNotValidNow",
        "Operation sign is not allowed outside the key's time of validity.",
    ),
    "not for signing": (
        403,
        "Forbidden",
        "KeyOperationForbidden",
        "Operation sign is not permitted on this key.",
    ),
    "purge protection": (
        403,
        "Forbidden",
        "",
        'Operation "purge" is not allowed because purge protection is enabled for this vault. Key'
        " Vault service will automatically purge it after the retention period has passed.",
    ),
    "not found": (
        404,
        "{0}NotFound",
        "",
        "A {1} with (name/id) {2} was not found in this key vault.",
    ),
    "not deleted": (404, "CertificateNotFound", "", "Deleted Certificate not found: {}"),
    "not pending": (404, "PendingCertificateNotFound", "", "Pending certificate not found: {}"),
    "no contacts": (404, "ContactsNotFound", "", "Contacts not found"),
    "pending": (
        409,
        "Forbidden",
        "",
        "A new key vault certificate can not be created or imported while a pending key vault"
        " certificate's status is inProgress.",
    ),
    "deleted": (
        409,
        "Conflict",
        "ObjectIsDeletedButRecoverable",
        "Certificate {} is currently in a deleted but recoverable state, and its name cannot be"
        " reused; in this state, the certificate can only be recovered or purged.",
    ),
}
"""HTTP status, code, inner code and message by reason; the texts are formatted."""


class VaultError(Exception):
    """One refusal.

    Args:
        reason: a key of REFUSALS.
        names: what its texts are filled with.

    Attributes:
        status: HTTP status.
        body: the response's JSON.
    """

    def __init__(self, reason: str, *names: str) -> None:
        self.status, code, inner, message = REFUSALS[reason]
        super().__init__(message.format(*names))
        error: dict[str, object] = {"code": code.format(*names), "message": str(self)}
        if inner:
            error["innererror"] = {"code": inner}
        self.body = {"error": error}
