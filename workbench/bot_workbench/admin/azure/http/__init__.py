"""The HTTP stack of the clients: requests, retries, sign-in, errors."""
