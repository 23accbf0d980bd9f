"""The tools that Dispatch builds from their published Go modules: one row each.

Every row is built the same way: a go.mod of our own that requires the module and repeats its `replace` lines, because
`go install MODULE@VERSION` refuses a module that has any. A replace by relative path becomes the published module.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Recipe:
    """How one tool is built.

    `package` is relative to the module; `data` are its folders needed at run time; `disk_mib` is what a first build
    adds, Go's own caches included; `on_demand` tools are built only when they are named.
    """

    name: str
    module: str
    version: str
    package: str = ""
    replaces: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    tags: str = ""
    cgo: bool = False
    data: tuple[str, ...] = ()
    disk_mib: int = 1000
    on_demand: bool = False

    @property
    def import_path(self) -> str:
        return f"{self.module}/{self.package}" if self.package else self.module

    @property
    def program(self) -> str:
        """The file's name, as the project itself calls it: programs name themselves by it to the API server, and
        `metadata.managedFields` shows that name.
        """
        return self.package.rpartition("/")[2] or self.name

    @property
    def title(self) -> str:
        return f"{self.name} {self.version}"


KUBERNETES = "v1.35.4"
ROLLOUTS_LIBRARIES = "v0.34.5"

_STAGING = [
    "api",
    "apiextensions-apiserver",
    "apimachinery",
    "apiserver",
    "cli-runtime",
    "client-go",
    "cloud-provider",
    "cluster-bootstrap",
    "code-generator",
    "component-base",
    "component-helpers",
    "controller-manager",
    "cri-api",
    "cri-client",
    "csi-translation-lib",
    "dynamic-resource-allocation",
    "endpointslice",
    "externaljwt",
    "kms",
    "kube-aggregator",
    "kube-controller-manager",
    "kube-proxy",
    "kube-scheduler",
    "kubectl",
    "kubelet",
    "metrics",
    "mount-utils",
    "pod-security-admission",
    "sample-apiserver",
    "sample-cli-plugin",
    "sample-controller",
]


def _staging(version: str) -> dict[str, str]:
    return {f"k8s.io/{name}": f"k8s.io/{name} {version}" for name in _STAGING}


def _kubernetes(name: str, disk_mib: int, on_demand: bool = False) -> Recipe:
    return Recipe(
        name=name,
        module="k8s.io/kubernetes",
        version=KUBERNETES,
        package=f"cmd/{name}",
        replaces=_staging(KUBERNETES.replace("v1.", "v0.", 1)),
        # Without it the server calls itself v0.0.0-master, and clients refuse or warn.
        variables={
            "k8s.io/component-base/version.gitVersion": KUBERNETES,
            "k8s.io/component-base/version.gitMajor": KUBERNETES.split(".")[0].lstrip("v"),
            "k8s.io/component-base/version.gitMinor": KUBERNETES.split(".")[1],
        },
        disk_mib=disk_mib,
        on_demand=on_demand,
    )


_ALL = (
    Recipe("etcd", "go.etcd.io/etcd/server/v3", "v3.6.16", disk_mib=700),
    _kubernetes("kube-apiserver", disk_mib=3000),
    Recipe(
        "kustomize",
        "sigs.k8s.io/kustomize/kustomize/v5",
        "v5.8.1",
        variables={"sigs.k8s.io/kustomize/api/provenance.version": "v5.8.1"},
    ),
    Recipe(
        "helm",
        "helm.sh/helm/v4",
        "v4.3.1",
        package="cmd/helm",
        disk_mib=2000,
        variables={"helm.sh/helm/v4/internal/version.version": "v4.3.1"},
    ),
    _kubernetes("kube-controller-manager", disk_mib=1500),
    Recipe(
        "kwok",
        "sigs.k8s.io/kwok",
        "v0.8.0",
        package="cmd/kwok",
        data=("kustomize/stage",),
        disk_mib=1500,
    ),
    _kubernetes("kube-scheduler", disk_mib=1000),
    _kubernetes("kubectl", disk_mib=1000, on_demand=True),
    Recipe(
        "gitea",
        "code.gitea.io/gitea",
        "v1.26.0",
        replaces={
            "github.com/jaytaylor/html2text": "github.com/Necoro/html2text v0.0.0-20250804200300-7bf1ce1c7347",
            "github.com/nektos/act": "gitea.com/gitea/act v0.261.10",
            "github.com/urfave/cli/v3": "github.com/urfave/cli/v3 v3.4.1",
            "go.yaml.in/yaml/v4": "go.yaml.in/yaml/v4 v4.0.0-rc.3",
            "github.com/Azure/azure-sdk-for-go/sdk/azcore": "github.com/Azure/azure-sdk-for-go/sdk/azcore v1.19.0",
            "github.com/Azure/azure-sdk-for-go/sdk/storage/azblob": (
                "github.com/Azure/azure-sdk-for-go/sdk/storage/azblob v1.6.2"
            ),
            "github.com/microsoft/go-mssqldb": "github.com/microsoft/go-mssqldb v1.9.7",
        },
        variables={"main.Version": "1.26.0"},
        tags="sqlite,sqlite_unlock_notify",
        cgo=True,
        data=("templates", "options", "public"),
        disk_mib=3000,
    ),
    Recipe(
        "rollouts",
        "github.com/argoproj/argo-rollouts",
        "v1.10.0",
        package="cmd/rollouts-controller",
        replaces=_staging(ROLLOUTS_LIBRARIES)
        | {
            "github.com/go-check/check": "github.com/go-check/check v0.0.0-20180628173108-788fd7840127",
            "github.com/go-telegram-bot-api/telegram-bot-api/v5": (
                "github.com/OvyFlash/telegram-bot-api/v5 v5.0.0-20240108230938-63e5c59035bf"
            ),
            "k8s.io/legacy-cloud-providers": "k8s.io/legacy-cloud-providers v0.30.14",
        },
        variables={"github.com/argoproj/argo-rollouts/utils/version.version": "1.10.0"},
        data=("manifests/crds", "manifests/role", "manifests/base"),
        disk_mib=3000,
    ),
    # Without the clouds that it could find its targets in, and without its pages: half the code, half the build.
    Recipe(
        "prometheus",
        "github.com/prometheus/prometheus",
        "v0.316.0",
        package="cmd/prometheus",
        variables={"github.com/prometheus/common/version.Version": "3.16.0"},
        tags="remove_all_sd",
        disk_mib=2000,
    ),
    Recipe(
        "registry",
        "github.com/distribution/distribution/v3",
        "v3.1.2",
        package="cmd/registry",
        variables={"github.com/distribution/distribution/v3/version.version": "v3.1.2"},
        disk_mib=1000,
    ),
    Recipe("cue", "cuelang.org/go", "v0.17.1", package="cmd/cue", on_demand=True),
)

RECIPES: dict[str, Recipe] = {recipe.name: recipe for recipe in _ALL}
