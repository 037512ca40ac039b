from .garden_welcome_bot import GardenWelcomeBot

__all__ = ["GardenWelcomeBot"]
