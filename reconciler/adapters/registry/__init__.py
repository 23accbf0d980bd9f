"""The port `Registry`: the distribution API of OCI registries, over the shared HTTP client."""

from reconciler.adapters.registry.oci import OciRegistry

__all__ = ["OciRegistry"]
