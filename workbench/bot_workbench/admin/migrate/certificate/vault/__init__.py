"""The vault: access to it, and the certificate with its versions."""
