"""Person: a user of the local Teams, and the forms in which Teams describes one."""

import re
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot_workbench.emulator.channel.conversations import Account
from bot_workbench.emulator.teams.directory.body import GUID, text

USER_ID = re.compile(r"29:[A-Za-z0-9_-]{1,200}")
"""The form of user ids in Teams; they are opaque."""

DOMAIN = "example.com"


@dataclass(frozen=True)
class Person:
    """A user.

    Attributes:
        id: as bots know the user, `29:...`.
        name: the display name.
        aad_object_id: the user's object id in Entra (GUID).
        tenant_id: the user's tenant (GUID).
    """

    id: str
    name: str
    aad_object_id: str
    tenant_id: str

    @classmethod
    def new(cls, number: int, tenant_id: str) -> "Person":
        """A new user, `User 1` and so on."""
        user_id = f"29:1{secrets.token_urlsafe(32)}"
        return cls(user_id, f"User {number}", str(uuid.uuid4()), tenant_id)

    @classmethod
    def from_json(cls, body: Mapping[str, Any], tenant_id: str) -> "Person":
        """A user as a page has kept it.

        Raises:
            ChannelError: 400, it is not a valid user.
        """
        return cls(
            text(body, "id", USER_ID),
            text(body, "name"),
            text(body, "aadObjectId", GUID),
            tenant_id,
        )

    def account(self) -> Account:
        """The user as the sender of an activity."""
        return {"id": self.id, "name": self.name, "aadObjectId": self.aad_object_id}

    def nameless_account(self) -> Account:
        """The user as the sender of an event, and as an added or removed member."""
        return {"id": self.id, "aadObjectId": self.aad_object_id}

    def member(self) -> Account:
        """The user as the Bot Connector lists members (TeamsChannelAccount)."""
        given_name, _, surname = self.name.partition(" ")
        address = f"{self.name.lower().replace(' ', '.')}@{DOMAIN}"
        return {
            **self.account(),
            "givenName": given_name,
            "surname": surname,
            "email": address,
            "userPrincipalName": address,
            "tenantId": self.tenant_id,
            "userRole": "user",
        }
