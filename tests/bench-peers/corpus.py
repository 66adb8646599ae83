"""Builds the two folders: real policies repeated with new ids and names, and a tenant copy with planted changes."""

from __future__ import annotations

import argparse
import itertools
import json
import random
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mutate import DRIFT, NOISE, Doc, Mutation

# Members a Graph client gets only when it asks for full metadata.
FULL_ONLY = re.compile(r"^#|.@odata\.|^@odata\.(id|editLink)$")
# The service sends @odata.type where the type is not the declared one: instances and simple values.
DERIVED = re.compile(r"(Instance|(String|Integer|Secret|Reference)SettingValue)$")
FOLDER = "settingsCatalogPolicy"


def decode(raw: bytes) -> str:
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return raw.decode("utf-16")
    return raw.decode("utf-16-le" if raw[1:2] == b"\0" else "utf-8-sig")


def settings_catalog(data: Path) -> Iterator[Doc]:
    for path in sorted(data.rglob("*.json")):
        try:
            doc = json.loads(decode(path.read_bytes()))
        except ValueError:
            continue  # the data holds awkward input on purpose
        if isinstance(doc, dict) and "#deviceManagement/configurationPolicies" in str(doc.get("@odata.context")) \
                and isinstance(doc.get("settings"), list) and doc["settings"]:
            yield doc


def default_metadata(node: Any) -> Any:
    """The document as the service sends it to a client that does not ask for full metadata."""
    if isinstance(node, list):
        return [default_metadata(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {key: default_metadata(value) for key, value in node.items()
            if not FULL_ONLY.search(key) and (key != "@odata.type" or DERIVED.search(value))}


def new_id(rng: random.Random) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def with_id(doc: Doc, identity: str) -> Doc:
    """A deep copy under another id, in the links too."""
    copied: Doc = json.loads(json.dumps(doc).replace(doc["id"], identity))
    return copied


def baseline_copy(source: Doc, number: int, rng: random.Random) -> Doc:
    doc = with_id(source, new_id(rng))
    doc["name"] = f"{source['name']} [{number:05}]"
    doc["description"] = source.get("description") or f"Settings of {source['name']}"
    doc.pop("assignments", None)  # empty in all of them
    return doc


def tenant_copy(doc: Doc, rng: random.Random) -> Doc:
    return with_id(doc, new_id(rng)) | {"createdDateTime": "2025-11-01T06:30:00.1234567Z",
                                       "lastModifiedDateTime": f"2025-11-02T07:31:{rng.randrange(60):02}.7654321Z"}


def compact(doc: Doc) -> str:
    return json.dumps(doc, ensure_ascii=False, separators=(",", ":"))


def build(data: Path, out: Path, items: int, seed: int, drift: float, noise: float, full: bool) -> dict[str, Any]:
    rng = random.Random(seed)
    sources = [doc if full else default_metadata(doc) for doc in settings_catalog(data)]
    if not sources:
        raise SystemExit(f"no settings catalog policy found in {data}")
    folders = [out / side / FOLDER for side in ("baseline", "current")]
    for folder in folders:
        folder.mkdir(parents=True)

    size = 0

    def write(folder: Path, text: str) -> None:
        nonlocal size
        content = text.encode()
        size += len(content)
        (folder / f"{new_id(rng)}.json").write_bytes(content)  # no tool may pair by file name

    current: list[str] = []
    for number in range(items):
        doc = baseline_copy(sources[number % len(sources)], number, rng)
        write(folders[0], compact(doc))
        current.append(compact(tenant_copy(doc, rng)))

    untouched = rng.sample(range(items), items)
    planted: dict[str, dict[str, str]] = {}

    def plant(kinds: dict[str, Mutation], count: int) -> None:
        for kind in itertools.islice(itertools.cycle(kinds), count):
            for number in untouched:
                doc = json.loads(current[number])
                if (where := kinds[kind](doc, rng)) is not None:
                    current[number] = compact(doc)
                    planted[doc["name"]] = {"kind": kind, "path": where}
                    untouched.remove(number)
                    break

    plant(DRIFT, round(items * drift))
    plant(NOISE, round(items * noise))
    for text in current:
        write(folders[1], text)
    return {"seed": seed, "sources": len(sources), "pairs": items, "metadata": "full" if full else "default",
            "bytes": size, "untouched": len(untouched), "planted": planted}


if __name__ == "__main__":  # a process of its own, so that the measuring one stays small
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    for option, kind in (("items", int), ("seed", int), ("drift", float), ("noise", float)):
        parser.add_argument(f"--{option}", type=kind, required=True)
    parser.add_argument("--full", action="store_true")
    args = parser.parse_args()
    truth = build(args.data, args.out, args.items, args.seed, args.drift, args.noise, args.full)
    (args.out / "truth.json").write_text(json.dumps(truth), encoding="utf-8")
