"""The evidence of Azure, the directory and the deployed bot, read without changing anything."""
