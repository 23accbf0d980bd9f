"""The main job, on real parts, told as it happens: `make demo`."""
