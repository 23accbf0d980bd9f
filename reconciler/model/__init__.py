"""Values: what passes between the stages, and the resource kinds a user writes. No I/O, no clock, no threads."""
