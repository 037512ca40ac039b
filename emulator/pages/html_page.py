"""HTML pages of the local cloud: a template, style and facts in it, and a policy for them alone."""

import json
import secrets
from collections.abc import Mapping
from pathlib import Path

from aiohttp import web

STYLE = Path(__file__).with_name("html_page.css")
"""What the pages share: colors, fonts, headings."""

EMPTY_STYLE = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
"""Web Chat's one style element without a nonce is made empty and filled through its rules."""


def html_page(
    template: Path, facts: Mapping[str, object], sources: Mapping[str, str]
) -> web.Response:
    """The page.

    Args:
        template: its text has `{{nonce}}` at each script and style, `{{style}}` in a style of its
            own, and `{{facts}}` in a script of type application/json.
        facts: what the page's script reads there.
        sources: what the page may load beside its own scripts and styles: sources by the directive
            of Content-Security-Policy.
    """
    nonce = secrets.token_urlsafe(16)
    # `<` could end the script element that holds the JSON.
    embedded = json.dumps(facts).replace("<", "\\u003c")
    page = template.read_text("utf-8").replace("{{style}}", STYLE.read_text("utf-8"))
    page = page.replace("{{nonce}}", nonce).replace("{{facts}}", embedded)
    headers = {
        "Content-Security-Policy": _policy(nonce, sources),
        "Cache-Control": "no-store",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    return web.Response(text=page, content_type="text/html", headers=headers)


def _policy(nonce: str, sources: Mapping[str, str]) -> str:
    rules = {
        "default-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "script-src": f"'nonce-{nonce}'",
        "style-src": f"'nonce-{nonce}' '{EMPTY_STYLE}'",
        **sources,
    }
    return "; ".join(f"{directive} {allowed}" for directive, allowed in rules.items())
