"""The comparison of performance: this project beside its peers, on one machine, in one run."""
