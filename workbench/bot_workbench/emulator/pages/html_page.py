"""HTML pages of the local cloud: a template with style and facts, and a strict security policy."""

import json
import secrets
from collections.abc import Mapping
from pathlib import Path

from aiohttp import web

STYLE = Path(__file__).with_name("html_page.css")
"""The style that all pages share: colors, fonts, headings."""

EMPTY_STYLE = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
"""Hash of the empty style element that Web Chat creates without a nonce, and fills by script."""


def html_page(
    template: Path, facts: Mapping[str, object], sources: Mapping[str, str]
) -> web.Response:
    """The page.

    Args:
        template: has `{{nonce}}` at each script and style, `{{style}}` in a style element, and
            `{{facts}}` in a script element of type application/json.
        facts: data for the page's script.
        sources: what the page may load in addition to its own scripts and styles: sources by
            directive of Content-Security-Policy.
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
    }
    for directive, allowed in sources.items():
        rules[directive] = f"{rules.get(directive, '')} {allowed}".strip()
    return "; ".join(f"{directive} {allowed}" for directive, allowed in rules.items())
