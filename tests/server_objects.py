"""Objects of many kinds as teams write them: with short forms, nulls, empty lists and values that the server drops."""

from __future__ import annotations

import textwrap
from typing import Any

import yaml

_DOCUMENTS = """
apiVersion: v1
kind: ConfigMap
metadata: {name: config, labels: null, annotations: {}}
data: {a: "1", empty: ""}
binaryData: {b: eA==}
---
apiVersion: v1
kind: Secret
metadata: {name: secret, creationTimestamp: null}
type: Opaque
data: {kept: eA==}
stringData: {text: hunter2}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: account}
imagePullSecrets: [{name: registry}]
automountServiceAccountToken: false
---
apiVersion: v1
kind: Service
metadata: {name: service}
spec:
  selector: {app: web}
  publishNotReadyAddresses: false
  ports: [{name: http, port: 80}, {name: dns, port: 53, protocol: UDP, targetPort: 5353}]
---
apiVersion: v1
kind: Service
metadata: {name: headless}
spec: {clusterIP: None, selector: {app: web}, ports: [{port: 80, targetPort: http}]}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: claim}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: deployment, labels: {app: web}}
spec:
  replicas: 0
  paused: false
  minReadySeconds: 0
  selector: {matchLabels: {app: web}}
  template:
    metadata: {creationTimestamp: null, labels: {app: web}}
    spec:
      hostNetwork: false
      nodeSelector: {}
      tolerations: []
      imagePullSecrets: []
      securityContext: {}
      affinity: null
      initContainers: [{name: init, image: busybox, command: ["true"]}]
      containers:
      - name: web
        image: nginx:1
        args: [--a, --b]
        env:
        - {name: A, value: ""}
        - {name: B, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
        - {name: C, valueFrom: {secretKeyRef: {name: secret, key: kept}}}
        - {name: D, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}
        envFrom: [{configMapRef: {name: config}}]
        ports: [{containerPort: 80}, {containerPort: 53, protocol: UDP}]
        livenessProbe: {httpGet: {path: /, port: 80}}
        resources: {limits: {cpu: 500m, memory: 1Gi}, requests: {}}
        volumeMounts: [{name: tmp, mountPath: /tmp, readOnly: false}, {name: config, mountPath: /etc/app}]
      - {name: side, image: busybox}
      volumes:
      - {name: tmp, emptyDir: {}}
      - {name: config, configMap: {name: config, items: [{key: a, path: a}]}}
      - {name: token, projected: {sources: [{serviceAccountToken: {path: token}}]}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: stateful}
spec:
  serviceName: headless
  replicas: 0
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway}]
      hostAliases: [{ip: 10.0.0.1, hostnames: [a, b]}]
      containers: [{name: db, image: "postgres:17", volumeMounts: [{name: data, mountPath: /data}]}]
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: daemon}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec: {nodeSelector: {none: "true"}, containers: [{name: agent, image: agent, tty: false}]}
---
apiVersion: batch/v1
kind: Job
metadata: {name: job}
spec:
  suspend: true
  template: {spec: {restartPolicy: Never, containers: [{name: job, image: busybox}]}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: cron}
spec:
  schedule: "0 0 1 1 *"
  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: job, image: busybox}]}}}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: ingress}
spec:
  rules:
  - host: web.example
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: service, port: {number: 80}}}}]}
  tls: [{hosts: [web.example], secretName: secret}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: policy}
spec:
  podSelector: {}
  ingress: [{from: [{namespaceSelector: {}}], ports: [{port: 80}]}]
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: autoscaler}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: other}
  maxReplicas: 3
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 60}}}]
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: budget}
spec: {maxUnavailable: 1, selector: {matchLabels: {app: web}}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: role}
rules: [{apiGroups: [""], resources: [pods], verbs: [get, list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: binding}
roleRef: {kind: Role, name: role, apiGroup: rbac.authorization.k8s.io}
subjects: [{kind: ServiceAccount, name: account}, {kind: User, name: somebody}]
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: quota}
spec: {hard: {pods: "100"}}
---
apiVersion: v1
kind: LimitRange
metadata: {name: limits}
spec: {limits: [{type: PersistentVolumeClaim, max: {storage: 100Gi}}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: endpoints}
addressType: IPv4
ports: [{name: http, port: 80}]
endpoints: [{addresses: [10.1.2.3]}]
"""

DEFINITION = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.compare.example}
spec:
  group: compare.example
  scope: Namespaced
  names: {kind: Thing, plural: things}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              filled: {type: integer, default: 3}
              named: {type: string}
              whole: {type: array, items: {type: string}}
              members: {type: array, x-kubernetes-list-type: set, items: {type: string}}
              parts:
                type: array
                x-kubernetes-list-type: map
                x-kubernetes-list-map-keys: [id]
                items: {type: object, required: [id], properties: {id: {type: string}, size: {type: integer}}}
              open: {type: object, x-kubernetes-preserve-unknown-fields: true}
"""

THING = """
apiVersion: compare.example/v1
kind: Thing
metadata: {name: thing}
spec:
  named: x
  whole: [b, a]
  members: [y, x]
  parts: [{id: b, size: 1}, {id: a}]
  open: {list: [{deep: 1}], map: {k: true}}
"""


def many() -> list[dict[str, Any]]:
    """A fresh copy of each."""
    return [document for document in yaml.safe_load_all(textwrap.dedent(_DOCUMENTS)) if document]


def one(kind: str) -> dict[str, Any]:
    """A fresh copy of the first object of a kind."""
    return next(document for document in many() if document["kind"] == kind)


def custom() -> tuple[dict[str, Any], dict[str, Any]]:
    """A CustomResourceDefinition with a list of each type, and an object of it."""
    return yaml.safe_load(DEFINITION), yaml.safe_load(THING)
