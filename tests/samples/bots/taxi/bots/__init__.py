from .taxi_bot import TaxiBot

__all__ = ["TaxiBot"]
