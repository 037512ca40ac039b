from .store import Store
from .memory_store import MemoryStore
from .ref_accessor import RefAccessor

__all__ = ["MemoryStore", "RefAccessor", "Store"]
