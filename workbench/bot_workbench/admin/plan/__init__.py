"""What the commands that change Azure share: plans of steps, the runner, options and output."""
