"""What the scenes play on: a sandbox, a config repository, a running controller, and the `dispatch` command."""

from __future__ import annotations

import os
import shlex
import shutil
import socket
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import yaml

from demo import people
from demo.customers import Customers
from demo.narrator import Narrator, Untrue
from demo.programs import Programs
from reconciler import app
from reconciler.adapters.kube import KubeCluster
from reconciler.model.change import Refusal
from reconciler.model.identity import identify
from reconciler.model.resource import API_VERSION

NAMESPACE = "team-a"
EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
_SANDBOX = "demo"
_PARTS = "rollouts,prometheus,gitea,registry"


class Stage:
    """Everything that it makes lies below `folder`; nothing else on the machine is touched but the tool cache."""

    def __init__(self, folder: Path, narrator: Narrator) -> None:
        self.folder = folder
        self.narrator = narrator
        self.config = folder / "config"
        self.bare = folder / "config.git"
        self.log = folder / "controller.log"
        self.to_look_at: list[str] = []
        """Lines for who looks around in what is left running."""
        self._programs = Programs(folder)
        self._cluster: KubeCluster | None = None
        self._environment = {**os.environ, "XDG_STATE_HOME": str(folder / "state"), "NO_COLOR": "1"}
        self._environment.pop("KUBECONFIG", None)

    # -- the set

    def clear(self) -> None:
        """Start from nothing: an earlier demo that was kept is taken down."""
        if self.folder.exists():
            self._programs.stop_kept()
            self._run("sandbox", "down", "--name", _SANDBOX)
            shutil.rmtree(self.folder)
        self.folder.mkdir()

    def sandbox_up(self) -> None:
        """Its own lines are the progress that the reader sees: the first build takes a while."""
        command = [*_dispatch(), "sandbox", "up", "--name", _SANDBOX, "--with", _PARTS]
        if subprocess.run(command, env=self._environment, check=False).returncode:
            raise Untrue("the sandbox did not start; see above")
        exports = self.dispatch("sandbox", "env", "--name", _SANDBOX)
        for line in exports.splitlines():
            name, _, value = line.removeprefix("export ").partition("=")
            self._environment[name] = value.strip("'\"")
        self._cluster = app.connect(app.Settings(kubeconfig=self.kubeconfig))

    def start_controller(self) -> None:
        # Gitea must know beforehand where it is to tell of reviews.
        with socket.create_server(("127.0.0.1", 0)) as free:
            here = f"127.0.0.1:{free.getsockname()[1]}"
        addresses = ["--listen", here, "--hooks-url", f"http://{here}", "--prometheus", self.url("prometheus")]
        options = ["--allow-file-repositories", "--log-format", "text", *addresses]
        self._programs.start("controller", [*_dispatch(), "run", *options], self._environment)

    def open_shop(self, namespace: str, *services: str) -> None:
        """The pods of a sandbox run nothing: this program answers in their place, and Prometheus asks it."""
        self.open(f"customers-{namespace}", "progressive/shop.py", "--namespace", namespace, *services)

    def open(self, name: str, example: str, *arguments: str) -> Path:
        """A program of examples/ that stays; its log."""
        return self._programs.start(name, [*self._python(example), *arguments], self._environment)

    def leave(self, keep: bool) -> None:
        """Take everything down, or say how to look at it."""
        if self._cluster is not None:
            self._cluster.close()
        if keep and self._programs:
            self._say_what_is_left()
            return
        self._programs.stop()
        if self.folder.exists():
            self._run("sandbox", "down", "--name", _SANDBOX)

    def _say_what_is_left(self) -> None:
        say = self.narrator.say
        say(f"\nIt is left running. The controller's log: {self._shown(self.log)}. Look at it with:")
        say(f"   export KUBECONFIG={self.kubeconfig}")
        say(f"   dispatch get applications -n {NAMESPACE}      # kubectl works as well")
        for line in self.to_look_at:
            say(f"   {line}")
        say("make demo starts anew; to take it down:")
        say(f"   {self._programs.how_to_stop()}")
        say(f"   XDG_STATE_HOME={self.folder / 'state'} dispatch sandbox down --name {_SANDBOX}")

    def explain(self) -> None:
        """When a promise is broken: what the controller said last."""
        if self.log.exists():
            print("   the controller's last lines:", file=sys.stderr)
            for line in self.log.read_text().splitlines()[-15:]:
                print(f"   | {line}", file=sys.stderr)
        if logs := sorted(self.folder.glob("*.log")):
            print(f"   all that was said: {', '.join(map(self._shown, logs))}", file=sys.stderr)

    # -- what the characters do

    def dispatch(self, *arguments: str, allow: tuple[int, ...] = (0,)) -> str:
        """Run the command as a user would; its output. Raises Untrue when it ends with another exit code."""
        done = self._run(*arguments)
        if done.returncode not in allow:
            raise Untrue(f"`dispatch {' '.join(arguments)}` ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout + (done.stderr if done.returncode else "")

    def shown(self, *arguments: str, allow: tuple[int, ...] = (0,)) -> str:
        """The same, told to the reader."""
        output = self.dispatch(*arguments, allow=allow)
        self.narrator.shows(f"dispatch {shlex.join(self._plain(a) for a in arguments)}", output)
        return output

    def example(self, program: str, *arguments: str) -> str:
        """Run a program of examples/ to its end, told to the reader; its output."""
        argv = [*self._python(program), *arguments]
        done = subprocess.run(argv, env=self._environment, check=False, capture_output=True, text=True)
        words = shlex.join(["python", f"examples/{program}", *map(self._plain, arguments)])
        if done.returncode:
            raise Untrue(f"`{words}` ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        self.narrator.shows(words, done.stdout)
        return done.stdout.strip()

    def invite(self, name: str, role: str) -> None:
        """Somebody with a ClusterRole where the Applications are and where their objects are: `--context NAME`."""
        kubeconfig = self.folder / "people.kubeconfig"
        if not kubeconfig.exists():
            shutil.copyfile(self.kubeconfig, kubeconfig)
            self._environment["KUBECONFIG"] = str(kubeconfig)
        people.invite(self.cluster, kubeconfig, NAMESPACE, name, {NAMESPACE: role, "staging": role})

    def git(self, *arguments: str, at: Path | None = None) -> str:
        identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false"]
        done = subprocess.run(
            ["git", *identity, *arguments], cwd=at or self.config, check=False, capture_output=True, text=True
        )
        if done.returncode:
            raise Untrue(f"`git {' '.join(arguments)}` ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout.strip()

    def push(self, message: str) -> str:
        """Commit all changes of the config repository and push them; the commit."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        self.git("push", "--quiet", "origin", "main")
        commit = self.git("rev-parse", "HEAD")
        self.narrator.say(f"commit {commit[:10]}: {message}")
        return commit

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace a text in a file of the config repository."""
        path = self.config / file
        text = path.read_text()
        if old not in text:
            raise Untrue(f"{file} does not hold {old!r}")
        path.write_text(text.replace(old, new))

    def take_example(self, name: str) -> None:
        """Copy an Application of examples/progressive and its folder into the config repository."""
        example = EXAMPLES / "progressive" / "config"
        shutil.copytree(example / "apps" / name, self.config / "apps" / name)
        shutil.copy(example / "dispatch" / f"{name}.yaml", self.config / "dispatch")

    def strategy(self, name: str) -> str:
        """The part of an Application's file that says how its versions are walked out."""
        text = (self.config / "dispatch" / f"{name}.yaml").read_text()
        return text[text.index("  strategy:") :]

    @property
    def kubeconfig(self) -> Path:
        return Path(self._environment["KUBECONFIG"])

    # -- what the audience sees

    @property
    def cluster(self) -> KubeCluster:
        assert self._cluster is not None
        return self._cluster

    def apply(self, file: Path) -> None:
        """What `kubectl apply -f` does, for a machine without kubectl."""
        for document in yaml.safe_load_all(file.read_text()):
            self.put(document)

    def put(self, document: dict[str, Any]) -> None:
        resource = self.cluster.resource(document["apiVersion"], document["kind"])
        assert resource is not None, document["kind"]
        (answer,) = self.cluster.apply([(resource, document)])
        if isinstance(answer, Refusal):
            raise Untrue(f"{identify(document)} is refused: {answer.message}")

    def live(self, api_version: str, kind: str, name: str, namespace: str = "staging") -> dict[str, Any] | None:
        resource = self.cluster.resource(api_version, kind)
        return self.cluster.read(resource, namespace, name) if resource else None

    def status(self, application: str, namespace: str = NAMESPACE, kind: str = "Application") -> dict[str, Any]:
        found = self.live(API_VERSION, kind, application, namespace) or {}
        return found.get("status") or {}

    def ready(self, application: str, commit: str = "", namespace: str = NAMESPACE) -> dict[str, Any]:
        """The `Ready` condition when it is True (at the commit), else empty."""
        status = self.status(application, namespace)
        if not ((status.get("applied") or {}).get("revision", "")).endswith(commit):
            return {}
        return self.condition(application, "True", namespace)

    def condition(self, application: str, status: str, namespace: str = NAMESPACE) -> dict[str, Any]:
        found = self.status(application, namespace).get("conditions") or []
        return next((c for c in found if c["type"] == "Ready" and c["status"] == status), {})

    def image(self, deployment: str) -> str:
        live = self.live("apps/v1", "Deployment", deployment)
        return live["spec"]["template"]["spec"]["containers"][0]["image"] if live else ""

    def read(self, commit: str, namespace: str = NAMESPACE) -> bool:
        """Whether Dispatch has read the commit from the repository."""
        return str(self.status("config", namespace, "Repository").get("revision", "")).endswith(commit)

    def judged_before(self, rollout: str) -> str:
        """Argo Rollouts' word about the analysis before the switch."""
        found = (self.live("argoproj.io/v1alpha1", "Rollout", rollout) or {}).get("status") or {}
        judged = (found.get("blueGreen") or {}).get("prePromotionAnalysisRunStatus") or {}
        return str(judged.get("status", ""))

    def url(self, part: str) -> str:
        """Where a part of the sandbox is: `registry`, `gitea`."""
        return self._environment[f"{part.upper()}_URL"]

    @property
    def customers(self) -> Customers:
        """Those that `open_shop` has brought."""
        return Customers(self._environment["PROMETHEUS_URL"])

    def tip(self) -> str:
        """What the branch of the repository holds now."""
        return self.git("rev-parse", "main", at=self.bare)

    def rollout(self, application: str) -> dict[str, Any]:
        """What Dispatch says of the Application's Rollout; empty while it has none."""
        found: list[dict[str, Any]] = self.status(application).get("rollouts") or [{}]
        return found[0]

    def promoted(self, application: str, commit: str) -> bool:
        return str((self.status(application).get("promoted") or {}).get("revision", "")).endswith(commit)

    def pods(self, app: str, namespace: str = "staging") -> Counter[str]:
        """How many ready pods with this label there are of each version: the tag of their image."""
        resource = self.cluster.resource("v1", "Pod")
        assert resource is not None
        return Counter(
            pod["spec"]["containers"][0]["image"].partition("@")[0].rpartition(":")[2]
            for pod in self.cluster.listing(resource, namespace, f"app={app}")
            if _is_ready(pod)
        )

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*_dispatch(), *arguments], env=self._environment, check=False, capture_output=True, text=True
        )

    def _python(self, example: str) -> list[str]:
        return [sys.executable, str(EXAMPLES / example)]

    def _plain(self, argument: str) -> str:
        return argument.replace(str(self.folder.parent) + "/", "")

    def _shown(self, path: Path) -> str:
        return str(path.relative_to(self.folder.parent))


def _is_ready(pod: dict[str, Any]) -> bool:
    conditions = pod["status"].get("conditions") or []
    gone = pod["metadata"].get("deletionTimestamp")
    return not gone and any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def _dispatch() -> list[str]:
    return [str(Path(sys.executable).parent / "dispatch")]
