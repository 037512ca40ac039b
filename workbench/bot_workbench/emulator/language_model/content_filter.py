"""The results of Azure's content filter, for prompts and answers."""

SAFE = {
    name: {"filtered": False, "severity": "safe"}
    for name in ("hate", "self_harm", "sexual", "violence")
}
"""Of an answer that it lets pass."""

SAFE_PROMPT = {**SAFE, "jailbreak": {"filtered": False, "detected": False}}
"""Of such a prompt."""

FILTERED = {**SAFE, "violence": {"filtered": True, "severity": "medium"}}
"""Of a prompt that it refuses, or an answer that it ends."""
