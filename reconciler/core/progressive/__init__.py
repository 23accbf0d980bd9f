"""Versions on their way out: what is seen of a Rollout, which revision may start, what a change will do."""
