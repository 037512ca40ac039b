"""The storage of an app, as the Functions host reaches it."""
