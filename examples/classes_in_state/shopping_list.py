"""ShoppingList: what the bot remembers."""

from dataclasses import dataclass, field
from enum import Enum


class Priority(Enum):
    """The urgency of something that is needed."""

    URGENT = 1
    NORMAL = 2


@dataclass
class Item:
    """Something to buy."""

    name: str
    priority: Priority


@dataclass
class ShoppingList:
    """Everything to buy."""

    items: list[Item] = field(default_factory=list)

    def __str__(self) -> str:
        """The items, urgent ones first; one a line."""
        ordered = sorted(self.items, key=lambda item: item.priority.value)
        lines = [f"- {each.name} ({each.priority.name.lower()})" for each in ordered]
        return "\n".join(lines) or "Your list is empty."
