"""The running system: queue, workers, triggers, and the stages of one reconcile."""
