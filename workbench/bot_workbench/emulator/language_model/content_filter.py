"""What Azure's content filter says of a prompt or an answer."""

from collections.abc import Mapping

SAFE: Mapping[str, Mapping[str, object]] = {
    name: {"filtered": False, "severity": "safe"}
    for name in ("hate", "self_harm", "sexual", "violence")
}
"""Of an answer."""

SAFE_PROMPT = {**SAFE, "jailbreak": {"filtered": False, "detected": False}}

FILTERED = {**SAFE, "violence": {"filtered": True, "severity": "medium"}}
"""Of a prompt that is refused, or an answer that ends there."""
