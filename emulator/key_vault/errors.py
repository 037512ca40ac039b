"""VaultError: a refusal by the vault, in Key Vault's shape."""


class VaultError(Exception):
    """One refusal.

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
        """The answer's JSON."""
        error: dict[str, object] = {"code": self.code, "message": str(self)}
        if self.inner:
            error["innererror"] = {"code": self.inner}
        return {"error": error}
