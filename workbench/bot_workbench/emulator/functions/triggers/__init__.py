"""What starts the functions of an app, but for HTTP."""
