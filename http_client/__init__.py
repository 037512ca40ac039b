"""The project's HTTP client: a leaf that imports nothing else of the project."""
