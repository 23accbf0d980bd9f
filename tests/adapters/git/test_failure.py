"""The words of git, ssh, libcurl and the forges, and what is made of them."""

from __future__ import annotations

import pytest

from reconciler.adapters.git.address import check
from reconciler.adapters.git.failure import Refused, Unexplained, explain, late
from reconciler.model.outcome import Reason, Terminal, Transient

ADDRESS = check("https://git.example.com/team/app.git", allow_file=False)
SSH_TAIL = (
    "fatal: Could not read from remote repository.\n\nPlease make sure you have the correct access rights\n"
    "and the repository exists."
)
UNABLE = "fatal: unable to access 'https://git.example.com/team/app.git/': "


@pytest.mark.parametrize(
    "said",
    [
        UNABLE + "Could not resolve host: git.example.com",
        UNABLE + "Failed to connect to git.example.com port 443 after 0 ms: Couldn't connect to server",
        UNABLE + "The requested URL returned error: 503",
        UNABLE + "The requested URL returned error: 429",
        UNABLE + "Operation too slow. Less than 1 bytes/sec transferred the last 10 seconds",
        UNABLE + "gnutls_handshake() failed: The TLS connection was non-properly terminated.",
        UNABLE + "GnuTLS recv error (-110): The TLS connection was non-properly terminated. Recv failure",
        "ssh: Could not resolve hostname git.example.com: Name or service not known\n" + SSH_TAIL,
        "ssh: connect to host git.example.com port 22: Connection refused\n" + SSH_TAIL,
        "kex_exchange_identification: Connection closed by remote host\n" + SSH_TAIL,
        "error: RPC failed; curl 56 Recv failure: Connection reset by peer\nfatal: early EOF",
        "fatal: the remote end hung up unexpectedly",
        SSH_TAIL,
    ],
)
def test_a_host_that_does_not_answer_is_tried_again(said: str) -> None:
    outcome = explain(ADDRESS, said)
    assert isinstance(outcome, Transient) and not isinstance(outcome, Unexplained)
    assert outcome.reason == Reason.SOURCE_UNREACHABLE
    assert outcome.message.startswith("cannot read https://git.example.com/team/app.git: ")


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("fatal: Authentication failed for 'https://git.example.com/team/app.git/'", "Check the Secret"),
        ("fatal: could not read Username for 'https://git.example.com': terminal prompts disabled", "Check the Secret"),
        (UNABLE + "The requested URL returned error: 403", "Check the Secret"),
        ("remote: HTTP Basic: Access denied\nfatal: Authentication failed for 'x'", "Check the Secret"),
        ("git@git.example.com: Permission denied (publickey).\n" + SSH_TAIL, "Check the Secret"),
        ("ERROR: Permission to team/app.git denied to bot.\n" + SSH_TAIL, "Check the Secret"),
        ("Host key verification failed.\n" + SSH_TAIL, "known_hosts"),
        ('Load key "/proc/7/fd/9": error in libcrypto\ngit@h: Permission denied (publickey).', "private key"),
        (UNABLE + "server certificate verification failed. CAfile: none CRLfile: none", "ca.crt"),
        (UNABLE + "SSL certificate problem: unable to get local issuer certificate", "ca.crt"),
        ("error: object 01: hasDotgit: contains '.git'\nfatal: fsck error in packed object", "git fsck"),
        ("fatal: detected dubious ownership in repository at '/srv/a.git'\n" + SSH_TAIL, "owner"),
    ],
)
def test_a_host_that_refuses_stalls_and_says_what_to_do(said: str, advice: str) -> None:
    outcome = explain(ADDRESS, said)
    assert isinstance(outcome, Terminal)
    assert outcome.reason == Reason.SOURCE_DENIED
    assert advice in outcome.message


@pytest.mark.parametrize(
    "said",
    [
        "remote: Repository not found.\nfatal: repository 'https://git.example.com/team/app.git/' not found",
        "fatal: '/srv/app.git' does not appear to be a git repository\n" + SSH_TAIL,
        "remote: The project you were looking for could not be found or you don't have permission to view it.\n"
        + SSH_TAIL,
    ],
)
def test_a_missing_repository_says_so(said: str) -> None:
    outcome = explain(ADDRESS, said)
    assert isinstance(outcome, Terminal)
    assert outcome.reason == Reason.REPOSITORY_NOT_FOUND


@pytest.mark.parametrize(
    "said",
    [
        "fatal: remote error: upload-pack: not our ref 0123",
        "error: Server does not allow request for unadvertised object 0123",
        "fatal: dumb http transport does not support shallow capabilities",
    ],
)
def test_an_object_that_is_not_handed_out_by_its_id_is_told_apart(said: str) -> None:
    assert isinstance(explain(ADDRESS, said), Refused)


@pytest.mark.parametrize("said", ["fatal: write error: No space left on device", "error: Disk quota exceeded"])
def test_a_full_disk_is_ours_and_tried_again(said: str) -> None:
    outcome = explain(ADDRESS, said)
    assert isinstance(outcome, Transient) and not isinstance(outcome, Unexplained)
    assert outcome.reason == Reason.INTERNAL


def test_without_ssh_the_package_is_named() -> None:
    outcome = explain(ADDRESS, "sh: 1: ssh: not found\n" + SSH_TAIL)
    assert outcome.reason == Reason.TOOL_MISSING
    assert "openssh-client" in outcome.message


def test_unknown_words_are_passed_on_without_what_a_terminal_obeys() -> None:
    outcome = explain(ADDRESS, "error: first\nfatal: \x1b[31mstrange\x07 thing\nremote: \n" + SSH_TAIL.split("\n")[2])
    assert isinstance(outcome, Unexplained)
    assert "fatal: [31mstrange thing." in outcome.message
    assert outcome.message.isprintable()


def test_a_silent_git_is_an_outcome_too() -> None:
    assert "without a word" in explain(ADDRESS, "").message


def test_a_late_git_says_how_long_it_had_and_what_it_said_last() -> None:
    outcome = late(ADDRESS, 60, "remote: Counting objects: 5%\n")
    assert outcome.reason == Reason.SOURCE_UNREACHABLE
    assert "no answer within 60 s" in outcome.message
    assert "Git's last line: remote: Counting objects: 5%." in outcome.message
