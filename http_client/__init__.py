"""The project's HTTP client. It imports nothing else from the project."""
