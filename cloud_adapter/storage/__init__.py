"""The bot's storage account: blobs and queues."""
