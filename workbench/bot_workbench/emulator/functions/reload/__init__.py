"""Reload on save: the app's code is watched, and a new worker process takes over."""
