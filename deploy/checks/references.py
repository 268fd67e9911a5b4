"""Checks what the files of deploy/ say of each other and of the documents.

- Every metric that a rule, a test, the dashboard, the chart or a runbook names is in docs/metrics.md.
- Every alert has a runbook and a test in which it fires, and every runbook has an alert.
- The panels of the dashboard have ids of their own and do not overlap.
"""

import json
import re
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parent.parent.parent
METRIC = re.compile(r"\b(?:mis_sync|process)_[a-z0-9]+(?:_[a-z0-9]+)*\b")
PARTS = re.compile(r"_(bucket|sum|count)$")

problems = []


def text(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def metrics_of(words: str) -> set[str]:
    return set(METRIC.findall(words))


def check_metrics() -> None:
    known = metrics_of(text("docs/metrics.md"))
    files = ["deploy/prometheus/alerts.yml", "deploy/prometheus/alerts.test.yml", "deploy/grafana/mis-sync.json"]
    files += ["docs/runbooks.md"]
    chart = ROOT / "deploy/helm/mis-sync"
    files += [str(file.relative_to(ROOT)) for file in sorted(chart.rglob("*.yaml"))]
    for file in files:
        for name in sorted(metrics_of(text(file))):
            if name not in known and PARTS.sub("", name) not in known:
                problems.append(f"{file}: docs/metrics.md has no metric {name}")


def check_alerts() -> None:
    rules = yaml.safe_load(text("deploy/prometheus/alerts.yml"))
    alerts = {rule["alert"]: rule for group in rules["groups"] for rule in group["rules"]}
    tests = yaml.safe_load(text("deploy/prometheus/alerts.test.yml"))
    fired = {
        one["alertname"] for test in tests["tests"] for one in test["alert_rule_test"] if one["exp_alerts"]
    }
    runbooks = re.findall(r"^## (MisSync\w+)$", text("docs/runbooks.md"), re.MULTILINE)
    for name, rule in alerts.items():
        if name not in fired:
            problems.append(f"alerts.test.yml: {name} fires in no test")
        if name not in runbooks:
            problems.append(f"docs/runbooks.md: {name} has no section")
        if rule["annotations"]["runbook_url"] != f"docs/runbooks.md#{name.lower()}":
            problems.append(f"alerts.yml: {name} names another runbook")
        if rule["labels"]["severity"] not in ("page", "ticket"):
            problems.append(f"alerts.yml: {name} has an unknown severity")
    problems.extend(f"docs/runbooks.md: there is no alert {name}" for name in runbooks if name not in alerts)


def check_dashboard() -> None:
    panels = json.loads(text("deploy/grafana/mis-sync.json"))["panels"]
    ids = [panel["id"] for panel in panels]
    if len(ids) != len(set(ids)):
        problems.append("mis-sync.json: two panels have one id")
    used: dict[tuple[int, int], str] = {}
    for panel in panels:
        place = panel["gridPos"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                if x >= 24 or used.setdefault((x, y), panel["title"]) != panel["title"]:
                    problems.append(f"mis-sync.json: {panel['title']} overlaps")
                    return


check_metrics()
check_alerts()
check_dashboard()
for problem in problems:
    print(problem, file=sys.stderr)
sys.exit(1 if problems else 0)
