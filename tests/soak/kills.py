#!/usr/bin/env python3
"""Kills `plumbline serve` under load, again and again, and checks that nothing is lost.

Each round imports other policies into some tenants, queues compares, starts `serve`, kills it (SIGKILL) after
a random moment and sometimes asks `verify`. At the end every run must have ended, `verify` must find nothing,
and every tenant must have exactly the findings that its last import calls for. Prints its seed.
"""

import argparse
import json
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
POLICIES = 30
CONTEXT = "https://graph.microsoft.com/beta/$metadata#deviceManagement/configurationPolicies/$entity"


def policy(number: int, value: int) -> dict:
    definition = f"device_vendor_msft_policy_config_area_setting{number}"
    kind = "#microsoft.graph.deviceManagementConfigurationChoiceSettingInstance"
    return {
        "@odata.context": CONTEXT, "id": f"5e11ab1e-0000-4000-8000-{number:012}", "name": f"Policy {number}",
        "description": "", "platforms": "windows10", "technologies": "mdm", "roleScopeTagIds": ["0"],
        "templateReference": {"templateFamily": "none"},
        "settings": [{"id": "0", "settingInstance": {
            "@odata.type": kind, "settingDefinitionId": definition,
            "choiceSettingValue": {"value": f"{definition}_{value}", "children": []}}}],
    }


def lines(drifted: int) -> bytes:
    """A tenant in which the first `drifted` policies differ from the baseline."""
    rows = (policy(number, int(number < drifted)) for number in range(POLICIES))
    return "\n".join(json.dumps(row) for row in rows).encode()


class Command:
    def __init__(self, program: pathlib.Path, data: pathlib.Path) -> None:
        self.base = [str(program), "--data", str(data)]

    def __call__(self, *words: str, stdin: bytes | None = None, codes: tuple[int, ...] = (0,)) -> str:
        done = subprocess.run([*self.base, *words], input=stdin, capture_output=True, check=False)
        if done.returncode not in codes:
            sys.exit(f"{' '.join(words)}: exit {done.returncode}\n{done.stderr.decode()}{done.stdout.decode()}")
        return done.stdout.decode()

    def json(self, *words: str) -> object:
        return json.loads(self(*words, "--format", "json"))

    def serve(self) -> subprocess.Popen:
        return subprocess.Popen([*self.base, "serve"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def check(plumbline: Command, when: str) -> None:
    found = plumbline.json("verify")
    damage = json.dumps(found)
    if '"damage": []' not in damage and '"damage":[]' not in damage:
        sys.exit(f"{when}: verify found {damage[:2000]}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--tenants", type=int, default=60)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "target/release/plumbline")
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    rng = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as folder:
        plumbline = Command(arguments.program, pathlib.Path(folder) / "data")
        plumbline("workspace", "create", "Soak")
        scope = pathlib.Path(folder) / "scope.json"
        scope.write_text('{"policy_types": ["settingsCatalogPolicy"]}')
        plumbline("profile", "create", "Gold", "--scope", str(scope))
        plumbline("tenant", "add", "golden")
        plumbline("import", "--tenant", "golden", "-", "--coverage", "complete", stdin=lines(0))
        plumbline("capture", "--profile", "Gold", "--tenant", "golden")
        plumbline("profile", "activate", "Gold")
        drifted: dict[str, int] = {}
        for number in range(arguments.tenants):
            name = f"t{number}"
            plumbline("tenant", "add", name)
            drifted[name] = rng.randrange(6)
            plumbline("import", "--tenant", name, "-", "--coverage", "complete", stdin=lines(drifted[name]))
            plumbline("assign", "--tenant", name, "--profile", "Gold")
        working = 0
        for kill in range(arguments.kills):
            for name in rng.sample(sorted(drifted), 3):
                drifted[name] = rng.randrange(6)
                plumbline("import", "--tenant", name, "-", "--coverage", "complete", stdin=lines(drifted[name]))
            plumbline("compare", "--all", "--no-wait")
            server = plumbline.serve()
            time.sleep(rng.uniform(0.0, 0.4))
            working += server.poll() is None
            server.send_signal(signal.SIGKILL)
            server.wait()
            if kill % 10 == 9:
                check(plumbline, f"after kill {kill + 1}")
        server = plumbline.serve()
        time.sleep(30)
        server.send_signal(signal.SIGTERM)
        if server.wait(60) != 0:
            sys.exit("serve did not stop cleanly")
        plumbline("compare", "--all", codes=(0, 2))
        check(plumbline, "at the end")
        outcomes: dict[str, int] = {}
        for name, count in drifted.items():
            runs = plumbline.json("runs", "--tenant", name)
            for run in runs:
                outcomes[run["outcome"] if "outcome" in run else run["status"]] = (
                    outcomes.get(run["outcome"] if "outcome" in run else run["status"], 0) + 1)
                if run["status"] != "completed":
                    sys.exit(f"{name}: a run never ended: {run}")
            found = plumbline.json("findings", "--tenant", name, "--status", "new,acknowledged,reopened")
            if len(found) != count:
                sys.exit(f"{name}: {len(found)} open findings, but its last import calls for {count}")
        print(f"{arguments.kills} kills, {working} while serve ran; runs by outcome: {outcomes}; nothing lost")
    return 0


if __name__ == "__main__":
    sys.exit(main())
