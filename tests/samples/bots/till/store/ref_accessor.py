from botbuilder.core import StatePropertyAccessor, TurnContext


class RefAccessor(StatePropertyAccessor):
    def __init__(self, value):
        self.value = value
        self.name = type(value).__name__

    async def get(self, turn_context: TurnContext, default_value_or_factory=None) -> object:
        if not self.value:
            if not default_value_or_factory:
                raise Exception("key not found")
            self.value = default_value_or_factory()
        return self.value

    async def delete(self, turn_context: TurnContext) -> None:
        pass

    async def set(self, turn_context: TurnContext, value) -> None:
        pass
