"""LongRunning: operations that go on after their response, and the URLs to ask for their end."""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from emulator.resource_manager.core.arm_error import ArmError
from emulator.resource_manager.core.arm_request import ArmReply, ArmRequest
from emulator.resource_manager.core.resource_id import ResourceId

STATUSES = "operationStatuses"
RESULTS = "operationResults"
POLL_SECONDS = 1
IN_PROGRESS = "InProgress"
STATES = {"microsoft.keyvault/vaults": "RegisteringDns"}
"""Resource types, in lower case, that have no operations: their PUT is 200, and clients read the
resource until its `provisioningState` is no longer this."""


@dataclass
class Pending:
    """One operation.

    Attributes:
        resource_id: lower-cased.
        ends: seconds of the clock.
    """

    resource_id: str
    ends: float


@dataclass
class LongRunning:
    """Which writes go on after their response, and how long they take.

    The response is 202 with the operation's URLs, which clients of most types accept for a PUT, and
    of some for a DELETE; see STATES for the others.

    Attributes:
        seconds: by resource type in lower case and method, for example
            `("microsoft.web/sites", "PUT")`; others end before their response.
        clock: seconds, monotonic; a test may replace it.
    """

    seconds: dict[tuple[str, str], float] = field(default_factory=dict)
    clock: Callable[[], float] = time.monotonic
    _pending: dict[str, Pending] = field(default_factory=dict, init=False)

    def started(self, request: ArmRequest, type_name: str, reply: ArmReply) -> ArmReply:
        """The response to a write: 202 with the operation's URLs where it takes time."""
        duration = self.seconds.get((type_name.lower(), request.method))
        if duration is None or reply.status >= 400:
            return reply
        name = str(uuid.uuid4())
        if type_name.lower() in STATES:
            self._pending[name] = Pending(request.id.key, self.clock() + duration)
            return self.shown(request, reply)
        self._pending[name] = Pending(request.id.key, self.clock() + duration)
        version = request.query.get("api-version", "")
        place = (
            f"{request.base_url}/subscriptions/{request.id.subscription_id}"
            f"/providers/{request.id.namespace or 'Microsoft.Resources'}/locations/global"
        )
        headers = {"Retry-After": str(POLL_SECONDS)}
        headers["Location"] = f"{place}/{RESULTS}/{name}?api-version={version}"
        if request.method != "DELETE":
            headers["Azure-AsyncOperation"] = f"{place}/{STATUSES}/{name}?api-version={version}"
        body = None if request.method == "DELETE" else reply.body
        return ArmReply(body, 202, {**reply.headers, **headers})

    def shown(self, request: ArmRequest, reply: ArmReply) -> ArmReply:
        """A resource's response, which says so while a write to the resource goes on."""
        properties = reply.body.get("properties") if isinstance(reply.body, dict) else None
        if not isinstance(properties, dict) or not self._is_pending(request.id.key):
            return reply
        state = STATES.get(request.id.type.lower(), IN_PROGRESS)
        body = {**reply.body, "properties": {**properties, "provisioningState": state}}
        return ArmReply(body, reply.status, reply.headers)

    def _is_pending(self, key: str) -> bool:
        now = self.clock()
        return any(each.resource_id == key and each.ends > now for each in self._pending.values())

    def asked(self, request: ArmRequest) -> ArmReply | None:
        """The response to a GET of an operation's URL; None for any other path."""
        kind = request.id.type.rpartition("/")[2].lower()
        if kind not in (STATUSES.lower(), RESULTS.lower()) or request.method != "GET":
            return None
        found = self._pending.get(request.id.name)
        if found is None:
            raise ArmError(404, "NotFound", f"The operation '{request.id.name}' was not found.")
        is_done = found.ends <= self.clock()
        if kind == RESULTS.lower():
            return ArmReply(status=200 if is_done else 202, headers=self._later(request, is_done))
        status = {
            "id": request.id.text,
            "name": request.id.name,
            "status": "Succeeded" if is_done else IN_PROGRESS,
        }
        return ArmReply(status, headers=self._later(request, is_done))

    @staticmethod
    def _later(request: ArmRequest, is_done: bool) -> dict[str, str]:
        if is_done:
            return {}
        version = request.query.get("api-version", "")
        again = f"{request.base_url}{ResourceId(request.id.text).text}?api-version={version}"
        return {"Retry-After": str(POLL_SECONDS), "Location": again}
