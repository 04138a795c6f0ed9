"""Real peers on free ports, in a folder of their own: certificates, a Collector, Prometheus. Used by interop/run.py."""
import json
import pathlib
import shutil
import signal
import socket
import subprocess
import time
import urllib.parse
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port, process, seconds=30):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args[0]} ended with {process.returncode}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"{process.args[0]} does not listen on {port}")


def make_certificate(folder):
    """A certificate of its own for localhost; returns (certificate, key)."""
    certificate, key = folder / "server.pem", folder / "server.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "7", "-keyout", key, "-out", certificate,
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"], check=True, capture_output=True)
    return certificate, key


class Collector:
    """The OpenTelemetry Collector of interop/otelcol; keeps what it got as OTLP-JSON files, one folder a start."""

    def __init__(self, program, folder, remote_write=None, forward=None):
        self.program, self.folder, self.process, self.starts = program, folder, None, []
        self.certificate, key = make_certificate(folder)
        self.grpc, self.http, self.tls = free_port(), free_port(), free_port()
        metrics = ["file/metrics"] + (["prometheus_remote_write"] if remote_write else [])
        self.config = {
            "receivers": {
                "otlp": {"protocols": {"grpc": {"endpoint": f"127.0.0.1:{self.grpc}"}, "http": {"endpoint": f"127.0.0.1:{self.http}"}}},
                "otlp/tls": {"protocols": {"grpc": {"endpoint": f"127.0.0.1:{self.tls}", "tls": {
                    "cert_file": str(self.certificate), "key_file": str(key), "min_version": "1.3"}}}}},
            "exporters": {},
            "service": {"telemetry": {"metrics": {"level": "none"}}, "pipelines": {
                kind: {"receivers": ["otlp", "otlp/tls"], "exporters": metrics if kind == "metrics" else [f"file/{kind}"]}
                for kind in ("traces", "metrics", "logs")}}}
        self.remote_write, self.forward = remote_write, forward
        if forward:  # to another receiver at once, instead of files
            for pipeline in self.config["service"]["pipelines"].values():
                pipeline["exporters"] = ["otlp_grpc"]

    def start(self):
        out = self.folder / f"out{len(self.starts)}"
        out.mkdir()
        self.starts.append(out)
        self.config["exporters"] = {f"file/{kind}": {"path": str(out / f"{kind}.json"), "flush_interval": "50ms"}
                                    for kind in ("traces", "metrics", "logs")}
        if self.forward:
            self.config["exporters"] = {"otlp_grpc": {"endpoint": self.forward, "tls": {"insecure": True}, "compression": "none",
                                                 "sending_queue": {"enabled": False}}}
        if self.remote_write:
            self.config["exporters"]["prometheus_remote_write"] = {"endpoint": self.remote_write}
        path = self.folder / "collector.json"  # YAML's subset
        path.write_text(json.dumps(self.config))
        log = open(self.folder / "collector.log", "ab")
        self.process = subprocess.Popen([self.program, "--config", path], stdout=log, stderr=log)
        wait_for_port(self.tls, self.process)

    def stop(self):
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)
            self.process = None

    def received(self, kind):
        for out in self.starts:
            path = out / f"{kind}.json"
            for line in path.read_text().splitlines() if path.exists() else []:
                yield from json.loads(line)[f"resource{kind.capitalize()}" if kind != "traces" else "resourceSpans"]

    def spans(self):
        """Span id -> how often it came."""
        seen = {}
        for of_resource in self.received("traces"):
            for of_scope in of_resource["scopeSpans"]:
                for span in of_scope["spans"]:
                    seen[span["spanId"]] = seen.get(span["spanId"], 0) + 1
        return seen

    def lines(self):
        return sum(len(of_scope["logRecords"]) for of_resource in self.received("logs") for of_scope in of_resource["scopeLogs"])

    def counter(self, name):
        """Unix ns -> value, of a counter without labels or with one set of them."""
        points = {}
        for of_resource in self.received("metrics"):
            for of_scope in of_resource["scopeMetrics"]:
                for metric in of_scope["metrics"]:
                    if metric["name"] == name:
                        for point in metric["sum"]["dataPoints"]:
                            points[int(point["timeUnixNano"])] = float(point.get("asInt", point.get("asDouble", 0)))
        return points


class Prometheus:
    """Debian's Prometheus as a receiver of remote write that takes points in any order."""

    def __init__(self, folder):
        self.folder, self.port, self.process = folder, free_port(), None
        self.url = f"http://127.0.0.1:{self.port}"

    @staticmethod
    def there():
        return shutil.which("prometheus") is not None

    def start(self):
        config = self.folder / "prometheus.yml"
        config.write_text("storage: {tsdb: {out_of_order_time_window: 96h}}\n")
        log = open(self.folder / "prometheus.log", "ab")
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={self.folder / 'prometheus'}",
             f"--web.listen-address=127.0.0.1:{self.port}", "--web.enable-remote-write-receiver",
             "--enable-feature=native-histograms,exemplar-storage"], stdout=log, stderr=log)
        wait_for_port(self.port, self.process)

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(30)

    def range(self, query, start, end, step):
        where = urllib.parse.urlencode({"query": query, "start": start, "end": end, "step": step})
        with urllib.request.urlopen(f"{self.url}/api/v1/query_range?{where}", timeout=10) as answer:
            return json.load(answer)["data"]["result"]
