"""How a new version takes over from the one that runs: rolling, canary, blue/green."""
