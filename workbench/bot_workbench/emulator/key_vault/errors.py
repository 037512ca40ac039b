"""VaultError: a refusal of Key Vault's."""


class VaultError(Exception):
    """One refusal, in Key Vault's shape.

    Args:
        status: HTTP status.
        code: Key Vault's code, for example `SecretNotFound`.
        message: what went wrong.
        inner: the `innererror` code behind a general one, for example `ForbiddenByRbac`.
    """

    def __init__(self, status: int, code: str, message: str, inner: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.inner = inner

    def body(self) -> dict[str, object]:
        """The response's JSON."""
        error: dict[str, object] = {"code": self.code, "message": str(self)}
        if self.inner:
            error["innererror"] = {"code": self.inner}
        return {"error": error}


def bad_parameter(message: str) -> VaultError:
    """A request that cannot be carried out: 400."""
    return VaultError(400, "BadParameter", message)


def invalid_property(name: str) -> VaultError:
    """A value that is not allowed, named as the REST reference names it."""
    return bad_parameter(f"Property {name} has invalid value")


def not_found(kind: str, name: str) -> VaultError:
    """An object that the vault does not have: `kind` is Certificate, Secret or Key."""
    message = f"A {kind.lower()} with (name/id) {name} was not found in this key vault."
    return VaultError(404, f"{kind}NotFound", message)
