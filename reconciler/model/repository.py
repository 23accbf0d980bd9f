"""The kind `Repository`: a Git repository that Dispatch reads."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from reconciler.model.resource import API_VERSION, Condition, Duration, Metadata, Name, Record, Section


class SecretName(Section):
    """The name of a Secret in the namespace of the document that names it."""

    name: Name


class RepositorySpec(Section):
    """Where to read and how often to look."""

    url: Annotated[
        str,
        Field(
            min_length=1,
            description="https://, ssh:// or git@host:path; file:// where the operator allows it. No password in it.",
        ),
    ]
    branch: Annotated[
        str, Field(min_length=1, description="The branch that Applications follow when they name no revision.")
    ] = "main"
    interval: Annotated[Duration, Field(description="How often the remote is asked for its refs.", ge=1)] = 60.0
    timeout: Annotated[Duration, Field(description="How long one git command may take.", ge=1)] = 60.0
    credentials_ref: Annotated[
        SecretName | None,
        Field(
            description="A Secret with username and password (or only password: a token), or ssh-privatekey and "
            "known_hosts; ca.crt for a private authority."
        ),
    ] = None


class RepositoryStatus(Record):
    """What was last seen there."""

    observed_generation: int = 0
    revision: str = ""
    conditions: tuple[Condition, ...] = ()


class Repository(Section):
    """A Git repository that Dispatch reads, with its credentials and its poll interval."""

    api_version: Literal["dispatch.dev/v1alpha1"] = API_VERSION  # type: ignore[assignment]
    kind: Literal["Repository"] = "Repository"
    metadata: Metadata
    spec: RepositorySpec
    status: RepositoryStatus = RepositoryStatus()
