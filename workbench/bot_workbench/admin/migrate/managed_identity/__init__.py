"""`migrate managed-identity`: a new Azure Bot with a managed identity, beside the old one."""
