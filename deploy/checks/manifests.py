"""Validates rendered Kubernetes manifests: FILE…

Pods have to satisfy the Pod Security Standard `restricted`, and more than it: a read-only root, a
limit on memory, and more time to stop than a worker takes to drain.

Built-in kinds are compared with Kubernetes' own schemas, strictly. Kinds of operators (KEDA, the
Prometheus operator) have no schema here: they are only read as YAML, and named.
"""

import sys

import kubernetes_validate
import yaml

VERSION = "1.30"
OPERATORS = {"keda.sh/v1alpha1", "monitoring.coreos.com/v1"}


def weaknesses(pod: dict):
    """What a pod does not have that it should."""
    if not pod["securityContext"].get("runAsNonRoot"):
        yield "may run as root"
    if pod["securityContext"].get("seccompProfile", {}).get("type") != "RuntimeDefault":
        yield "has no seccomp profile"
    if pod.get("automountServiceAccountToken") is not False:
        yield "holds a token of the cluster"
    for container in pod["containers"]:
        context = container["securityContext"]
        if context.get("allowPrivilegeEscalation") is not False or context["capabilities"] != {"drop": ["ALL"]}:
            yield "may gain rights"
        if not context.get("readOnlyRootFilesystem"):
            yield "writes to its root"
        if "memory" not in container["resources"].get("limits", {}):
            yield "has no limit on memory"
        drain = [int(one["value"]) for one in container["env"] if one["name"].endswith("__DRAIN_SECONDS")]
        if "terminationGracePeriodSeconds" in pod and pod["terminationGracePeriodSeconds"] <= drain[0]:
            yield "is killed before it has drained"


problems = []
unchecked = set()
for file in sys.argv[1:]:
    with open(file, encoding="utf-8") as stream:
        manifests = [one for one in yaml.safe_load_all(stream) if one]
    if not manifests:
        problems.append(f"{file}: there is nothing")
    for manifest in manifests:
        name = f"{manifest['kind']}/{manifest['metadata']['name']}"
        if manifest["apiVersion"] in OPERATORS:
            unchecked.add(manifest["kind"])
            continue
        pod = manifest.get("spec", {}).get("template", {}).get("spec")
        if pod:
            problems.extend(f"{file}: {name} {weakness}" for weakness in weaknesses(pod))
        try:
            kubernetes_validate.validate(manifest, VERSION, strict=True)
        except kubernetes_validate.ValidationError as error:
            problems.append(f"{file}: {name}: {error}")
print("without a schema:", ", ".join(sorted(unchecked)) or "none")
for problem in problems:
    print(problem, file=sys.stderr)
sys.exit(1 if problems else 0)
