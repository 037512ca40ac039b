"""TracedBotAuthentication: spans of caller checks, and what the request's span says of an activity
whose caller is known."""

from botbuilder.schema import Activity
from botframework.connector.auth import ClaimsIdentity
from botframework.connector.auth.authenticate_request_result import AuthenticateRequestResult

from auth.inbound.bearer_token import BearerToken
from cloud_adapter.authentication import BotAuthentication
from cloud_adapter.telemetry.spans.activity_attributes import activity_attributes
from cloud_adapter.telemetry.spans.operation import Operation
from cloud_adapter.telemetry.traced.skills import TracedSkillClient

CALLER_CHECK = "bot.caller_check"


class TracedBotAuthentication(BotAuthentication):
    """See the base class."""

    skill_client_class = TracedSkillClient

    async def authenticate(self, authorization: str) -> BearerToken | None:
        """Verify and return the caller's token; None if callers are not authenticated."""
        with Operation(CALLER_CHECK):
            return await super().authenticate(authorization)

    def authorize(self, token: BearerToken | None, activity: Activity) -> AuthenticateRequestResult:
        """Check that a caller may send this activity, and return the caller's identity."""
        if operation := Operation.current():
            for name, value in activity_attributes(activity, self._settings.app_id).items():
                operation.set(name, value)
        return super().authorize(token, activity)

    async def authenticate_channel_request(self, auth_header: str) -> ClaimsIdentity:
        """Authenticate a skill that replies: another bot that calls this one as its channel."""
        with Operation(CALLER_CHECK):
            return await super().authenticate_channel_request(auth_header)
