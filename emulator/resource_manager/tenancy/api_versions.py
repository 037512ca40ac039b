"""The api-versions that each resource provider answers."""

from emulator.resource_manager.core.arm_error import bad_request
from emulator.resource_manager.core.arm_request import ArmRequest

API_VERSIONS: dict[str, tuple[str, ...]] = {
    "Microsoft.Authorization": ("2022-04-01", "2022-05-01-preview", "2018-01-01-preview"),
    "Microsoft.BotService": ("2022-09-15", "2021-03-01", "2021-05-01-preview"),
    "Microsoft.Insights": ("2020-02-02", "2015-05-01", "2020-02-02-preview"),
    "Microsoft.KeyVault": (
        "2026-05-15",
        "2026-02-01",
        "2024-11-01",
        "2023-07-01",
        "2022-07-01",
    ),
    "Microsoft.ManagedIdentity": ("2024-11-30", "2023-01-31", "2018-11-30", "2025-05-31-preview"),
    "Microsoft.OperationalInsights": ("2023-09-01", "2022-10-01", "2021-12-01-preview"),
    "Microsoft.Storage": ("2025-08-01", "2025-01-01", "2024-01-01", "2023-05-01"),
    "Microsoft.Web": (
        "2025-05-01",
        "2024-11-01",
        "2024-04-01",
        "2023-12-01",
        "2022-09-01",
        "2020-10-01",
    ),
}
"""By namespace, stable ones first, the newest of them at the start: `az resource` takes that one.

These are those that az, the SDKs and this project send, and some beside them. Azure has more, and
different ones for each type.
"""


def newest_version(namespace: str) -> str:
    """The newest stable version of a provider in any case; one of ARM's own for others."""
    versions = versions_of(namespace)
    return versions[0] if versions else "2022-09-01"


def versions_of(namespace: str) -> tuple[str, ...]:
    """The versions of a provider in any case; empty for one that answers every version."""
    found = (each for each in API_VERSIONS if each.lower() == namespace.lower())
    return API_VERSIONS.get(next(found, ""), ())


def check_version(request: ArmRequest) -> None:
    """Pass a request with a version that its provider answers.

    Raises:
        ArmError: 400 `NoRegisteredProviderFound`.
    """
    namespace = request.id.namespace
    known, version = versions_of(namespace), request.query.get("api-version", "")
    if known and version not in known:
        type_name = request.id.type.partition("/")[2]
        location = str(request.body.get("location") or "global")
        raise bad_request(
            "NoRegisteredProviderFound",
            f"No registered resource provider found for location '{location}' and API version "
            f"'{version}' for type '{type_name}'. The supported api-versions are "
            f"'{', '.join(sorted(known))}'. The supported locations are ', global'.",
        )
