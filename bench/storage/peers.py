"""The peers' half of the comparison of bytes: the same points into Debian's Prometheus and VictoriaMetrics, on loopback.

Each answers (bytes on disk, values that do not come back bit for bit or None where that is not asked).
"""
import json
import pathlib
import shutil
import socket
import struct
import subprocess
import time
import urllib.parse
import urllib.request


def read_set(path):
    """Heads and columns of a data set that points_bench made."""
    with open(path, "rb") as file:
        if file.read(7) != b"HLPTS1\n":
            raise SystemExit(f"{path} is no data set")
        count, ticks, begin = struct.unpack("<IIq", file.read(16))
        series = []
        for _ in range(count):
            (size,) = struct.unpack("<I", file.read(4))
            kind, name, labels = file.read(size).decode().split("\t")
            series.append((kind, name, labels, struct.unpack(f"<{ticks}d", file.read(8 * ticks))))
    return begin, ticks, series


def write_set(path, begin, series):
    ticks = len(series[0][3])
    with open(path, "wb") as file:
        file.write(b"HLPTS1\n" + struct.pack("<IIq", len(series), ticks, begin))
        for kind, name, labels, values in series:
            head = f"{kind}\t{name}\t{labels}".encode()
            file.write(struct.pack("<I", len(head)) + head + struct.pack(f"<{ticks}d", *values))


def identity(name, labels):
    inner = ",".join('{}="{}"'.format(*pair.split("=", 1)) for pair in labels.split(",") if pair)
    return name.replace(".", "_").replace("-", "_") + ("{" + inner + "}" if inner else "")


def disk_bytes(path):
    return sum(f.stat().st_size for f in pathlib.Path(path).rglob("*") if f.is_file())


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def ask(port, path, data=None, timeout=300):
    with urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}{path}", data=data), timeout=timeout) as answer:
        return answer.read()


def wait_for(port, path, seconds=60):
    end = time.monotonic() + seconds
    while True:
        try:
            return ask(port, path, timeout=2)
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


def stop(process):
    process.terminate()
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def prometheus(set_path, folder, say):
    """promtool's blocks, then compacted by the server until nothing changes any more."""
    begin, ticks, series = read_set(set_path)
    text = folder / "openmetrics.txt"
    with open(text, "w") as file:
        by_name = {}
        for one in series:
            by_name.setdefault(identity(one[1], ""), []).append(one)
        for name, members in by_name.items():
            file.write(f"# TYPE {name} unknown\n")
            for _, full, labels, values in members:
                head = identity(full, labels)
                file.writelines(f"{head} {value!r} {begin + 10 * tick}\n" for tick, value in enumerate(values))
        file.write("# EOF\n")
    data = folder / "prometheus"
    subprocess.run(["promtool", "tsdb", "create-blocks-from", "openmetrics", text, data], check=True, stdout=subprocess.DEVNULL)
    text.unlink()
    blocks = lambda: sorted(p.parent for p in data.glob("*/meta.json"))
    say(f"Prometheus compacts {len(blocks())} blocks")
    port = free_port()
    config = folder / "prometheus.yml"
    config.write_text("{}\n")
    server = subprocess.Popen(
        ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={data}", "--storage.tsdb.retention.time=100y",
         "--storage.tsdb.min-block-duration=2h", "--storage.tsdb.max-block-duration=31d", f"--web.listen-address=127.0.0.1:{port}"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(port, "/-/ready")
        calm_since, before, end = time.monotonic(), blocks(), time.monotonic() + 300
        while time.monotonic() < end and time.monotonic() - calm_since < 75:
            time.sleep(2)
            if blocks() != before:
                calm_since, before = time.monotonic(), blocks()
    finally:
        stop(server)
    size = sum(disk_bytes(block) for block in blocks())
    shutil.rmtree(data)
    return size, None


def victoria_metrics(set_path, folder, say):
    begin, ticks, series = read_set(set_path)
    data, port = folder / "victoria-metrics", free_port()
    server = subprocess.Popen(
        ["victoria-metrics", f"-storageDataPath={data}", "-retentionPeriod=100y", f"-httpListenAddr=127.0.0.1:{port}"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wrong = 0
    try:
        wait_for(port, "/health")
        for _, name, labels, values in series:
            head = identity(name, labels)
            body = "".join(f"{head} {value!r} {(begin + 10 * tick) * 1000}\n" for tick, value in enumerate(values))
            ask(port, "/api/v1/import/prometheus", body.encode())
        ask(port, "/internal/force_flush")
        time.sleep(2)
        ask(port, "/internal/force_merge")
        say("VictoriaMetrics merges")
        calm_since, before, end = time.monotonic(), disk_bytes(data), time.monotonic() + 120
        while time.monotonic() < end and time.monotonic() - calm_since < 15:
            time.sleep(1)
            if (now := disk_bytes(data)) != before:
                calm_since, before = time.monotonic(), now
        for _, name, labels, values in series:
            query = urllib.parse.urlencode({"match[]": identity(name, labels), "start": begin - 10, "end": begin + 10 * ticks + 10})
            back = {}
            for line in ask(port, f"/api/v1/export?{query}").splitlines():
                row = json.loads(line)
                back.update(zip(row["timestamps"], row["values"]))
            wrong += sum(back.get((begin + 10 * tick) * 1000) != value for tick, value in enumerate(values))
    finally:
        stop(server)
    size = disk_bytes(data)
    shutil.rmtree(data)
    return size, wrong
