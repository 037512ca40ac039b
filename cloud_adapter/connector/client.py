"""Clients of the channel's REST services, with botbuilder's method signatures.

ConnectorSession sends their calls, and retries where that is safe. Creating an activity is not
idempotent: a POST that the service may have carried out is not sent again, because users could get
the message twice. http_client/retry.py says which statuses can be retried. A call whose response
was lost fails with a ConnectorError.

Sources: Microsoft references "Bot Connector API", version 3, and "Bot Framework token service"
(api/usertoken, api/botsignin).
"""

import asyncio
import datetime
import functools
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from botbuilder.schema import (
    Activity,
    AttachmentInfo,
    ChannelAccount,
    ConversationResourceResponse,
    ConversationsResult,
    ErrorResponse,
    ErrorResponseException,
    PagedMembersResult,
    ResourceResponse,
    TokenResponse,
    Transcript,
)
from botbuilder.schema.teams import (
    ConversationList,
    MeetingInfo,
    MeetingNotificationBase,
    MeetingNotificationResponse,
    TeamDetails,
    TeamsMeetingParticipant,
    TeamsPagedMembersResult,
)
from botframework.connector.auth.user_token_client import UserTokenClient as UserTokenClientBase
from botframework.connector.token_api.models import (
    SignInUrlResponse,
    TokenExchangeRequest,
    TokenStatus,
)

from auth.bot_framework import BotCredentials
from auth.errors import BodyTooLarge, BotError
from cloud_adapter.codec import check_cost, json_bytes, read_integer, read_model, write_value
from cloud_adapter.errors import MalformedModel
from cloud_adapter.home_loop import on_home_loop
from http_client.observer import moment
from http_client.pool import (
    DEFAULT_TIMEOUTS,
    MAX_CONTENT_BYTES,
    MAX_LIST_BYTES,
    MAX_RESPONSE_BYTES,
    ConnectFailed,
    HttpPool,
    Response,
    ResponseLost,
    ResponseTooLarge,
    Timeouts,
)
from http_client.retry import CONNECT_FAILED, Backoff, RetryPolicy, retry_after

_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{,63}")


class ConnectorError(ErrorResponseException, BotError):  # type: ignore[misc]  # untyped SDK base
    """A call to the connector or the token service failed.

    The class derives from botbuilder's own exception too, so that bots that catch
    `ErrorResponseException` and read `error.error.code` or `response.status_code` keep working.

    Args:
        call: a name of the call, for the log.
        status: the HTTP status; 0 if there was no response.
        body: the parsed body of the response.
        asked: the value of the response's Retry-After header, if it has one.
        failure: what happened, for the log, if there was no response that could be read.

    Attributes:
        error: the service's ErrorResponse, or None.
        code: the service's error code; empty if there is none, or if it is not a plain name.
        response: an object with a `status_code`.
        retry_after: seconds that the service asks to wait; None if it does not ask.
    """

    def __init__(
        self,
        call: str,
        status: int = 0,
        body: object = None,
        asked: str | None = None,
        failure: str = "got no answer",
    ) -> None:
        self.error = _error_response(body)
        self.response = SimpleNamespace(status_code=status)
        self.retry_after = retry_after(asked)
        code = getattr(getattr(self.error, "error", None), "code", None) or ""
        # The code is logged, and anything but a short name could quote what was sent.
        self.code: str = code if _CODE.fullmatch(code) else ""
        suffix = f" with {self.code}" if self.code else ""
        self.message = f"{call} answered {status}{suffix}" if status else f"{call} {failure}"
        # Not ErrorResponseException's constructor, which needs msrest's response object.
        Exception.__init__(self, self.message)


def _error_response(body: object) -> Any:
    try:
        return read_model(ErrorResponse, body)
    except MalformedModel:
        return None


class CallRefused(ConnectorError):
    """The bot's code asked for an unsafe or impossible call, which was not sent.

    Args:
        reason: the text, which says what is wrong and how to fix it.
        status: the HTTP status of the response that the bot seems to get.
    """

    def __init__(self, reason: str, status: int = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(reason, status)
        self.message = reason
        self.args = (reason,)


TURN_SECONDS = 12.0
"""The time after a turn's start in which its calls may be retried: some channels wait that long
(cloud_adapter/deadlines.py)."""

CALL_SECONDS = 60.0
"""The time after its own start in which a call of a queued turn, which has no deadline, may be
retried."""

RETRIES = RetryPolicy(max_attempts=5, max_connects=3, backoff=Backoff(first=0.5, longest=4.0))
"""The policy for calls that a bot makes in a turn."""

NO_RETRIES = RetryPolicy(max_attempts=1, max_connects=1, backoff=Backoff(first=0.0, longest=0.0))
"""The policy for calls that the caller itself retries, within its rate limit."""

BOT_TIMEOUTS = Timeouts(connect=3.0, response=100.0, total=100.0)
"""For calls of another bot, which runs a turn before it answers. .NET's HttpClient, with which the
SDK calls skills, has this limit."""

TOO_LARGE = "got an answer that is too large"
"""The failure of a call whose response exceeds a limit: of its size, or of the memory it takes."""

_NO_RESPONSE = Response(CONNECT_FAILED, {}, b"")


@dataclass(frozen=True)
class Service:
    """One of the channel's services, as one turn calls it.

    Attributes:
        base_url: the service's URL, with or without a trailing slash.
        credentials: the bot's credentials for this service's audience.
        deadline: event loop time (seconds) after which no call is retried; None gives each call its
            own CALL_SECONDS.
        retries: how often, and after which pauses, a call is retried.
        timeouts: time limits of one attempt.
    """

    base_url: str
    credentials: BotCredentials
    deadline: float | None
    retries: RetryPolicy = RETRIES
    timeouts: Timeouts = DEFAULT_TIMEOUTS


class ServiceResponse(NamedTuple):
    """A service's response to a successful call.

    Attributes:
        body: the body: JSON, an attachment's content, or empty.
        call: a name of the call, for the log.
    """

    body: bytes
    call: str

    def json(self) -> Any:
        """The parsed body; None if it is empty or not JSON.

        Raises:
            ConnectorError: parsing the body would take too much memory.
        """
        return parsed(self.body, self.call)

    def model(self, model: Any) -> Any:
        """An instance of a botbuilder model, read from the body.

        Args:
            model: the model's class.

        Raises:
            ConnectorError: the body does not have the model's shape, or is too large to be parsed.
        """
        return as_model(model, self.json())

    def models(self, model: Any) -> list[Any]:
        """Instances of a botbuilder model, read from a list; none if the body is empty.

        Args:
            model: the model's class.

        Raises:
            ConnectorError: see `model`.
        """
        items = self.json() or []
        if not isinstance(items, list):
            raise ConnectorError(self.call, HTTPStatus.OK)
        return [as_model(model, item) for item in items]


Call = Callable[..., Awaitable[ServiceResponse]]
"""`ConnectorSession.call`, bound to one service."""


class ConnectorSession:
    """Sends calls through the process's HTTP client.

    Args:
        pool: the HTTP client.
        sleep: waits for the given number of seconds; tests pass one that moves a clock.
    """

    def __init__(
        self, pool: HttpPool, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._pool = pool
        self._sleep = sleep
        self.last_success: datetime.datetime | None = None
        """When a call last succeeded, in UTC; None if none has succeeded yet."""

    @on_home_loop
    @moment("connector.call")
    async def call(
        self,
        service: Service,
        method: str,
        path: tuple[str, ...],
        body: object = None,
        query: dict[str, Any] | None = None,
        max_bytes: int = MAX_RESPONSE_BYTES,
    ) -> ServiceResponse:
        """Call a service. A call is retried only if the pause ends before the deadline.

        Args:
            service: the service.
            method: GET, POST, PUT or DELETE.
            path: unencoded segments; none is empty, `.` or `..`.
            body: a model, or JSON-ready data; None sends no body.
            query: the query parameters; those with the value None are left out.
            max_bytes: the size limit of the response's body; see http_client/pool.py.

        Raises:
            CallRefused: a segment is empty, `.` or `..`, so the call would go to another URL.
            ConnectorError: the service refused, cannot be reached, or its response was lost or too
                large.
            SignInError: no token is available.
            TypeError, ValueError: the body contains a value that JSON cannot represent.
        """
        url = _url(service.base_url, path, query)
        name = _name(method, url)
        data = b"" if body is None else json_bytes(write_value(body))
        headers = request_headers(await service.credentials.get_token(), has_body=body is not None)
        now = asyncio.get_running_loop().time
        deadline = now() + CALL_SECONDS if service.deadline is None else service.deadline
        attempt = 1
        while True:
            cause: ConnectFailed | None = None
            try:
                response = await self._pool.request(
                    method, url, headers, data, timeouts=service.timeouts, max_bytes=max_bytes
                )
            except ConnectFailed as error:
                response, cause = _NO_RESPONSE, error
            except ResponseTooLarge as error:
                raise ConnectorError(name, failure=TOO_LARGE) from error
            except ResponseLost as error:
                raise ConnectorError(name) from error
            if 200 <= response.status < 300:
                self.last_success = datetime.datetime.now(datetime.UTC)
                return ServiceResponse(response.body, name)
            header = response.headers.get("retry-after")
            pause = service.retries.pause(method, response.status, attempt, retry_after(header))
            if pause is None or now() + pause > deadline:
                refusal = parsed_error(response.body)
                raise ConnectorError(name, response.status, refusal, header) from cause
            await self._sleep(pause)
            attempt += 1


def _url(base_url: str, path: tuple[str, ...], query: dict[str, Any] | None) -> str:
    url = "/".join((base_url.rstrip("/"), *map(_encoded, path)))
    given = {name: value for name, value in (query or {}).items() if value is not None}
    return f"{url}?{urlencode(given)}" if given else url


_UNSAFE_SEGMENTS = {"", ".", ".."}


@functools.lru_cache(maxsize=256)  # the words in paths recur, and so do ids of conversations
def _encoded(segment: str) -> str:
    # Percent-encoding does not help: servers treat %2E%2E as `..` (RFC 3986, 6.2.2).
    if segment in _UNSAFE_SEGMENTS:
        raise CallRefused("an id in the URL is empty, '.' or '..': pass the real id")
    return quote(segment, safe="")


def _name(method: str, url: str) -> str:
    """A call's name for error texts, without the query, which may contain a user's id."""
    return f"{method} {url.partition('?')[0]}"


USER_AGENT = "secretless-bot-functions"


def request_headers(token: str, *, has_body: bool) -> dict[str, str]:
    """The headers of a call.

    Args:
        token: the bearer token; if it is empty, there is no Authorization header.
        has_body: whether the call has a JSON body.
    """
    headers = {"Accept": "application/json", "User-Agent": USER_AGENT}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    if has_body:
        headers["Content-Type"] = "application/json; charset=utf-8"
    return headers


MAX_PARSED_BYTES = 80_000_000
"""The most memory that a parsed body and its models may take, by the estimate of codec.py. 10,000
members of Teams, with emojis in their names, take 65 MB."""

MAX_UNCHECKED_BYTES = 64 * 1024
"""The size of a body that is parsed without this check: no such body takes much memory."""

PARSED_TEXT_COPIES = 2
"""The copies of a body's text that are in memory while it is parsed: decoded, and as strings."""


def parsed(body: bytes, call: str) -> Any:
    """The parsed JSON of a body; None if the body is empty or not JSON.

    Args:
        body: as received.
        call: a name of the call, for the error's text.

    Raises:
        ConnectorError: parsing the body would take too much memory.
    """
    try:
        return _parsed(body)
    except BodyTooLarge as error:
        raise ConnectorError(call, failure=TOO_LARGE) from error


def parsed_error(body: bytes) -> Any:
    """The parsed JSON of an error's body; None if it is empty, not JSON or too large."""
    try:
        return _parsed(body) if len(body) <= MAX_RESPONSE_BYTES else None
    except BodyTooLarge:
        return None


def _parsed(body: bytes) -> Any:
    try:
        if len(body) <= MAX_UNCHECKED_BYTES:
            return json.loads(body) if body else None
        text = body.decode()  # only UTF-8 (RFC 8259, 8.1), which the check can read
        check_cost(body, text, MAX_PARSED_BYTES, PARSED_TEXT_COPIES)
        return json.loads(text, parse_int=read_integer)
    except (ValueError, RecursionError):  # not JSON, or nested too deeply
        return None


def as_model(model: Any, data: object) -> Any:
    """An instance of the botbuilder model `model` from a service's parsed JSON.

    Raises:
        ConnectorError: the JSON does not have the model's shape.
    """
    try:
        return read_model(model, data)
    except MalformedModel as error:
        raise ConnectorError(f"The call for {model.__name__}", HTTPStatus.OK) from error


class ConnectorClient:
    """Replaces `botframework.connector.aio.ConnectorClient`, without msrest.

    Args:
        session: sends the calls.
        connector: the connector service at the activity's service URL.

    Attributes:
        conversations: see ConversationsOperations.
        attachments: see AttachmentsOperations.
        teams: see TeamsOperations; the SDK has a separate client for these.
        config: has `credentials` and `base_url`, which botbuilder's TeamsInfo reads.
        call: sends any call to the connector.
    """

    def __init__(self, session: ConnectorSession, connector: Service) -> None:
        call: Call = functools.partial(session.call, connector)
        self.call = call
        self._session = session
        self._connector = connector
        self.config = SimpleNamespace(
            credentials=connector.credentials, base_url=connector.base_url
        )
        self.conversations = ConversationsOperations(call)
        self.attachments = AttachmentsOperations(call)
        self.teams = TeamsOperations(call)

    @functools.cached_property
    def parts(self) -> "ConversationsOperations":
        """`conversations` for the parts of a streamed message: its calls are not retried."""
        unretried = replace(self._connector, retries=NO_RETRIES)
        return ConversationsOperations(functools.partial(self._session.call, unretried))


class ConversationsOperations:
    """The operations of `ConnectorClient.conversations`."""

    def __init__(self, call: Call) -> None:
        self._call = call

    async def get_conversations(self, continuation_token: str | None = None) -> Any:
        """Return the bot's conversations as a ConversationsResult."""
        query = {"continuationToken": continuation_token}
        response = await self._call("GET", _path(), query=query, max_bytes=MAX_LIST_BYTES)
        return response.model(ConversationsResult)

    async def create_conversation(self, parameters: Any) -> Any:
        """Start a conversation; returns a ConversationResourceResponse."""
        response = await self._call("POST", _path(), parameters)
        return response.model(ConversationResourceResponse)

    async def send_to_conversation(self, conversation_id: str, activity: Any) -> Any:
        """Send an activity to the end of a conversation; returns a ResourceResponse."""
        return _resource(await self._call("POST", _path(conversation_id, "activities"), activity))

    async def reply_to_activity(self, conversation_id: str, activity_id: str, activity: Any) -> Any:
        """Reply to an activity; returns a ResourceResponse."""
        path = _path(conversation_id, "activities", activity_id)
        return _resource(await self._call("POST", path, activity))

    async def update_activity(self, conversation_id: str, activity_id: str, activity: Any) -> Any:
        """Replace a sent activity; returns a ResourceResponse."""
        path = _path(conversation_id, "activities", activity_id)
        return _resource(await self._call("PUT", path, activity))

    async def delete_activity(self, conversation_id: str, activity_id: str) -> None:
        """Delete a sent activity."""
        await self._call("DELETE", _path(conversation_id, "activities", activity_id))

    async def send_conversation_history(
        self, conversation_id: str, activities: list[Any] | None = None
    ) -> Any:
        """Upload past activities; returns a ResourceResponse."""
        path = _path(conversation_id, "activities", "history")
        return _resource(await self._call("POST", path, Transcript(activities=activities)))

    async def get_conversation_members(self, conversation_id: str) -> Any:
        """Return all members as a list of ChannelAccount."""
        path = _path(conversation_id, "members")
        response = await self._call("GET", path, max_bytes=MAX_LIST_BYTES)
        return response.models(ChannelAccount)

    async def get_conversation_member(self, conversation_id: str, member_id: str) -> Any:
        """Return one member as a ChannelAccount."""
        response = await self._call("GET", _path(conversation_id, "members", member_id))
        return response.model(ChannelAccount)

    async def get_conversation_paged_members(
        self,
        conversation_id: str,
        page_size: int | None = None,
        continuation_token: str | None = None,
    ) -> Any:
        """Return a page of the members as a PagedMembersResult."""
        page = await self._page(conversation_id, page_size, continuation_token)
        return page.model(PagedMembersResult)

    async def get_teams_conversation_paged_members(
        self,
        conversation_id: str,
        page_size: int | None = None,
        continuation_token: str | None = None,
    ) -> Any:
        """Return a page of the members, with Teams' properties, as a TeamsPagedMembersResult."""
        page = await self._page(conversation_id, page_size, continuation_token)
        return page.model(TeamsPagedMembersResult)

    async def _page(
        self, conversation_id: str, size: int | None, token: str | None
    ) -> ServiceResponse:
        query = {"pageSize": size, "continuationToken": token}
        path = _path(conversation_id, "pagedmembers")
        return await self._call("GET", path, query=query, max_bytes=MAX_LIST_BYTES)

    async def delete_conversation_member(self, conversation_id: str, member_id: str) -> None:
        """Remove a member."""
        await self._call("DELETE", _path(conversation_id, "members", member_id))

    async def get_activity_members(self, conversation_id: str, activity_id: str) -> Any:
        """Return the members that an activity was sent to as a list of ChannelAccount."""
        path = _path(conversation_id, "activities", activity_id, "members")
        response = await self._call("GET", path, max_bytes=MAX_LIST_BYTES)
        return response.models(ChannelAccount)

    async def upload_attachment(self, conversation_id: str, attachment_upload: Any) -> Any:
        """Upload an AttachmentData to the channel's store; returns a ResourceResponse."""
        path = _path(conversation_id, "attachments")
        return _resource(await self._call("POST", path, attachment_upload))


def _path(*segments: str) -> tuple[str, ...]:
    return ("v3", "conversations", *segments)


def _resource(response: ServiceResponse) -> Any:
    """A ResourceResponse; None if the service accepted the activity but returned no id."""
    data = response.json()
    return as_model(ResourceResponse, data) if isinstance(data, dict) else None


class AttachmentsOperations:
    """The operations of `ConnectorClient.attachments`."""

    def __init__(self, call: Call) -> None:
        self._call = call

    async def get_attachment_info(self, attachment_id: str) -> Any:
        """Return an attachment's name, type and views as an AttachmentInfo."""
        response = await self._call("GET", ("v3", "attachments", attachment_id))
        return response.model(AttachmentInfo)

    async def get_attachment(self, attachment_id: str, view_id: str) -> AsyncIterator[bytes]:
        """Return the content of an attachment's view, as an iterator of one chunk.

        The SDK's client returns an iterator too.
        """
        path = ("v3", "attachments", attachment_id, "views", view_id)
        return _in_one_chunk((await self._call("GET", path, max_bytes=MAX_CONTENT_BYTES)).body)


async def _in_one_chunk(content: bytes) -> AsyncIterator[bytes]:
    yield content


class TeamsOperations:
    """The operations of `ConnectorClient.teams`: botbuilder's TeamsConnectorClient, but async.

    Source: Microsoft reference "Meeting apps API references".
    """

    def __init__(self, call: Call) -> None:
        self._call = call

    async def get_teams_channels(self, team_id: str) -> Any:
        """Return the channels of a team as a ConversationList."""
        path = ("v3", "teams", team_id, "conversations")
        response = await self._call("GET", path, max_bytes=MAX_LIST_BYTES)
        return response.model(ConversationList)

    async def get_team_details(self, team_id: str) -> Any:
        """Return a team's name, group and counts as TeamDetails."""
        return (await self._call("GET", ("v3", "teams", team_id))).model(TeamDetails)

    async def fetch_participant(self, meeting_id: str, participant_id: str, tenant_id: str) -> Any:
        """Return a meeting's participant, with their role, as a TeamsMeetingParticipant."""
        path = ("v1", "meetings", meeting_id, "participants", participant_id)
        response = await self._call("GET", path, query={"tenantId": tenant_id})
        return response.model(TeamsMeetingParticipant)

    async def fetch_meeting(self, meeting_id: str) -> Any:
        """Return a meeting's details, conversation and organizer as a MeetingInfo."""
        return (await self._call("GET", ("v1", "meetings", meeting_id))).model(MeetingInfo)

    async def send_meeting_notification(
        self, meeting_id: str, notification: MeetingNotificationBase
    ) -> Any:
        """Notify people in a meeting.

        Returns:
            A MeetingNotificationResponse, which lists the people that were not reached; None if
            everybody was.
        """
        path = ("v1", "meetings", meeting_id, "notification")
        failures = (await self._call("POST", path, notification)).json()
        return None if failures is None else as_model(MeetingNotificationResponse, failures)


class UserTokenClient(UserTokenClientBase):  # type: ignore[misc]  # untyped SDK base
    """Gets users' tokens, with the bot's own credential.

    Args:
        session: sends the calls.
        token_service: the Bot Framework token service.

    Attributes:
        call: sends any call to the token service.
    """

    def __init__(self, session: ConnectorSession, token_service: Service) -> None:
        self.call: Call = functools.partial(session.call, token_service)
        self._app_id: str = token_service.credentials.microsoft_app_id

    async def get_user_token(
        self, user_id: str, connection_name: str, channel_id: str, magic_code: str | None
    ) -> Any:
        """The user's TokenResponse; None if the user has not signed in."""
        query = _user(user_id, connection_name, channel_id) | {"code": magic_code}
        try:
            response = await self.call("GET", ("api", "usertoken", "GetToken"), query=query)
        except ConnectorError as error:
            if error.response.status_code == HTTPStatus.NOT_FOUND:
                return None
            raise
        token = as_model(TokenResponse, response.json() or {})
        return token if token.token else None

    async def get_sign_in_resource(
        self, connection_name: str, activity: Activity, final_redirect: str | None
    ) -> Any:
        """A SignInUrlResponse with the URL of the user's sign-in page."""
        state = self.create_token_exchange_state(self._app_id, connection_name, activity)
        query = {"state": state, "finalRedirect": final_redirect}
        path = ("api", "botsignin", "GetSignInResource")
        return (await self.call("GET", path, query=query)).model(SignInUrlResponse)

    async def sign_out_user(
        self, user_id: str, connection_name: str | None, channel_id: str
    ) -> None:
        """Delete a user's token at the token service; without a connection name, all of them."""
        query = _user(user_id, connection_name, channel_id)
        await self.call("DELETE", ("api", "usertoken", "SignOut"), query=query)

    async def get_token_status(
        self, user_id: str, channel_id: str, include_filter: str | None
    ) -> Any:
        """The connections that the user has signed in to, as a list of TokenStatus."""
        query = {"userId": user_id, "channelId": channel_id, "include": include_filter}
        response = await self.call("GET", ("api", "usertoken", "GetTokenStatus"), query=query)
        return response.models(TokenStatus)

    async def get_aad_tokens(
        self, user_id: str, connection_name: str, resource_urls: list[str], channel_id: str
    ) -> Any:
        """Tokens for Entra resources, as a dict of TokenResponse by resource URL."""
        query = _user(user_id, connection_name, channel_id)
        body = {"resourceUrls": resource_urls}
        response = await self.call("POST", ("api", "usertoken", "GetAadTokens"), body, query)
        tokens = response.json() or {}
        if not isinstance(tokens, dict):
            raise ConnectorError(response.call, HTTPStatus.OK)
        return {url: as_model(TokenResponse, token) for url, token in tokens.items()}

    async def exchange_token(
        self,
        user_id: str,
        connection_name: str,
        channel_id: str,
        exchange_request: TokenExchangeRequest,
    ) -> Any:
        """The TokenResponse for a token (or URI) that the channel offers for single sign-on."""
        query = _user(user_id, connection_name, channel_id)
        path = ("api", "usertoken", "exchange")
        return (await self.call("POST", path, exchange_request, query)).model(TokenResponse)


def _user(user_id: str, connection_name: str | None, channel_id: str) -> dict[str, Any]:
    return {"userId": user_id, "connectionName": connection_name, "channelId": channel_id}


_REFUSAL = (
    "users cannot sign in while the bot runs without authentication"
    " (DANGEROUSLY_ALLOW_UNAUTHENTICATED): it has no token for the token service"
)


class NoUserTokenClient(UserTokenClientBase):  # type: ignore[misc]  # untyped SDK base
    """Stands for the token service where the bot has no token to call it with.

    Nobody is signed in, and nobody can sign in; no call leaves the machine.
    """

    async def call(self, *_: object, **__: object) -> ServiceResponse:
        """Refuse the call.

        Raises:
            CallRefused: always.
        """
        raise CallRefused(_REFUSAL, HTTPStatus.NOT_IMPLEMENTED)

    async def get_user_token(
        self, user_id: str, connection_name: str, channel_id: str, magic_code: str | None
    ) -> None:
        """None: the user has not signed in."""

    async def get_sign_in_resource(
        self, connection_name: str, activity: Activity, final_redirect: str | None
    ) -> Any:
        """Refuse the call.

        Raises:
            CallRefused: always.
        """
        raise CallRefused(_REFUSAL, HTTPStatus.NOT_IMPLEMENTED)

    async def sign_out_user(
        self, user_id: str, connection_name: str | None, channel_id: str
    ) -> None:
        """Do nothing."""

    async def get_token_status(
        self, user_id: str, channel_id: str, include_filter: str | None
    ) -> list[Any]:
        """No connections."""
        return []

    async def get_aad_tokens(
        self, user_id: str, connection_name: str, resource_urls: list[str], channel_id: str
    ) -> dict[str, Any]:
        """No tokens."""
        return {}

    async def exchange_token(
        self,
        user_id: str,
        connection_name: str,
        channel_id: str,
        exchange_request: TokenExchangeRequest,
    ) -> Any:
        """Refuse the call.

        Raises:
            CallRefused: always.
        """
        raise CallRefused(_REFUSAL, HTTPStatus.NOT_IMPLEMENTED)
