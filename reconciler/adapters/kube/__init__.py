"""One Kubernetes API server behind `reconciler.ports.Cluster`; `connect` is the way in.

The package `kubernetes` reads the configuration and the credentials (access.py, the only module that imports it),
urllib3 opens the connections, and a request is a value (requests.py) that travels as bytes (wire.py). Objects are
dicts on the whole way: the typed models of `kubernetes` cost ten times the parse.
"""

from reconciler.adapters.kube.cluster import KubeCluster, connect

__all__ = ["KubeCluster", "connect"]
