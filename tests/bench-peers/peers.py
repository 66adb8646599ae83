"""Drives one peer over the two folders: `peers.py intunecd|deepdiff BASELINE CURRENT REPORT`.

Time counts from after the imports, reading and parsing of both folders included. The report holds the
seconds and, for each policy with a finding, the number of findings.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

Found = dict[str, int]
Result = tuple[float, Found, list[str]]


def documents(folder: Path) -> Iterator[dict[str, Any]]:
    for path in folder.iterdir():
        yield json.loads(path.read_bytes())


def intunecd(baseline: Path, current: Path) -> Result:
    """Its own update module for the settings catalog, in report mode; only the network is replaced.

    Batching, joining of the settings, matching, get_diffs and logging are IntuneCD's. In its favour: each
    document is served parsed, once; its stored backup has the keys of `remove_keys` taken out.
    """
    from IntuneCD.update.Intune.SettingsCatalog import SettingsCatalogUpdateModule

    errors: list[str] = []

    class Offline(SettingsCatalogUpdateModule):  # type: ignore[misc]
        tenant: dict[str, dict[str, Any]] = {}
        settings: dict[str, list[Any]] = {}

        def make_graph_request(self, endpoint: str, params: Any = None, method: str = "GET",
                               status_code: int = 200, data: str | None = None) -> dict[str, Any]:
            if endpoint.endswith("/$batch"):
                requests = json.loads(data or "")["requests"]
                return {"responses": [{"id": str(r["id"]), "status": 200, "headers": {}, "body": self.body(r["url"])}
                                      for r in requests]}
            if method != "GET":
                return {}  # what report mode answers
            for doc in documents(current):
                self.settings[doc["id"]] = doc.pop("settings")
                self.tenant[doc["id"]] = doc
            return {"value": list(self.tenant.values())}

        def body(self, url: str) -> dict[str, Any]:
            _, _, identity, *rest = url.split("/")
            if not rest:
                return self.tenant[identity]
            answer = self.settings[identity] if rest[0].startswith("settings") else []
            return {"@odata.context": f"configurationPolicies('{identity}')/{rest[0]}", "value": answer}

        def load_repo_data(self, filename: str) -> dict[str, Any]:
            backup: dict[str, Any] = self.remove_keys(super().load_repo_data(filename))
            return backup

        def log(self, function: str | None = None, msg: str | None = None, tag: str = "info") -> None:
            if tag == "error":
                errors.append(str(msg))
            super().log(function, msg, tag)

    started = time.perf_counter()
    module = Offline(token={"access_token": ""}, path=str(baseline.parent), filetype="json", exclude=[], report=True)
    module.path = f"{baseline}/"  # its own would be "Settings Catalog"
    with open(os.devnull, "w", encoding="utf-8") as nowhere, contextlib.redirect_stdout(nowhere):
        summary = module.main() or []
    return time.perf_counter() - started, {entry["name"]: entry["count"] for entry in summary if entry["count"]}, errors


def deepdiff(baseline: Path, current: Path) -> Result:
    """Pairs by name; the ids and dates of the root, which every tenant copy has anew, are taken out first."""
    from deepdiff import DeepDiff

    def cleaned(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
        for doc in documents(folder):
            for key in ("id", "createdDateTime", "lastModifiedDateTime", "@odata.context"):
                doc.pop(key, None)
            yield doc["name"], doc

    started = time.perf_counter()
    tenant, found = dict(cleaned(current)), Found()
    for name, doc in cleaned(baseline):
        if diff := DeepDiff(doc, tenant.pop(name), ignore_order=True):
            found[name] = sum(len(changes) for changes in diff.values())
    return time.perf_counter() - started, found, []


PACKAGES = {"intunecd": "IntuneCD", "deepdiff": "deepdiff"}

if __name__ == "__main__":
    tool, folders, report = sys.argv[1], [Path(folder) for folder in sys.argv[2:4]], Path(sys.argv[4])
    seconds, found, errors = {"intunecd": intunecd, "deepdiff": deepdiff}[tool](*folders)
    report.write_text(json.dumps({"version": version(PACKAGES[tool]), "seconds": seconds, "found": found,
                                  "errors": errors}), encoding="utf-8")
