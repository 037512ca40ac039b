"""Before the template: what is missing, and the app registration that the template cannot make."""
