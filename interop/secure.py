#!/usr/bin/env python3
"""Who may hear what leaves, at real peers: certificates on both sides, and peers that are not to be trusted. Prints rows of run.py's
table; exits 1 where something is not as promised.

Usage: secure.py HONEYTEL COLLECTOR
./dev interop calls it after run.py. Each check has a home of its own.
"""
import argparse
import json
import pathlib
import ssl
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from peers import Collector, free_port  # noqa: E402
from run import Failed, Home, expect, grant, wait_until  # noqa: E402


class Authority:
    """A certificate authority of its own, and what it vouches for."""

    def __init__(self, folder, name):
        self.folder, self.name = folder, name
        self.pem, self.key = folder / f"{name}.pem", folder / f"{name}.key"
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "7", "-keyout", self.key, "-out",
                      self.pem, "-subj", f"/CN={name}")

    @staticmethod
    def _openssl(*words):
        subprocess.run(["openssl", *words], check=True, capture_output=True)

    def vouch(self, name, names, purpose="serverAuth", days=7):
        """(certificate, key)"""
        certificate, key, request, extensions = (self.folder / f"{name}.{what}" for what in ("pem", "key", "csr", "ext"))
        extensions.write_text(f"subjectAltName={names}\nextendedKeyUsage={purpose}\n")
        self._openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}", "-keyout", key, "-out", request)
        self._openssl("x509", "-req", "-in", request, "-CA", self.pem, "-CAkey", self.key, "-CAcreateserial", "-days", str(days), "-extfile",
                      extensions, "-out", certificate)
        key.chmod(0o600)
        return certificate, key


class MutualCollector(Collector):
    """A Collector that takes nothing from a device without a certificate of the fleet's authority."""

    def __init__(self, program, folder):
        super().__init__(program, folder)
        self.fleet = Authority(folder, "fleet")
        certificate, key = self.fleet.vouch("receiver", "DNS:localhost,IP:127.0.0.1")
        self.mutual_grpc, self.mutual_http = free_port(), free_port()
        tls = {"cert_file": str(certificate), "key_file": str(key), "client_ca_file": str(self.fleet.pem), "min_version": "1.3"}
        self.config["receivers"]["otlp/mutual"] = {"protocols": {
            kind: {"endpoint": f"127.0.0.1:{port}", "tls": tls} for kind, port in (("grpc", self.mutual_grpc), ("http", self.mutual_http))}}
        for pipeline in self.config["service"]["pipelines"].values():
            pipeline["receivers"].append("otlp/mutual")


class UntrustedPeer:
    """Speaks TLS with a certificate that nobody granted; counts who comes, keeps what it could read."""

    def __init__(self, certificate, key):
        self.tries, self.read, self.port, self._ends = [], b"", free_port(), False
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        context.set_alpn_protocols(["h2", "http/1.1"])
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._listener.settimeout(0.2)
        self._thread = threading.Thread(target=self._serve, args=(context,))
        self._thread.start()

    def _serve(self, context):
        while not self._ends:
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                continue
            self.tries.append(time.monotonic())
            connection.settimeout(5)
            try:
                with context.wrap_socket(connection, server_side=True) as spoken:
                    self.read += spoken.recv(65536)
            except OSError:
                pass

    def stop(self):
        self._ends = True
        self._thread.join()
        self._listener.close()


def tested(home):
    """What `consent test` says of each thing that was granted."""
    return json.loads(home.tool("consent", "test", "--json", check=False))["tests"]


def mutual(home, collector, endpoint):
    """Refused without a certificate, with a stranger's, and with a key that others may read; then everything arrives."""
    ours = collector.fleet.vouch("device", "DNS:device.example", "clientAuth")
    foreign = Authority(collector.folder, "stranger").vouch("foreign", "DNS:device.example", "clientAuth")
    refused = {}
    for what, pair in (("no", None), ("a stranger's", foreign)):
        more = ["--cert", str(pair[0]), "--key", str(pair[1])] if pair else []
        grant(home, endpoint, "--ca", str(collector.fleet.pem), *more)
        refused[what] = {test["failure"] for test in tested(home)}
        expect(f"refused with {what} certificate: {tested(home)}", refused[what] == {"tls_own_certificate"})
    grant(home, endpoint, "--ca", str(collector.fleet.pem), "--cert", str(ours[0]), "--key", str(ours[1]))
    ours[1].chmod(0o644)
    tests = tested(home)
    expect(f"an open key is not used: {tests}", all(test["failure"] == "own_key" and "chmod 600" in test["said"] for test in tests))
    ours[1].chmod(0o600)
    tests = tested(home)
    expect(f"taken with our certificate: {tests}", all(test["taken"] for test in tests))
    home.start()
    time.sleep(1.5)
    home.demo(8).wait(60)
    wait_until("every stored span arrives", lambda: len(collector.spans()) == home.stored("spans"))
    spans = collector.spans()
    twice = sum(n - 1 for n in spans.values())
    expect(f"no span twice ({twice})", twice == 0)
    return f"refused: no certificate, a stranger's, a key open to others; with ours {len(spans):,} spans, all, none twice"


def over_grpc(home, collector):
    return mutual(home, collector, f"https://localhost:{collector.mutual_grpc}")


def over_http(home, collector):
    return mutual(home, collector, f"https://localhost:{collector.mutual_http}/")


def untrusted(home, collector):
    """The engine meets a peer with the wrong certificate: one entry in the audit log, a word in status, a try a minute."""
    peer = UntrustedPeer(*Authority(collector.folder, "stranger").vouch("peer", "DNS:localhost,IP:127.0.0.1"))
    try:
        home.start()
        grant(home, f"https://127.0.0.1:{peer.port}", "--ca", str(collector.certificate))
        demo = home.demo(70)
        wait_until("the engine tries", lambda: peer.tries)
        time.sleep(75)
        demo.wait(30)
        tries = len(peer.tries)
        apart = min((b - a for a, b in zip(peer.tries, peer.tries[1:])), default=999)
        expect(f"no two tries within a minute ({apart:.0f} s)", apart >= 60)
        expect(f"nothing was read ({peer.read[:40]})", not peer.read)
        entries = [entry for entry in json.loads(home.tool("audit", "show", "--json", "--limit", "0"))["audit"] if entry["event"] == "peer.refused"]
        expect(f"one entry in the audit log ({len(entries)})", len(entries) == 1)
        status = home.tool("status")
        expect("status names the reason", "certificate" in status)
        return f"{tries} tries in 75 s by three signals together, 1 audit entry, said by status; 0 bytes read"
    finally:
        peer.stop()


def run(options, name, peer, check, kind=MutualCollector):
    with tempfile.TemporaryDirectory(prefix="honeytel_secure_") as folder:
        folder = pathlib.Path(folder)
        collector, home = kind(options.collector, folder), Home(options.honeytel, folder / "home")
        try:
            collector.start()
            figure, held = check(home, collector), True
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
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    version = subprocess.run([options.collector, "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]
    peer = f"OpenTelemetry Collector {version}"
    checks = [("mTLS, own CA, OTLP/gRPC", peer, over_grpc), ("mTLS, own CA, OTLP/HTTP", peer, over_http),
              ("a peer with another's certificate", "Python ssl", untrusted)]
    held = [run(options, *check) for check in checks if options.only in check[0]]
    return 0 if held and all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
