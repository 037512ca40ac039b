from datetime import datetime


class ConversationData:
    def __init__(self, timestamp: datetime = None, channel_id: str = None):
        self.timestamp = timestamp
        self.channel_id = channel_id
        self.questions = []
