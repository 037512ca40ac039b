"""Service tags: names of Azure's address ranges, which access restrictions may name."""

from bot_workbench.emulator.resource_manager.core.arm_request import ArmReply, ArmRequest

ANYWHERE = ("AppService", "AzureActiveDirectory", "AzureBotService", "AzureCloud", "AzureKeyVault")
"""Those that bots and their apps may need; Azure has some two hundred."""

REGIONAL = ("AppService", "AzureCloud", "AzureKeyVault")
"""Tags that are also there for one region: `AzureCloud.westeurope`."""

PREFIXES = ["192.0.2.0/24", "2001:db8::/32"]
"""Addresses for documentation (RFC 5737, RFC 3849) in place of Azure's own."""


def service_tags(request: ArmRequest) -> ArmReply:
    """`locations/LOCATION/serviceTags`, in one answer (REST reference, "Service Tags - List")."""
    location = request.id.parent.name
    names = [*ANYWHERE, *(f"{name}.{location}" for name in REGIONAL)]
    values = [
        {
            "id": name,
            "name": name,
            "properties": {
                "addressPrefixes": PREFIXES,
                "changeNumber": "1",
                "region": name.partition(".")[2],
                "systemService": name.partition(".")[0],
            },
        }
        for name in names
    ]
    return ArmReply(
        {
            "id": f"{request.id.text}/public",
            "name": "public",
            "type": "Microsoft.Network/serviceTags",
            "changeNumber": "1",
            "cloud": "Public",
            "values": values,
        }
    )
