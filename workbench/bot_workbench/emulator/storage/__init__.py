"""Azure Storage: Azurite in a child process."""
