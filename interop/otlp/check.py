#!/usr/bin/env python3
"""Holds our OTLP requests against what `honeytel --json` says of the same home, read by OpenTelemetry's own decoder.

Usage: check.py HONEYTEL OTLP_REQUESTS HOME
Needs the package opentelemetry-proto. Prints a line for each kind of message and exits 0, or says what differs and exits 1.
"""
import glob
import json
import pathlib
import subprocess
import sys
import tempfile

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

KINDS = {1: "internal", 2: "server", 3: "client", 4: "producer", 5: "consumer"}
STATUS = {0: "unset", 1: "ok", 2: "error"}


class Differs(Exception):
    pass


def expect(what, ours, theirs):
    if ours != theirs:
        raise Differs(f"{what}: honeytel says {ours!r}, the request holds {theirs!r}")


def tool(honeytel, home, *words):
    done = subprocess.run([honeytel, "--home", home, *words, "--json"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Differs(f"honeytel {' '.join(words)}: exit {done.returncode}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def requests(kind, folder, message):
    for path in sorted(glob.glob(f"{folder}/{kind}.*"), key=lambda name: int(name.rsplit(".", 1)[1])):
        request = message()
        request.ParseFromString(pathlib.Path(path).read_bytes())
        whole = request.SerializeToString()
        request.DiscardUnknownFields()
        if request.SerializeToString() != whole:
            raise Differs(f"{path}: holds bytes that are in no field")
        yield request


def value_of(any_value):
    which = any_value.WhichOneof("value")
    if which == "array_value":
        return [value_of(element) for element in any_value.array_value.values]
    return getattr(any_value, which) if which else None


def attributes_of(pairs):
    keys = [pair.key for pair in pairs]
    if len(keys) != len(set(keys)):
        raise Differs(f"a key stands twice in {keys}")
    return {pair.key: value_of(pair.value) for pair in pairs}


def all_spans(folder):
    for request in requests("traces", folder, ExportTraceServiceRequest):
        for of_resource in request.resource_spans:
            resource = attributes_of(of_resource.resource.attributes)
            for of_scope in of_resource.scope_spans:
                for span in of_scope.spans:
                    yield resource, of_scope.scope, span


def check_span(resource, scope, span, ours):
    name = f"span {span.span_id.hex()}"
    expect(f"{name} name", ours["name"], span.name)
    expect(f"{name} parent", ours["parent_span_id"] or "", span.parent_span_id.hex())
    expect(f"{name} service", ours["service"], resource["service.name"])
    expect(f"{name} start", int(ours["start_unix_nano"]), span.start_time_unix_nano)
    expect(f"{name} duration", int(ours["duration_ns"]), span.end_time_unix_nano - span.start_time_unix_nano)
    expect(f"{name} status", ours["status"], STATUS[span.status.code])
    expect(f"{name} kind", ours.get("kind", KINDS[span.kind]), KINDS[span.kind])
    sent = {key: value for key, value in attributes_of(span.attributes).items() if not key.startswith("honeylink.")}
    expect(f"{name} attributes", ours["attributes"], sent)
    expect(f"{name} events", [(e["name"], int(e["time_unix_nano"]), e["attributes"]) for e in ours["events"]],
           [(e.name, e.time_unix_nano, attributes_of(e.attributes)) for e in span.events])
    expect(f"{name} links", [(link["trace_id"], link["span_id"]) for link in ours["links"]],
           [(link.trace_id.hex(), link.span_id.hex()) for link in span.links])


def check_traces(honeytel, home, folder):
    sent = {}
    for resource, scope, span in all_spans(folder):
        if len(span.trace_id) != 16 or len(span.span_id) != 8:
            raise Differs(f"a span with ids of {len(span.trace_id)} and {len(span.span_id)} bytes")
        of_trace = sent.setdefault(span.trace_id.hex(), {})
        if span.span_id.hex() in of_trace:
            raise Differs(f"span {span.span_id.hex()} stands twice")
        of_trace[span.span_id.hex()] = (resource, scope, span)
    listed = {trace["trace_id"]: trace for trace in tool(honeytel, home, "traces", "--limit", "0", "--since", "@0")["traces"]}
    expect("trace ids", sorted(listed), sorted(sent))
    expect("spans in all", sum(trace["spans"] for trace in listed.values()), sum(map(len, sent.values())))
    looked = 0
    for trace_id in sorted(listed)[:200]:
        for ours in tool(honeytel, home, "traces", trace_id)["spans"]:
            check_span(*sent[trace_id][ours["span_id"]], ours)
            looked += 1
    return f"{sum(map(len, sent.values()))} spans of {len(sent)} traces, {looked} compared field by field"


def check_logs(honeytel, home, folder):
    sent = []
    for request in requests("logs", folder, ExportLogsServiceRequest):
        for of_resource in request.resource_logs:
            resource = attributes_of(of_resource.resource.attributes)
            for of_scope in of_resource.scope_logs:
                sent += [(record.time_unix_nano, resource, record) for record in of_scope.log_records]
    lines = [json.loads(line) for line in pathlib.Path(home, "logs/honeylink.log").read_text(encoding="utf-8").splitlines()]
    expect("log records", len(lines), len(sent))
    by_time = {}
    for line in lines:
        by_time.setdefault(int(line["time_unix_nano"]), []).append(line)
    for time, resource, record in sent:
        fitting = [line for line in by_time[time] if line["event"] == record.event_name and line["fields"] == attributes_of(record.attributes)]
        if not fitting:
            raise Differs(f"log record {record.event_name} at {time} is in no line")
        line = fitting[0]
        expect("log level", line["level"], record.severity_text)
        expect("log message", line.get("message", line["event"]), value_of(record.body))
        expect("log trace", line.get("trace_id", ""), record.trace_id.hex())
        expect("log span", line.get("span_id", ""), record.span_id.hex())
        for key, member in (("service.name", "service"), ("service.version", "version"), ("honeylink.module", "module"),
                            ("deployment.environment.name", "environment")):
            expect(f"log {key}", line.get(member), resource.get(key))
        kinds = {key: type(value) for key, value in attributes_of(record.attributes).items()}
        expect("kinds of a log's fields", {key: type(value) for key, value in line["fields"].items()}, kinds)
    return f"{len(sent)} log records"


def labels_of(text):
    return tuple(sorted(tuple(pair.split("=", 1)) for pair in text.split(", ") if pair))


def points_of(metric):
    data = getattr(metric, metric.WhichOneof("data"))
    return data.data_points


def check_histogram(what, ours, point):
    total = point.zero_count + sum(point.positive.bucket_counts)
    expect(f"{what} count", total, point.count)
    expect(f"{what} count", ours["count"], point.count)
    base = 2 ** (2 ** -point.scale)
    rank, seen = 0.95 * point.count, point.zero_count
    for i, n in enumerate(point.positive.bucket_counts):
        seen += n
        if seen >= rank:
            index = point.positive.offset + i
            low, high = base ** index, base ** (index + 1)
            if not low * 0.99 <= ours["p95"] <= high * 1.01:
                raise Differs(f"{what}: honeytel's p95 {ours['quantile']} is not in the bucket ({low}, {high}]")
            return


def check_metrics(honeytel, home, folder):
    sent, series = {}, 0
    for request in requests("metrics", folder, ExportMetricsServiceRequest):
        for of_resource in request.resource_metrics:
            resource = attributes_of(of_resource.resource.attributes)
            for of_scope in of_resource.scope_metrics:
                for metric in of_scope.metrics:
                    for point in points_of(metric):
                        labels = tuple(sorted(attributes_of(point.attributes).items()))
                        key = (metric.name, resource["service.name"], resource.get("honeylink.module", ""), labels)
                        if key in sent:
                            raise Differs(f"series {key} stands twice")
                        sent[key] = (metric, point)
    listed = tool(honeytel, home, "metrics", "--limit", "0", "--since", "@0", "--quantile", "0.95")["series"]
    for ours in listed:
        key = (ours["name"], ours["service"], ours.get("module", ""), labels_of(ours["labels"]))
        if key not in sent:
            raise Differs(f"series {key} was not sent")
        metric, point = sent[key]
        series += 1
        expect(f"{key} unit", ours["unit"], metric.unit)
        if ours["kind"] == "histogram":
            expect(f"{key} temporality", 2, metric.exponential_histogram.aggregation_temporality)
            check_histogram(key, ours, point)
        elif ours["kind"] == "gauge":
            expect(f"{key} value", float(ours["value"]), point.as_double)
        else:
            expect(f"{key} temporality", 2, metric.sum.aggregation_temporality)
            expect(f"{key} monotonic", ours["kind"] != "up_down", metric.sum.is_monotonic)
            value = point.as_double if point.WhichOneof("value") == "as_double" else point.as_int
            expect(f"{key} value", float(ours["value"]), float(value))
    expect("series", len(listed), len(sent))
    return f"{series} series"


def main():
    honeytel, program, home = sys.argv[1:4]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([program, home, folder, "200000"], check=True, stdout=subprocess.DEVNULL)
        try:
            for kind, check in (("traces", check_traces), ("logs", check_logs), ("metrics", check_metrics)):
                print(f"{kind}: {check(honeytel, home, folder)}: as OpenTelemetry's decoder reads them")
        except Differs as differs:
            print(f"check.py: {differs}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
