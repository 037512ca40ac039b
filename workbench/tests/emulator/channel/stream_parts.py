"""Activities of streams, as bots send them."""

from typing import Any


def part(number: int | None, stream_id: str = "", kind: str = "streaming", **more: Any) -> Any:
    """An activity of a stream."""
    info: dict[str, Any] = {"type": "streaminfo", "streamType": kind}
    if number is not None:
        info["streamSequence"] = number
    if stream_id:
        info["streamId"] = stream_id
    type_ = "message" if kind == "final" else "typing"
    return {"type": type_, "text": f"text {number}", "entities": [info], **more}


def cited(*citations: Any, roots: int = 1) -> list[Any]:
    """Root entities with these citations, each given as its `appearance`."""
    claims = [
        {"@type": "Claim", "position": position, "appearance": appearance}
        for position, appearance in enumerate(citations, 1)
    ]
    return [{"type": "https://schema.org/Message", "citation": claims}] * roots
