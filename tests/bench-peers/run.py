#!/usr/bin/env python3
"""Plumbline beside IntuneCD and deepdiff, on the same two folders of policies. See README.md."""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
PLUMBLINE = Path("target/release/plumbline")  # from the project's root
RSS_UNIT = 1 if sys.platform == "darwin" else 1024
RAN = {"plumbline": (0, 2, 3), "intunecd": (0,), "deepdiff": (0,)}


class Run(NamedTuple):
    seconds: float  # of the whole process
    rss: int
    status: int


def peer_python(folder: Path) -> Path:
    """The interpreter of a virtual environment with the pinned peers; made if it is not there."""
    python, installed = folder / "bin/python", folder / "peers.installed"
    build, all_pins = HERE / "requirements-build.txt", HERE / "requirements.txt"
    pins = build.read_text(encoding="utf-8") + all_pins.read_text(encoding="utf-8")
    if not installed.exists() or installed.read_text(encoding="utf-8") != pins:
        print("installing the pinned peers ...", flush=True)
        venv.create(folder, with_pip=True)
        pip: list[str | Path] = [python, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--only-binary=:all:",
                                 "--no-deps", "--require-hashes"]
        subprocess.run([*pip, "-r", build], check=True)
        # One package exists as source only: built with the pinned setuptools, not with one fetched unpinned.
        subprocess.run([*pip, "--no-binary=markdown-toclify", "--no-build-isolation", "--use-pep517", "-r", all_pins], check=True)
        installed.write_text(pins, encoding="utf-8")
    return python


def measure(command: Sequence[str | Path], stdout: Path) -> Run:
    with stdout.open("wb") as out, stdout.with_suffix(".stderr").open("wb") as err:
        started = time.perf_counter()
        child = subprocess.Popen(command, stdout=out, stderr=err)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - started
    child.returncode = os.waitstatus_to_exitcode(status)
    return Run(seconds, usage.ru_maxrss * RSS_UNIT, child.returncode)


def read_plumbline(stdout: Path) -> dict[str, Any]:
    try:
        report = json.loads(stdout.read_text(encoding="utf-8"))
    except ValueError as error:  # a wrong option ends with 2 as well
        raise SystemExit(f"plumbline gave no JSON ({error}):\n{said(stdout)}") from error
    found: dict[str, int] = {}
    for entry in report["drift"]:
        found[entry["display_name"]] = found.get(entry["display_name"], 0) + max(1, len(entry.get("changes") or []))
    return {"found": found, "errors": []}


def said(stdout: Path) -> str:
    return stdout.with_suffix(".stderr").read_text(encoding="utf-8", errors="replace")[-2000:]


def score(found: dict[str, int], truth: dict[str, Any], kinds: dict[str, Sequence[str]]) -> dict[str, Any]:
    """For each kind [policies with a finding, policies planted]; `unplanted`: findings on untouched policies."""
    planted: dict[str, dict[str, str]] = truth["planted"]

    def count(kind: str) -> list[int]:
        names = [name for name, change in planted.items() if change["kind"] == kind]
        return [sum(name in found for name in names), len(names)]

    result: dict[str, Any] = {group: {kind: count(kind) for kind in names} for group, names in kinds.items()}
    hits = [number for name, number in found.items() if planted.get(name, {}).get("kind") in kinds["drift"]]
    result["untouched"] = [len(found.keys() - planted.keys()), truth["untouched"]]
    result["findings_per_hit"] = round(sum(hits) / len(hits), 2) if hits else None
    result["missed"] = {name: change for name, change in planted.items()
                        if change["kind"] in kinds["drift"] and name not in found}
    return result


def clean(tool: dict[str, Any]) -> bool:
    alarms = [*tool["noise"].values(), tool["untouched"]]
    return all(hit == planted for hit, planted in tool["drift"].values()) and not any(hit for hit, _ in alarms)


def table(tools: dict[str, dict[str, Any]]) -> str:
    def share(group: str, kind: str) -> list[str]:
        return ["{}/{}".format(*tool[group][kind]) for tool in tools.values()]

    first = next(iter(tools.values()))
    rows = [("", [f"{name} {tool['version']}".strip() for name, tool in tools.items()])]
    for label, key, form in (("seconds, best", "seconds", ".3f"), ("pairs/s", "pairs_per_s", ",.0f"),
                             ("items/s (documents)", "items_per_s", ",.0f"), ("MB/s", "mb_per_s", ",.1f"), ("max RSS MB", "rss_mb", ".1f")):
        rows.append((label, [format(tool[key], form) for tool in tools.values()]))
    rows += [(f"found: {kind}", share("drift", kind)) for kind in first["drift"]]
    rows += [(f"false alarms: {kind}", share("noise", kind)) for kind in first["noise"]]
    rows.append(("false alarms: untouched", ["{}/{}".format(*tool["untouched"]) for tool in tools.values()]))
    rows.append(("findings per drift found", [str(tool["findings_per_hit"]) for tool in tools.values()]))
    return "\n".join(f"{label:<32}" + "".join(f"{cell:>20}" for cell in cells) for label, cells in rows)


def bench(args: argparse.Namespace, work: Path) -> int:
    tools = list(args.tools)
    if "plumbline" in tools and not args.plumbline.is_file():
        print(f"plumbline: SKIPPED, no binary at {args.plumbline} (build it with: cargo build --release)")
        tools.remove("plumbline")

    options = [f"--{name}={getattr(args, name)}" for name in ("items", "seed", "drift", "noise")]
    subprocess.run([sys.executable, HERE / "corpus.py", args.data, work, *options,
                    *(["--full"] if args.metadata == "full" else [])], check=True)
    baseline, current = (work / side / "settingsCatalogPolicy" for side in ("baseline", "current"))
    commands: dict[str, list[str | Path]] = {}
    if {"intunecd", "deepdiff"} & set(tools):
        python = peer_python(args.venv or work / "venv")
        for peer in {"intunecd", "deepdiff"} & set(tools):
            commands[peer] = [python, HERE / "peers.py", peer, baseline, current, work / f"{peer}.json"]
    commands["plumbline"] = [args.plumbline, "compare", "--baseline", baseline.parent, "--current", current.parent,
                             "--match", "name", "--complete", "both", "--format", "json"]

    # A child starts with its parent's peak on its account, so nothing big is read before the last run.
    floor = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * RSS_UNIT
    runs: dict[str, list[Run]] = {tool: [] for tool in tools}
    seconds: dict[str, list[float]] = {tool: [] for tool in tools}
    for _ in range(args.runs):
        for tool in tools:
            run = measure(commands[tool], work / f"{tool}.stdout")
            if run.status not in RAN[tool]:
                print(f"{tool} failed with exit code {run.status}:\n{said(work / f'{tool}.stdout')}")
                return 1
            runs[tool].append(run)
            seconds[tool].append(run.seconds if tool == "plumbline" else peer_report(work, tool)["seconds"])

    truth = json.loads((work / "truth.json").read_text(encoding="utf-8"))
    from mutate import DRIFT, NOISE
    results: dict[str, dict[str, Any]] = {}
    for tool in tools:
        report = read_plumbline(work / "plumbline.stdout") if tool == "plumbline" else peer_report(work, tool)
        best, pairs = min(seconds[tool]), truth["pairs"]
        results[tool] = {
            "version": report.get("version", ""), "seconds": best, "process_seconds": min(run.seconds for run in runs[tool]),
            "pairs_per_s": pairs / best, "items_per_s": 2 * pairs / best, "mb_per_s": truth["bytes"] / best / 1e6,
            "rss_mb": max(run.rss for run in runs[tool]) / 1e6, "exit": runs[tool][-1].status, "errors": report["errors"],
            **score(report["found"], truth, {"drift": list(DRIFT), "noise": list(NOISE)}),
        }

    print(f"{truth['pairs']} pairs from {truth['sources']} real policies, {truth['metadata']} metadata, "
          f"{truth['bytes'] / 1e6:.1f} MB in both folders")
    print(f"seed {truth['seed']}, drift {args.drift:.0%}, noise {args.noise:.0%}; best of {args.runs}; "
          f"Python {platform.python_version()}\n")
    if results:
        print(table(results))
    print(f"\nmax RSS is never less than {floor / 1e6:.1f} MB here (what the measuring process holds)")
    for tool, result in results.items():
        for error in result["errors"][:3]:
            print(f"{tool} logged an error: {error}")
        alarms, policies = result["untouched"]
        if 2 * alarms > policies:
            print(f"{tool} reports most policies nobody touched: its found kinds say nothing")
    ratio = None
    if {"plumbline", "intunecd"} <= results.keys():
        ratio = results["plumbline"]["pairs_per_s"] / results["intunecd"]["pairs_per_s"]
        print(f"Plumbline : IntuneCD = {ratio:.1f} : 1 in pairs")
    if "plumbline" in results:
        print(f"plumbline ended with exit code {results['plumbline']['exit']} (0 equal, 2 drift, 3 not proven)")
        for name, change in list(results["plumbline"]["missed"].items())[:5]:
            print(f"plumbline missed {change['kind']} at {change['path']} of {name!r}")
    if args.json:
        document = {**{key: value for key, value in truth.items() if key != "planted"},
                    "drift": args.drift, "noise": args.noise, "runs": args.runs, "python": platform.python_version(),
                    "rss_floor_mb": floor / 1e6, "ratio": ratio, "tools": results}
        args.json.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    if args.min_ratio is not None and (ratio is None or ratio < args.min_ratio or not clean(results["plumbline"])):
        print(f"FAILED: wanted {args.min_ratio:g} : 1 with every drift found and no false alarm")
        return 1
    return 0


def peer_report(work: Path, tool: str) -> dict[str, Any]:
    report: dict[str, Any] = json.loads((work / f"{tool}.json").read_text(encoding="utf-8"))
    return report


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("PLUMBLINE_DATA"), help="real policies (default: $PLUMBLINE_DATA)")
    parser.add_argument("--plumbline", type=Path, default=HERE.parents[1] / PLUMBLINE, help=f"binary (default: {PLUMBLINE})")
    parser.add_argument("--venv", type=Path, help="keep the peers here and use them again")
    parser.add_argument("--work", type=Path, help="keep folders, truth and reports here (must be new or empty)")
    parser.add_argument("--items", type=int, default=806, help="policies in each folder")
    parser.add_argument("--drift", type=float, default=0.10, help="share of policies with one planted change")
    parser.add_argument("--noise", type=float, default=0.10, help="share of policies with planted noise")
    parser.add_argument("--metadata", choices=("default", "full"), default="default", help="OData metadata of both folders")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--tools", nargs="+", choices=tuple(RAN), default=["intunecd", "deepdiff", "plumbline"])
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--min-ratio", type=float, help="fail below this Plumbline : IntuneCD, or if Plumbline's score is not clean")
    args = parser.parse_args()
    if not args.data or not Path(args.data).is_dir():
        parser.error("no data: set PLUMBLINE_DATA or give --data")
    if args.work:
        if args.work.is_dir() and any(args.work.iterdir()):
            parser.error(f"{args.work} is not empty")
        args.work.mkdir(parents=True, exist_ok=True)
        return bench(args, args.work)
    with tempfile.TemporaryDirectory(prefix="bench-peers-") as work:
        return bench(args, Path(work))


if __name__ == "__main__":
    sys.exit(main())
