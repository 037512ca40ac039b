"""The federated route: the app registration trusts the Function App's identity."""
