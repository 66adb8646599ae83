#!/usr/bin/env python3
"""Reads from `plumbline serve` at a fixed rate, measures every answer, and fails over the limits.

Requests are sent when they are due, whether earlier ones were answered or not, and each is measured from the
moment it was due: a server that stalls is not spared the requests that it held up. Without a data directory
at `--data`, one is made first. Prints its seed.
"""

import argparse
import asyncio
import collections
import json
import os
import pathlib
import random
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
MEMBERS = [f"load-{number}" for number in range(8)]  # one subject has 50 requests a second
LIMITED = ["limited-3", "limited-50"]
CURSOR = re.compile(rb'"next_cursor":"([^"]+)"')
# The longest 99th percentile of a group of kinds, in milliseconds.
LIMITS = {"list": 25, "get": 25, "evidence": 90, "posture": 50}
# Kind, weight, path behind the workspace. A list is paged: its cursors are followed to the end.
MIX = [
    ("list findings", 8, "/findings"),
    ("list findings, long", 2, "/findings?limit=200"),
    ("list findings by severity", 4, "/findings?severity=high"),
    ("list findings by status", 4, "/findings?status=new,reopened"),
    ("list findings, acknowledged", 2, "/findings?status=acknowledged,accepted"),
    ("list findings by type", 3, "/findings?type=windowsFeatureUpdateProfile"),
    ("list findings by kind", 3, "/findings?change_type=different_version"),
    ("list findings of none", 1, "/findings?type=deviceCompliancePolicy"),
    ("list findings by profile", 2, "/findings?profile={profile}"),
    ("list findings by time", 2, "/findings?changed_since={since}"),
    ("list findings of a tenant", 10, "/findings?tenant={tenant}"),
    ("list findings, limited", 2, "/findings"),
    ("list tenants", 6, "/tenants"),
    ("list tenants by profile", 2, "/tenants?profile={profile}&limit=200"),
    ("list tenants, limited", 2, "/tenants"),
    ("list runs", 4, "/runs"),
    ("list runs of a tenant", 4, "/runs?tenant={tenant}"),
    ("list runs, failed", 1, "/runs?outcome=failed"),
    ("get tenant", 7, "/tenants/{tenant}"),
    ("get profile", 4, "/profiles/{profile}"),
    ("get run", 4, "/tenants/{tenant}/runs/{run}"),
    ("get finding", 10, "/tenants/{tenant}/findings/{finding}"),
    ("evidence", 8, "/tenants/{tenant}/findings/{finding}/evidence"),
    ("posture", 5, "/posture"),
    ("posture tenants", 4, "/posture/tenants"),
    ("posture tenants, limited", 1, "/posture/tenants"),
    ("posture trend", 3, "/posture/trend"),
    ("posture groups", 2, "/posture/groups"),
    ("posture of a tenant", 4, "/tenants/{tenant}/posture"),
]


class Server:
    """A server on a port of its own, and what it used of the machine."""

    def __init__(self, program: pathlib.Path, data: pathlib.Path, log: pathlib.Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.base = [str(program), "--data", str(data)]
        with log.open("wb") as out:
            self.process = subprocess.Popen([*self.base, "serve", "--listen", f"127.0.0.1:{self.port}"], stderr=out)
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                if self.process.poll() is not None:
                    sys.exit(f"serve ended at once; see {log}")
                time.sleep(0.1)
        sys.exit(f"serve does not listen; see {log}")

    def token(self, subject: str) -> str:
        return subprocess.run([*self.base, "token", "--subject", subject], check=True, capture_output=True,
                              text=True).stdout.strip()

    def get(self, token: str, path: str) -> dict:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}",
                                         headers={"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def cpu(self) -> float:
        """Seconds of processor time so far."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self, field: str) -> int:
        """A field of its status in MiB."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"{field}:\s+(\d+)", status)[1]) // 1024

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


class Client:
    """Connections that stay open, one request at a time on each."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def get(self, token: str, path: str) -> tuple[int, bytes]:
        connection = self.idle.pop() if self.idle else await asyncio.open_connection(
            "127.0.0.1", self.port, limit=1 << 20)
        reader, writer = connection
        writer.write(f"GET {path} HTTP/1.1\r\nHost: load\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(re.search(rb"(?i)\r\ncontent-length: (\d+)", head)[1])
        body = await reader.readexactly(length)
        self.idle.append(connection)
        return int(head[9:12]), body


class Load:
    """Which request is next, and what became of all."""

    def __init__(self, server: Server, rng: random.Random) -> None:
        self.rng, self.client = rng, Client(server.port)
        self.tokens = {subject: server.token(subject) for subject in MEMBERS + LIMITED}

        def ask(path: str, subject: str = MEMBERS[0]) -> dict:
            return server.get(self.tokens[subject], path)

        self.base = f"/v1/workspaces/{ask('/v1/workspaces')['items'][0]['workspace']['id']}"
        self.profile = ask(f"{self.base}/profiles")["items"][0]["id"]
        self.since = ask(f"{self.base}/posture")["as_of"]
        # Some tenants of each page, so that they are spread over the fleet.
        self.places = []
        cursor = ""
        while cursor is not None:
            page = ask(f"{self.base}/tenants?limit=200{cursor}")
            for tenant in rng.sample(page["items"], min(8, len(page["items"]))):
                subject = rng.choice(MEMBERS[1:])  # a cursor is its subject's own, all else anyone's
                found = ask(f"{self.base}/findings?tenant={tenant['id']}&limit=20", subject)["items"]
                runs = ask(f"{self.base}/runs?tenant={tenant['id']}&limit=1", subject)["items"]
                if found and runs:
                    self.places.append((tenant["id"], [one["id"] for one in found], runs[0]["id"]))
            cursor = page["next_cursor"] and f"&cursor={page['next_cursor']}"
        self.cursors: dict[tuple[str, str], str] = {}
        self.took: dict[str, list[float]] = collections.defaultdict(list)
        self.errors: collections.Counter = collections.Counter()
        self.bytes = 0

    def next(self) -> tuple[str, str, str, bool]:
        kind, _, path = self.rng.choices(MIX, [weight for _, weight, _ in MIX])[0]
        tenant, findings, run = self.rng.choice(self.places)
        subject = self.rng.choice(LIMITED if kind.endswith("limited") else MEMBERS)
        paged = kind.startswith(("list", "posture tenants")) and "{tenant}" not in path
        cursor = self.cursors.pop((subject, kind), None) if paged else None
        path = self.base + path.format(tenant=tenant, profile=self.profile, run=run, since=self.since,
                                       finding=self.rng.choice(findings))
        if cursor:
            path += f"{'&' if '?' in path else '?'}cursor={cursor}"
        return kind, subject, path, paged

    async def one(self, due: float) -> None:
        kind, subject, path, paged = self.next()
        try:
            status, body = await self.client.get(self.tokens[subject], path)
        except (OSError, asyncio.IncompleteReadError) as error:
            status, body = 0, repr(error).encode()
        self.took[kind].append((time.perf_counter() - due) * 1_000)
        self.bytes += len(body)
        if status != 200:
            self.errors[f"{kind}: {status} {body[:200].decode(errors='replace')}"] += 1
        elif paged and (cursor := CURSOR.search(body[-5_000:])):
            self.cursors[subject, kind] = cursor[1].decode()

    async def run(self, rate: float, seconds: float) -> None:
        began = time.perf_counter()
        running = set()
        for number in range(int(rate * seconds)):
            due = began + number / rate
            if (wait := due - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            task = asyncio.ensure_future(self.one(due))
            running.add(task)
            task.add_done_callback(running.discard)
        await asyncio.gather(*running)


def percentile(took: list[float], part: float) -> float:
    return took[min(len(took) - 1, int(len(took) * part))]


def report(took: dict[str, list[float]]) -> bool:
    """Prints a line a kind and a line a group; answers whether every group keeps its limit."""
    good = True
    print(f"{'ms':32}{'count':>8}{'p50':>8}{'p95':>8}{'p99':>8}{'max':>8}{'limit':>8}")
    for group, limit in LIMITS.items():
        kinds = [kind for kind, _, _ in MIX if kind.split()[0] == group]
        rows = [(kind, took[kind], "") for kind in kinds if took[kind]]
        rows.append((f"{group}, all", [one for _, took, _ in rows for one in took], limit))
        for name, times, most in rows:
            times = sorted(times)
            if not times:
                continue
            cells = [percentile(times, part) for part in (0.5, 0.95, 0.99, 1)]
            print(f"{name:32}{len(times):>8}" + "".join(f"{cell:>8.1f}" for cell in cells) + f"{most:>8}")
            good &= not most or cells[2] <= most
    return good


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--rate", type=float, default=200, help="requests a second")
    parser.add_argument("--tenants", type=int, default=10_000, help="of a directory that is made")
    parser.add_argument("--findings", type=int, default=1_000_000, help="of all of them together")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "target/release/plumbline")
    parser.add_argument("--log", type=pathlib.Path, default=pathlib.Path("load.log"))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    if not arguments.data.exists():
        subprocess.run(["cargo", "bench", "-q", "-p", "plumbline-tests", "--bench", "seed", "--",
                        str(arguments.data.resolve()), str(arguments.tenants),
                        str(arguments.findings // arguments.tenants)], cwd=ROOT, check=True)
    server = Server(arguments.program, arguments.data, arguments.log)
    try:
        load = Load(server, random.Random(arguments.seed))
        cpu, began = server.cpu(), time.perf_counter()
        asyncio.run(load.run(arguments.rate, arguments.minutes * 60))
        seconds, cpu = time.perf_counter() - began, server.cpu() - cpu
        good = report(load.took)
        count = sum(map(len, load.took.values()))
        print(f"{count / seconds:.1f} requests/s for {seconds:.0f} s, {load.bytes / count / 1024:.1f} KiB each; "
              f"{sum(load.errors.values())} errors")
        print(f"serve: {cpu / seconds * 100:.0f} % of a core, {cpu / count * 1_000:.2f} ms a request; "
              f"memory {server.memory('VmRSS')} MiB, at most {server.memory('VmHWM')} MiB")
        for error, times in load.errors.most_common(10):
            print(f"  {times} times {error}")
    finally:
        stopped = server.stop()
    if stopped != 0:
        print(f"serve did not stop cleanly: {stopped}")
    return int(not good or bool(load.errors) or stopped != 0)


if __name__ == "__main__":
    sys.exit(main())
