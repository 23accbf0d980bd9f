"""`make bench`: how fast Dispatch is, beside the floor of the same machine and beside its peers, in one run."""
