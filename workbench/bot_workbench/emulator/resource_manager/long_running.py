"""LongRunning: operations that go on after their response, and the URLs to ask for their end."""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from bot_workbench.emulator.resource_manager.errors import ArmError, error
from bot_workbench.emulator.resource_manager.resource_type import ArmReply, ArmRequest

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
        work: carries it out; None once it has ended, and for what was done before the response.
        error: why it failed.
    """

    resource_id: str
    ends: float
    work: Callable[[], object] | None = None
    error: ArmError | None = None


@dataclass
class LongRunning:
    """Which writes go on after their response, and how long they take.

    The response is 202 with the operation's URLs, which clients of most types accept for a PUT, and
    of some for a DELETE; see STATES for the others. The write takes effect when the operation ends.

    Attributes:
        fails: code and message by type and method, as in `seconds`: such operations fail, and
            change nothing.
        seconds: by resource type in lower case and method, for example
            `("microsoft.web/sites", "PUT")`; others end before their response.
        clock: seconds, monotonic; a test may replace it.
    """

    seconds: dict[tuple[str, str], float] = field(default_factory=dict)
    fails: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    clock: Callable[[], float] = time.monotonic
    _pending: dict[str, Pending] = field(default_factory=dict, init=False)

    def is_operation(self, request: ArmRequest) -> bool:
        """Whether a write has an operation, which carries it out later."""
        return self._kind(request) in self.seconds and request.id.type.lower() not in STATES

    def settle(self) -> None:
        """Carry out the operations whose time is over."""
        now = self.clock()
        for each in list(self._pending.values()):
            if each.work is None or each.ends > now:
                continue
            work, each.work = each.work, None
            try:
                work()
            except ArmError as refusal:
                each.error = refusal

    def written(self, request: ArmRequest, reply: ArmReply) -> ArmReply:
        """The response to a write without operation; it may go on nevertheless, see STATES."""
        duration = self.seconds.get(self._kind(request))
        if duration is None:
            return reply
        pending = Pending(request.id.key, self.clock() + duration)
        self._pending[str(uuid.uuid4())] = pending
        return self.shown(request, reply)

    def started(self, request: ArmRequest, reply: ArmReply, work: Callable[[], object]) -> ArmReply:
        """The response to a write that has an operation: 202 with its URLs.

        Args:
            request: the write.
            reply: what the response would be, if it were carried out now.
            work: carries it out.
        """
        name = str(uuid.uuid4())
        ends = self.clock() + self.seconds[self._kind(request)]
        failure = self.fails.get(self._kind(request))
        refusal = ArmError(409, *failure) if failure else None
        self._pending[name] = Pending(request.id.key, ends, None if failure else work, refusal)
        place = (
            f"{request.base_url}/subscriptions/{request.id.subscription_id}"
            f"/providers/{request.id.namespace or 'Microsoft.Resources'}/locations/global"
        )
        end = f"{name}?api-version={request.version}"
        location = {"Retry-After": str(POLL_SECONDS), "Location": f"{place}/{RESULTS}/{end}"}
        if request.method == "DELETE":
            return ArmReply(None, 202, {**reply.headers, **location})
        location["Azure-AsyncOperation"] = f"{place}/{STATUSES}/{end}"
        return ArmReply(self.shown(request, reply).body, 202, {**reply.headers, **location})

    @staticmethod
    def _kind(request: ArmRequest) -> tuple[str, str]:
        return request.id.type.lower(), request.method

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
            raise error("NotFound: operation", name=request.id.name)
        is_result, is_done = kind == RESULTS.lower(), found.ends <= self.clock()
        failure = found.error if is_done else None
        if is_result and failure is not None:
            raise failure
        again = f"{request.base_url}{request.id.text}?api-version={request.version}"
        headers = {} if is_done else {"Retry-After": str(POLL_SECONDS), "Location": again}
        if is_result:
            return ArmReply(status=200 if is_done else 202, headers=headers)
        status = {"id": request.id.text, "name": request.id.name, "status": IN_PROGRESS}
        if is_done:
            status["status"] = "Succeeded" if failure is None else "Failed"
        return ArmReply({**status, **(failure.body() if failure else {})}, headers=headers)
