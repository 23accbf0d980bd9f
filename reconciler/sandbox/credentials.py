"""Who may speak to the sandbox's API server: tokens, kubeconfigs and the key that signs service account tokens."""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import dataclass

from reconciler.sandbox.home import Home, write_private

# The order of the base point of NIST P-256 (SEC 2, section 2.4.2): a private key is a number below it.
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@dataclass(frozen=True)
class Identity:
    """A user of the API server, authenticated by a token of the token file."""

    name: str
    user: str
    groups: tuple[str, ...] = ()


ADMINISTRATOR = Identity("administrator", "sandbox-administrator", ("system:masters",))
COMPONENTS = (
    # The users that the API server's own bootstrap roles are made for.
    Identity("controllers", "system:kube-controller-manager"),
    Identity("scheduler", "system:kube-scheduler"),
    # It plays every kubelet at once, which no bootstrap role allows.
    Identity("kwok", "kwok", ("system:masters",)),
    Identity(
        "rollouts",
        "system:serviceaccount:argo-rollouts:argo-rollouts",
        ("system:serviceaccounts", "system:serviceaccounts:argo-rollouts"),
    ),
)


def write_tokens(home: Home) -> None:
    """The file of `--token-auth-file`: token, user, uid, "groups". An existing one is kept."""
    if home.tokens.exists():
        return
    lines = [
        f'{secrets.token_urlsafe(32)},{who.user},{who.name},"{",".join(who.groups)}"'
        for who in (ADMINISTRATOR, *COMPONENTS)
    ]
    write_private(home.tokens, "\n".join(lines) + "\n")


def token(home: Home, name: str) -> str:
    for line in home.tokens.read_text(encoding="utf-8").splitlines():
        secret, _, uid, _ = line.split(",", 3)
        if uid == name:
            return secret
    raise KeyError(name)


def write_kubeconfigs(home: Home) -> None:
    """One for the administrator and one for each component; needs the API server's port and certificate."""
    authority = base64.b64encode(home.authority.read_bytes()).decode()
    server = {"server": home.api_url, "certificate-authority-data": authority}
    for who in (ADMINISTRATOR, *COMPONENTS):
        path = home.kubeconfig if who is ADMINISTRATOR else home.component_kubeconfig(who.name)
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "sandbox",
            "clusters": [{"name": "sandbox", "cluster": server}],
            "users": [{"name": who.name, "user": {"token": token(home, who.name)}}],
            "contexts": [{"name": "sandbox", "context": {"cluster": "sandbox", "user": who.name}}],
        }
        # JSON is YAML, and needs no library.
        write_private(path, json.dumps(document, indent=2) + "\n")


def write_signing_key(home: Home) -> None:
    """A P-256 private key in the form of RFC 5915; readers derive the public point, so none is stored."""
    if home.signing_key.exists():
        return
    number = (secrets.randbelow(P256_ORDER - 1) + 1).to_bytes(32, "big")
    p256 = bytes.fromhex("06082a8648ce3d030107")
    body = b"\x02\x01\x01" + b"\x04\x20" + number + b"\xa0" + bytes([len(p256)]) + p256
    encoded = base64.encodebytes(b"\x30" + bytes([len(body)]) + body).decode()
    write_private(home.signing_key, f"-----BEGIN EC PRIVATE KEY-----\n{encoded}-----END EC PRIVATE KEY-----\n")
