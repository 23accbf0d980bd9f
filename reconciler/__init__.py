"""Dispatch: a GitOps deployment reconciler for Kubernetes."""

__version__ = "0.1.0"
