from .catalogue_bot import CatalogueBot

__all__ = ["CatalogueBot"]
