#!/usr/bin/env python3
"""OTLP over HTTP/3 at real peers: caddy with deploy/Caddyfile before the Collector, a way that loses every fifth datagram, and quic-go, which
says what TLS suite was agreed on. Prints rows of run.py's table; exits 1 where something is not as promised.

Usage: http3.py HONEYTEL COLLECTOR [--h3peer PROGRAM] [--only WORD]
./dev interop calls it after secure.py. Each check has a home of its own.
"""
import argparse
import json
import os
import pathlib
import random
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from peers import Collector, free_port, wait_for_port  # noqa: E402
from run import Failed, Home, expect, grant, wait_until  # noqa: E402
from secure import Authority, tested  # noqa: E402

SOURCE = pathlib.Path(__file__).resolve().parent.parent


class Caddy:
    """Debian's caddy with the configuration that we ship."""

    def __init__(self, folder, collector):
        self.folder, self.port, self.process = folder, free_port(), None
        self.authority = Authority(folder, "front")
        certificate, key = self.authority.vouch("caddy", "DNS:localhost,IP:127.0.0.1")
        self.environment = dict(os.environ, HOME=str(folder), XDG_DATA_HOME=str(folder), XDG_CONFIG_HOME=str(folder),
                                HONEYLINK_FRONT=f"https://localhost:{self.port}", HONEYLINK_FRONT_CERTIFICATE=str(certificate),
                                HONEYLINK_FRONT_KEY=str(key), HONEYLINK_COLLECTOR=f"127.0.0.1:{collector.http}")

    def start(self):
        log = open(self.folder / "caddy.log", "ab")
        self.process = subprocess.Popen(["caddy", "run", "--adapter", "caddyfile", "--config", SOURCE / "deploy/Caddyfile"], env=self.environment,
                                        stdout=log, stderr=log)
        wait_for_port(self.port, self.process)

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(30)
            self.process = None


class LossyRelay:
    """UDP between many clients and one target; each datagram is lost with this probability, each way."""

    def __init__(self, target, loss):
        self.target, self.loss, self.passed, self.lost, self._ends = target, loss, 0, 0, False
        self._front = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._front.bind(("127.0.0.1", 0))
        self._front.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.port = self._front.getsockname()[1]
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _is_lost(self, dice):
        lost = dice.random() < self.loss
        self.lost, self.passed = self.lost + lost, self.passed + (not lost)
        return lost

    def _run(self):
        dice, backs, clients = random.Random(42), {}, {}
        while not self._ends:
            for ready in select.select([self._front, *clients], [], [], 0.1)[0]:
                try:
                    if ready is self._front:
                        datagram, client = ready.recvfrom(65536)
                        if client not in backs:
                            backs[client] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                            backs[client].connect(("127.0.0.1", self.target))
                            clients[backs[client]] = client
                        if not self._is_lost(dice):
                            backs[client].send(datagram)
                    else:
                        datagram = ready.recv(65536)
                        if not self._is_lost(dice):
                            self._front.sendto(datagram, clients[ready])
                except OSError:
                    pass
        for back in clients:
            back.close()

    def stop(self):
        self._ends = True
        self._thread.join()
        self._front.close()


class QuicGo:
    """interop/h3peer before the Collector: another QUIC, which says what it saw."""

    def __init__(self, program, folder, collector, *options):
        authority = Authority(folder, "quicgo")
        certificate, key = authority.vouch("peer", "DNS:localhost,IP:127.0.0.1")
        self.authority, self.port, self._output = authority, free_port(), folder / "h3peer.json"
        self.process = subprocess.Popen([program, *options, "--forward", f"http://127.0.0.1:{collector.http}", f"127.0.0.1:{self.port}",
                                         certificate, key], stdout=open(self._output, "wb"), stderr=subprocess.PIPE)
        expect("the quic-go peer listens", b"listening" in self.process.stderr.readline())

    def requests(self):
        return [json.loads(line) for line in self._output.read_text().splitlines()]

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


def delivered(home, collector, port, authority, seconds=10):
    """Everything that a demo records arrives at the Collector by h3://; (spans, twice, lines)."""
    home.start()
    grant(home, f"h3://localhost:{port}", "--ca", str(authority.pem))
    tests = tested(home)
    expect(f"consent test: {tests}", all(test["taken"] for test in tests))
    time.sleep(1.5)
    home.demo(seconds).wait(seconds + 40)
    wait_until("every stored span arrives", lambda: len(collector.spans()) == home.stored("spans"), 90)
    wait_until("every line arrives", lambda: collector.lines() >= home.stored("logs") - 2, 60)
    spans = collector.spans()
    points = collector.counter("packets_sent_total")
    values = [points[at] for at in sorted(points)]
    expect("points arrive, and a counter never goes down", len(points) > 3 and values == sorted(values))
    return len(spans), sum(n - 1 for n in spans.values()), collector.lines()


def through_caddy(home, collector, folder, _):
    front = Caddy(folder, collector)
    try:
        front.start()
        spans, twice, lines = delivered(home, collector, front.port, front.authority)
        expect(f"no span twice ({twice})", twice == 0)
        return f"{spans:,} spans, {lines:,} lines, all, none twice"
    finally:
        front.stop()


def through_losses(home, collector, folder, _):
    front = Caddy(folder, collector)
    relay = None
    try:
        front.start()
        relay = LossyRelay(front.port, 0.2)
        spans, twice, lines = delivered(home, collector, relay.port, front.authority, 20)
        return (f"{relay.lost:,} of {relay.lost + relay.passed:,} datagrams lost: {spans:,} spans, {lines:,} lines, all; "
                f"{twice:,} twice after a lost answer")
    finally:
        front.stop()
        if relay:
            relay.stop()


def by_quic_go(home, collector, folder, options, *more):
    peer = QuicGo(options.h3peer, folder, collector, *more)
    try:
        spans, twice, _ = delivered(home, collector, peer.port, peer.authority)
        seen = peer.requests()
        suites = {request["suite"] for request in seen}
        expect(f"agreed on ChaCha20-Poly1305: {suites}", suites == {"TLS_CHACHA20_POLY1305_SHA256"})
        offered = {tuple(request["offered"]) for request in seen}
        expect(f"nothing else is offered: {offered}", offered == {("TLS_CHACHA20_POLY1305_SHA256",)})
        expect("TLS 1.3, HTTP/3", {(request["version"], request["protocol"]) for request in seen} == {("TLS 1.3", "HTTP/3.0")})
        expect("nothing before the handshake is done", not any(request["early"] for request in seen))
        expect(f"no span twice ({twice})", twice == 0)
        return f"{len(seen):,} requests, {spans:,} spans: all by {suites.pop()}, alone offered; no 0-RTT"
    finally:
        peer.stop()


def by_quic_go_with_retry(home, collector, folder, options):
    return by_quic_go(home, collector, folder, options, "--retry")


def run(options, name, peer, check):
    with tempfile.TemporaryDirectory(prefix="honeytel_http3_") as folder:
        folder = pathlib.Path(folder)
        collector, home = Collector(options.collector, folder), Home(options.honeytel, folder / "home")
        try:
            collector.start()
            figure, held = check(home, collector, folder, options), True
        except (Failed, RuntimeError, subprocess.CalledProcessError) as error:
            figure, held = str(error), False
        finally:
            home.stop()
            collector.stop()
    print(f"| {name} | {peer} | {'yes' if held else '**no**'} | {figure} |", flush=True)
    return held


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("honeytel")
    parser.add_argument("collector")
    parser.add_argument("--h3peer")
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    checks = []
    if shutil.which("caddy"):
        version = subprocess.run(["caddy", "version"], capture_output=True, text=True, check=True).stdout.split()[0]
        checks += [("OTLP over HTTP/3, deploy/Caddyfile", f"caddy {version}, Collector", through_caddy),
                   ("HTTP/3, every fifth datagram lost each way", f"caddy {version}, Collector", through_losses)]
    else:
        print("| OTLP over HTTP/3 | caddy | skipped | not installed |")
    if options.h3peer:
        checks += [("HTTP/3: the suite", "quic-go, Collector", by_quic_go),
                   ("HTTP/3: the suite, after a Retry", "quic-go, Collector", by_quic_go_with_retry)]
    held = [run(options, *check) for check in checks if options.only in check[0]]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
