"""The certificate route: a certificate in Key Vault, whose public key the app registration has."""
