"""The common parts of the commands that change Azure: plans of steps, the runner, options and
output."""
