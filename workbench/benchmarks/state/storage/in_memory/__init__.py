"""A storage account in memory that is faster than any bot: blobs and queues over HTTP on loopback.

It has what bots' storage needs: conditional writes, leases, append blobs, ranges, metadata, lists;
and queues. It verifies no signature, and everything is lost when it ends. A test compares it with
Azurite.
"""
