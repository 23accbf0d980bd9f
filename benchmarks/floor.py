"""The floor: what the same objects cost this machine without any controller.

Each object is sent twice, as a dry-run and as a server-side apply, by plain urllib3 from 8 threads: the least that a
tool does that checks all of a stage before it writes the first object of it.
"""

from __future__ import annotations

import time

from benchmarks.server import APPLY, Server
from benchmarks.workload import Load

_QUERY = "fieldManager=floor&force=true&fieldValidation=Strict"


def floor(server: Server, load: Load, namespace: str, version: str) -> float:
    """Seconds for a dry-run and an apply of every object of the load, in a namespace that exists."""
    documents = [document for name in load.names for document in load.documents(name, version)]
    began = time.monotonic()
    for query in (f"{_QUERY}&dryRun=All", _QUERY):
        server.each(
            ("PATCH", f"/api/v1/namespaces/{namespace}/configmaps/{doc['metadata']['name']}?{query}", doc, APPLY)
            for doc in documents
        )
    return time.monotonic() - began
