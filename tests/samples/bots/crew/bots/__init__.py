from .crew_bot import CrewBot

__all__ = ["CrewBot"]
