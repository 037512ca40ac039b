"""The proofs of applications' identities: secrets, and assertions of two kinds."""
