import uuid

from store.store import Store


class MemoryStore(Store):
    """Lets somebody else save first, once for each item."""

    def __init__(self):
        self.store = {}
        self.refused = set()

    async def load(self, key: str) -> ():
        return self.store.get(key, (None, None))

    async def save(self, key: str, content, e_tag: str) -> bool:
        if e_tag and key not in self.refused:
            self.refused.add(key)
            return False
        if e_tag and self.store[key][1] != e_tag:
            return False
        self.store[key] = (content, str(uuid.uuid4()))
        return True
