"""The commands of `migrate`: each plans its steps, and runs them."""
