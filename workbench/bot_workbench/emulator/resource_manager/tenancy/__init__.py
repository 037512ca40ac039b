"""The tenant with its subscriptions and resource groups."""
