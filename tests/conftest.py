"""What every test gets: the sandbox's fixtures, a clean environment, and the mark of what needs a real platform."""

from __future__ import annotations

import os
import signal

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["sandbox_fixtures", "controller_fixtures", "rollout_fixtures", "promoting"]

settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("suite")

_PLATFORMS = frozenset({"apiserver", "cluster", "platform", "gitea", "registry", "namespace", "town", "harbour"})

_FOLDERS = ("tests/sandbox/", "tests/cluster/", "tests/faults/")


def pytest_configure(config: pytest.Config) -> None:
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # So a shell starts what it runs in the background, and children inherit it: Ctrl-C would not end them.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.addinivalue_line("markers", "sandbox: starts parts of the sandbox (set by itself, from the fixtures used)")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        used = set(getattr(item, "fixturenames", ()))
        if used & _PLATFORMS or item.nodeid.startswith(_FOLDERS):
            item.add_marker(pytest.mark.sandbox)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the machine's own cluster, git identity or colours."""
    for name in list(os.environ):
        if name == "KUBECONFIG" or name.startswith(("GIT_", "HELM_", "KUBERNETES_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("NO_COLOR", "1")
