"""An operating system's own numbers as a data set: /proc, read again and again while the machine works.

usage: system_mix.py FILE TICKS [SECONDS between two, 1 where not told]

The set is stored as ticks of ten seconds, whatever they were: with 10 that is what they are, with less the table says so, because less
changes in between. Counters are cumulative, as a scrape sees them. The file is written now and then, so that a long sample may be cut short.
"""
import sys
import time

import peers

KEEP_EVERY = 360


def numbers():
    found = {}

    def put(kind, name, labels, value):
        found[(kind, name, labels)] = float(value)

    for line in open("/proc/stat"):
        words = line.split()
        if words[0].startswith("cpu"):
            for mode, value in zip(("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"), words[1:]):
                put("r", "cpu_seconds_total", f"cpu={words[0]},mode={mode}", int(value) / 100)
        elif words[0] in ("ctxt", "processes"):
            put("c", words[0] + "_total", "", words[1])
        elif words[0].startswith("procs_"):
            put("g", words[0], "", words[1])
    for line in open("/proc/meminfo"):
        name, value = line.split(":")
        put("g", "memory_bytes", "what=" + name.replace("(", "_").replace(")", ""), int(value.split()[0]) * 1024)
    for line in open("/proc/vmstat"):
        name, value = line.split()
        put("g" if name.startswith("nr_") else "c", "vmstat_" + name, "", value)
    for line in list(open("/proc/net/dev"))[2:]:
        device, rest = line.split(":")
        for what, value in zip(("rx_bytes", "rx_packets", "rx_errors", "rx_drops"), rest.split()[:4]):
            put("c", "network_" + what + "_total", "device=" + device.strip(), value)
        for what, value in zip(("tx_bytes", "tx_packets", "tx_errors", "tx_drops"), rest.split()[8:12]):
            put("c", "network_" + what + "_total", "device=" + device.strip(), value)
    for line in open("/proc/diskstats"):
        words = line.split()
        for what, value in zip(("reads", "reads_merged", "sectors_read", "read_ms", "writes", "writes_merged", "sectors_written"), words[3:10]):
            put("c", "disk_" + what + "_total", "device=" + words[2], value)
    load = open("/proc/loadavg").read().split()
    for name, value in zip(("load1", "load5", "load15"), load):
        put("g", name, "", value)
    for line in list(open("/proc/softirqs"))[1:]:
        name, *counts = line.split()
        for cpu, value in enumerate(counts[:8]):
            put("c", "softirqs_total", f"cpu={cpu},what={name.rstrip(':')}", value)
    return found


def main():
    path, ticks, every = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]) if len(sys.argv) > 3 else 1.0
    rows, begin = [], time.monotonic()
    for i in range(ticks):
        time.sleep(max(0, begin + i * every - time.monotonic()))
        rows.append(numbers())
        if (i + 1) % KEEP_EVERY == 0 or i + 1 == ticks:
            keys = sorted(set.intersection(*(set(row) for row in rows)))
            peers.write_set(path, 1_699_488_000, [(*key, [row[key] for row in rows]) for key in keys])
    print(len(keys))


if __name__ == "__main__":
    main()
