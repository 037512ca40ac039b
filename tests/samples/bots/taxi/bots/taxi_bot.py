from datetime import datetime

from botbuilder.core import (
    ActivityHandler,
    ConversationState,
    MessageFactory,
    TurnContext,
    UserState,
)
from recognizers_number import Culture, recognize_number

from data_models import ConversationData, Flow, Passenger, Question


class ValidationResult:
    def __init__(self, is_valid: bool = False, value: object = None, message: str = None):
        self.is_valid = is_valid
        self.value = value
        self.message = message


class TaxiBot(ActivityHandler):
    def __init__(self, conversation_state: ConversationState, user_state: UserState):
        self.conversation_state = conversation_state
        self.user_state = user_state
        self.flow_accessor = conversation_state.create_property("Flow")
        self.data_accessor = conversation_state.create_property("ConversationData")
        self.passenger_accessor = user_state.create_property("Passenger")

    async def on_message_activity(self, turn_context: TurnContext):
        passenger = await self.passenger_accessor.get(turn_context, Passenger)
        flow = await self.flow_accessor.get(turn_context, Flow)
        data = await self.data_accessor.get(turn_context, ConversationData)

        await self._ask(flow, passenger, turn_context)
        data.timestamp = turn_context.activity.timestamp
        data.channel_id = turn_context.activity.channel_id
        data.questions.append(flow.last_question)

        await self.conversation_state.save_changes(turn_context)
        await self.user_state.save_changes(turn_context)

    async def _ask(self, flow: Flow, passenger: Passenger, turn_context: TurnContext):
        text = turn_context.activity.text.strip()

        if flow.last_question == Question.NONE:
            await turn_context.send_activity(MessageFactory.text("Where do you want to go?"))
            flow.last_question = Question.PLACE

        elif flow.last_question == Question.PLACE:
            passenger.place = text
            await turn_context.send_activity(MessageFactory.text(f"To {passenger.place}."))
            await turn_context.send_activity(MessageFactory.text("How many are you?"))
            flow.last_question = Question.SEATS

        elif flow.last_question == Question.SEATS:
            result = self._seats(text)
            if not result.is_valid:
                await turn_context.send_activity(MessageFactory.text(result.message))
                return
            passenger.seats = result.value
            passenger.rides.append((passenger.place, passenger.seats))
            data = await self.data_accessor.get(turn_context)
            waited = datetime.now(data.timestamp.tzinfo) - data.timestamp
            await turn_context.send_activity(
                MessageFactory.text(
                    f"Ride {len(passenger.rides)}: {passenger.seats} to {passenger.place}, "
                    f"asked {len(data.questions)} times, by {data.channel_id}, "
                    f"{'today' if waited.days < 1 else 'earlier'}."
                )
            )
            flow.last_question = Question.NONE

    def _seats(self, text: str) -> ValidationResult:
        for result in recognize_number(text, Culture.English):
            if "value" in result.resolution:
                seats = int(result.resolution["value"])
                if 1 <= seats <= 4:
                    return ValidationResult(is_valid=True, value=seats)
        return ValidationResult(message="One to four people fit in.")
