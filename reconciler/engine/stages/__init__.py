"""The road of one commit: fetch, render, plan, apply, prune, observe. Each returns a value or raises an outcome."""
