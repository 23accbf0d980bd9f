"""Decisions about how versions move: pure functions of values, with time passed in. They know the model only."""
