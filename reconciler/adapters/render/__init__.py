"""Folders of a repository to Kubernetes objects: plain YAML, kustomize and Helm, each in a jail."""
