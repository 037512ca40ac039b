from .conversation_data import ConversationData
from .flow import Flow, Question
from .passenger import Passenger

__all__ = ["ConversationData", "Flow", "Passenger", "Question"]
