"""Prints the queries of the dashboard and of rendered manifests as rules, so that promtool reads them: FILE…"""

import json
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parent.parent.parent
VARIABLES = {"$__rate_interval": "5m"}


def queries():
    dashboard = json.loads((ROOT / "deploy/grafana/mis-sync.json").read_text(encoding="utf-8"))
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield target["expr"]
    for file in sys.argv[1:]:
        for manifest in yaml.safe_load_all(Path(file).read_text(encoding="utf-8")):
            for trigger in (manifest or {}).get("spec", {}).get("triggers", []):
                yield trigger["metadata"]["query"]


rules = []
for number, query in enumerate(queries()):
    for variable, value in VARIABLES.items():
        query = query.replace(variable, value)
    rules.append({"record": f"query:{number}", "expr": query})
print(json.dumps({"groups": [{"name": "queries", "rules": rules}]}))
