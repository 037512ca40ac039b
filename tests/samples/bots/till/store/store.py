from abc import ABC, abstractmethod


class Store(ABC):
    @abstractmethod
    async def load(self, key: str) -> ():
        raise NotImplementedError

    @abstractmethod
    async def save(self, key: str, content, e_tag: str) -> bool:
        raise NotImplementedError
