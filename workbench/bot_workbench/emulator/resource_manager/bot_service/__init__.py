"""Azure Bot Service: Azure Bots, their channels and OAuth connections."""
