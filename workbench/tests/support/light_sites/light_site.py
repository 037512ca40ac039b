"""LightSite: a site that answers as its code would, without running it."""

import datetime
import hmac
from collections.abc import Callable, Iterable
from pathlib import Path

import jwt
from aiohttp import web

from auth.errors import SettingsError
from auth.settings import Settings
from bot_workbench.emulator.local_azure import LocalAzure
from bot_workbench.emulator.sites.app_service import STOPPED_PAGE, page
from bot_workbench.emulator.sites.environment import without_storage
from bot_workbench.emulator.sites.site import Site
from composition import VERSION
from tests.support.light_sites.sign_in import LightSignIn, SignedIn, SignInRefused

SETTINGS_RETRY_AFTER = "60"
SIGN_IN_RETRY_AFTER = "5"
BUILT_IN_AZURE = "built in Azure"
NOT_AVAILABLE = {"error": "The bot is not available."}

CheckToken = Callable[[str, str], object]
"""Checks a channel's token (a JWT) for an app id (GUID); raises jwt.InvalidTokenError."""


def light_site(azure: LocalAzure, site: Site) -> "LightSite":
    """What answers for a site of the local Azure."""
    signing = LightSignIn(azure.entra, azure.vault_at)
    return LightSite(site, signing, azure.check_channel_token, lambda: azure.directory.clock())


class LightSite:
    """Answers the endpoints of this project's app, or the one of the old bot.

    These are /api/identity, /api/health and /api/messages; the old bot has the last one only.

    It signs in when it is first asked to, and uses the token until that expires: like the app, it
    does not notice what happens to its credential meanwhile. A restart forgets the token and the
    last outbound call.

    Args:
        site: what it runs first.
        signing: signs in.
        check_token: checks who calls /api/messages.
        clock: seconds since 1970.

    Attributes:
        package: the hash of the package that it runs, or BUILT_IN_AZURE; a test may set it.
        last_outbound_call: when a reply was sent last; a test may set it.
        restart_seconds: between a change and the restart: meanwhile, the old settings hold.
        turns: messages accepted so far.
    """

    def __init__(
        self,
        site: Site,
        signing: LightSignIn,
        check_token: CheckToken,
        clock: Callable[[], float],
    ) -> None:
        self.package = BUILT_IN_AZURE
        self._unpacked: Path | None = None
        self.restart_seconds = 0.0
        self.turns = 0
        self._signing = signing
        self._check_token = check_token
        self._clock = clock
        self._next: tuple[float, Site] | None = None
        self._restart(site, clock())

    def _restart(self, site: Site, now: float) -> None:
        self._site = site
        if site.package != self._unpacked:
            self._unpacked, self.package = site.package, _package_hash(site.package)
        self.started_on = now
        self.last_outbound_call: datetime.datetime | None = None
        self._signed_in: SignedIn | None = None

    def change(self, site: Site) -> None:
        """Restart it, after `restart_seconds`."""
        at = self._clock() + self.restart_seconds
        if not site.enabled or self.restart_seconds <= 0:
            self._restart(site, at)
            self._next = None
        else:
            self._next = (at, site)

    async def settled(self) -> None:
        """Return at once: there is no process to wait for."""

    async def stop(self) -> None:
        """End it; nothing runs."""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer a caller's request."""
        if self._next is not None and self._clock() >= self._next[0]:
            (at, site), self._next = self._next, None
            self._restart(site, at)
        if not self._site.enabled:
            return page(403, STOPPED_PAGE)
        if (request.method, request.path) == ("POST", "/api/messages"):
            return await self._messages(request)
        if not self._site.is_function_app or request.method != "GET":
            return web.Response(status=404)
        if request.path == "/api/health":
            return self._health()
        if request.path == "/api/identity":
            return self._identity(request)
        if request.path == "/admin/host/status":
            return self._host_status(request)
        return web.Response(status=404)

    def _host_status(self, request: web.Request) -> web.Response:
        if not _is_given(request, (self._site.master_key,)):
            return web.Response(status=401)
        return web.json_response({"id": self._site.name, "state": "Running"})

    def _identity(self, request: web.Request) -> web.Response:
        if not _is_given(request, (*self._site.keys, self._site.master_key)):
            return web.Response(status=401)
        try:
            return web.json_response(self._proof(self._token()))
        except (SettingsError, SignInRefused) as error:
            return _not_available(error)

    def _health(self) -> web.Response:
        try:
            self._token()
        except (SettingsError, SignInRefused) as error:
            return _not_available(error)
        return web.json_response({"status": "ok"})

    async def _messages(self, request: web.Request) -> web.Response:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        try:
            self._check_token(token, self._site.settings.get("MicrosoftAppId", ""))
        except jwt.InvalidTokenError:
            return web.Response(status=401)
        if self._site.is_function_app:
            try:
                self._token()
            except (SettingsError, SignInRefused) as error:
                return _not_available(error)
        elif not self._old_bot_signs_in():
            return web.Response(status=401)
        self.turns += 1
        self.last_outbound_call = datetime.datetime.fromtimestamp(self._clock(), datetime.UTC)
        return web.Response(status=200)

    def _old_bot_signs_in(self) -> bool:
        settings = self._site.settings
        app_id, secret = (
            settings.get(name, "") for name in ("MicrosoftAppId", "MicrosoftAppPassword")
        )
        return self._signing.has_valid_secret(app_id, secret)

    def _token(self) -> SignedIn:
        """The token in use, or a new one.

        Raises:
            SettingsError: the settings are wrong.
            SignInRefused: no token is available.
        """
        if self._signed_in is None or self._signed_in.expires_on <= self._clock():
            settings = Settings.from_environ(without_storage(self._site.settings))
            self._signed_in = self._signing.sign_in(settings, self._site.identities)
        return self._signed_in

    def _proof(self, signed_in: SignedIn) -> dict[str, object]:
        """The members of BotAuthentication.sign_in_proof, the version, and the package."""
        settings, certificate = signed_in.settings, signed_in.certificate
        last = self.last_outbound_call
        return {
            "kind": settings.credential,
            "appId": settings.app_id,
            "appType": settings.app_type,
            "tenantId": settings.tenant_id,
            "authority": settings.authority,
            "audience": settings.channel_audience,
            "expiresOn": _iso_time(signed_in.expires_on),
            "certificateThumbprint": signed_in.thumbprint or None,
            "certificateExpiresOn": (
                certificate.not_valid_after_utc.isoformat() if certificate else None
            ),
            "warnings": [],
            "lastOutboundCall": last.isoformat() if last else None,
            "processStartedOn": _iso_time(self.started_on),
            "version": VERSION,
            "package": self.package,
        }


def _is_given(request: web.Request, keys: Iterable[str]) -> bool:
    given = request.headers.get("x-functions-key", request.query.get("code", ""))
    return any(key and hmac.compare_digest(given.encode(), key.encode()) for key in keys)


def _package_hash(folder: Path | None) -> str:
    file = folder and folder / "package.sha256"
    return file.read_text("ascii").strip() if file and file.exists() else BUILT_IN_AZURE


def _iso_time(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat()


def _not_available(error: Exception) -> web.Response:
    wrong = isinstance(error, SettingsError)
    headers = {"Retry-After": SETTINGS_RETRY_AFTER if wrong else SIGN_IN_RETRY_AFTER}
    return web.json_response(NOT_AVAILABLE, status=503, headers=headers)
