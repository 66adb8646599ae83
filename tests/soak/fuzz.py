#!/usr/bin/env python3
"""Runs the fuzz targets for a while and says how many inputs each tried.

Needs cargo-fuzz (`cargo install cargo-fuzz`); works on the stable toolchain, without a sanitizer.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys

TARGETS = ("decode", "normalise", "diff")
HERE = pathlib.Path(__file__).resolve().parent
FUZZ = HERE.parent / "fuzz"


def seed(target: str, corpus: pathlib.Path, folders: list[pathlib.Path]) -> None:
    """Fills a corpus from real-shaped files, in the form the target takes them."""
    corpus.mkdir(parents=True, exist_ok=True)
    files = [path for folder in folders for path in sorted(folder.rglob("*.json"))]
    for number, path in enumerate(files):
        body = path.read_bytes()[:200_000]
        if target == "normalise":
            body = bytes([number % 77]) + body
        elif target == "diff":
            body = bytes([number % 77]) + body + b"\0" + body
        (corpus / f"seed-{number}").write_bytes(body)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20, help="for each target")
    parser.add_argument("--target", choices=TARGETS, action="append")
    arguments = parser.parse_args()
    folders = [HERE.parent.parent / "functions/local/samples"]
    if os.environ.get("PLUMBLINE_DATA"):
        folders.append(pathlib.Path(os.environ["PLUMBLINE_DATA"]))
    failed = False
    for target in arguments.target or TARGETS:
        corpus = FUZZ / "corpus" / target
        seed(target, corpus, folders)
        command = ["cargo", "fuzz", "run", "-s", "none", "--fuzz-dir", str(FUZZ), target, str(corpus), "--",
                   f"-max_total_time={int(arguments.minutes * 60)}", "-max_len=65536", "-rss_limit_mb=4096",
                   "-print_final_stats=1", "-verbosity=1"]
        run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=FUZZ)
        found = re.search(r"stat::number_of_executed_units:\s*(\d+)", run.stderr)
        print(f"{target}: {found.group(1) if found else '?'} executions, exit {run.returncode}", flush=True)
        if run.returncode != 0:
            failed = True
            print(run.stderr[-3000:], file=sys.stderr)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
