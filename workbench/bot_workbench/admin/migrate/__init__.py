"""`bot migrate`: moves a bot from a secret to a credential without one."""
