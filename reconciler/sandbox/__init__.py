"""A real local Kubernetes without a container engine: its parts are built from their modules and run as children."""
