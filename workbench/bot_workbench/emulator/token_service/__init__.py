"""The Bot Framework token service."""
