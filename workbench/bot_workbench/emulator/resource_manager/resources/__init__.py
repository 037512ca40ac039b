"""Resources that a bot needs beside itself and its app: identities, vaults, storage."""
