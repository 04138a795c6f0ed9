// otlp_sink: a collector that counts and times what arrives, for the figures of the export (interop/figures.py).
//
// Usage: otlp_sink FOLDER [--certificate FILE --key FILE] [--delay MS]
// Prints its URL, then, on SIGTERM, writes FOLDER/sink.json: spans, distinct and repeated by their attribute "n",
// lines, points, requests, bytes, CPU seconds of its own; latencies of spans by their attribute "mark" (CLOCK_MONOTONIC
// ns at their end); FOLDER/marked.csv: value and CLOCK_MONOTONIC ns of every point of the counter "marked_total".
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <protozero/pbf_reader.hpp>
#include <vector>

#include "grpc_peer.h"
#include "otlp_read.h"

using namespace honeylink::telemetry::interop;

namespace {

constexpr std::size_t kMarksMax = 8'000'000;

struct Found {
  std::uint64_t spans = 0, repeated = 0, distinct = 0, lines = 0, points = 0, requests = 0, bytes = 0, unsound = 0;
  std::vector<bool> seen;
  std::vector<float> span_ms;
  std::vector<std::pair<std::uint64_t, std::int64_t>> marked;  // value, arrival
};

// An attribute of a span that is an integer; -1: it has none of that name.
struct Marks {
  std::int64_t n = -1, mark = -1;
};
Marks marks_of(std::string_view span) {
  Marks marks;
  for (protozero::pbf_reader fields(span.data(), span.size()); fields.next(9);) {
    auto pair = fields.get_message();
    protozero::data_view key, value;
    while (pair.next()) {
      if (pair.tag() == 1) key = pair.get_view();
      else value = pair.get_view();
    }
    const std::string_view name(key.data(), key.size());
    if (name != "n" && name != "mark") continue;
    protozero::pbf_reader any(value);
    if (any.next(3)) (name == "n" ? marks.n : marks.mark) = any.get_int64();
  }
  return marks;
}

void take_span(std::string_view span, std::int64_t arrived_ns, Found& found) {
  ++found.spans;
  const Marks marks = marks_of(span);
  if (marks.mark >= 0 && found.span_ms.size() < kMarksMax)
    found.span_ms.push_back(static_cast<float>(static_cast<double>(arrived_ns - marks.mark) / 1e6));
  if (marks.n < 0) return;
  const auto n = static_cast<std::size_t>(marks.n);
  if (found.seen.size() <= n) found.seen.resize(std::max(n + 1, found.seen.size() * 2));
  (found.seen[n] ? found.repeated : found.distinct) += 1;
  found.seen[n] = true;
}

void take_point(std::string_view metric, std::string_view point, std::int64_t arrived_ns, Found& found) {
  ++found.points;
  if (metric != "marked_total") return;
  for (protozero::pbf_reader fields(point.data(), point.size()); fields.next(6);)  // as_int
    found.marked.emplace_back(static_cast<std::uint64_t>(fields.get_sfixed64()), arrived_ns);
}

PeerAnswer take(const PeerRequest& request, int delay_ms, Found& found) {
  ++found.requests, found.bytes += request.wire_bytes, found.unsound += request.sound ? 0 : 1;
  if (request.path.find("trace") != std::string::npos)
    each_item(request.message, [&](std::string_view span) { take_span(span, request.arrived_ns, found); });
  else if (request.path.find("logs") != std::string::npos)
    found.lines += each_item(request.message, [](std::string_view) {});
  else
    each_point(request.message, [&](std::string_view metric, std::string_view point) {
      take_point(metric, point, request.arrived_ns, found);
    });
  PeerAnswer answer;
  answer.delay_ms = delay_ms;
  return answer;
}

double quantile(std::vector<float>& sorted, double q) {
  return sorted.empty()
             ? 0
             : static_cast<double>(sorted[static_cast<std::size_t>(q * static_cast<double>(sorted.size() - 1))]);
}

void write(const std::string& folder, Found& found) {
  std::ofstream csv(folder + "/marked.csv");
  for (const auto& [value, arrived] : found.marked) csv << value << "," << arrived << "\n";
  std::sort(found.span_ms.begin(), found.span_ms.end());
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  std::ofstream json(folder + "/sink.json");
  json << "{\"spans\":" << found.spans << ",\"distinct\":" << found.distinct << ",\"repeated\":" << found.repeated
       << ",\"lines\":" << found.lines << ",\"points\":" << found.points << ",\"requests\":" << found.requests
       << ",\"bytes\":" << found.bytes << ",\"unsound\":" << found.unsound
       << ",\"cpu_s\":" << seconds(usage.ru_utime) + seconds(usage.ru_stime)
       << ",\"marked_spans\":" << found.span_ms.size() << ",\"span_ms\":{\"p50\":" << quantile(found.span_ms, 0.5)
       << ",\"p95\":" << quantile(found.span_ms, 0.95) << ",\"p99\":" << quantile(found.span_ms, 0.99)
       << ",\"max\":" << quantile(found.span_ms, 1) << "}}\n";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2)
    return std::fprintf(stderr, "usage: otlp_sink FOLDER [--certificate FILE --key FILE] [--delay MS]\n"), 2;
  PeerOptions options;
  int delay_ms = 0;
  for (int i = 2; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--certificate") == 0) options.certificate = argv[i + 1];
    else if (std::strcmp(argv[i], "--key") == 0) options.key = argv[i + 1];
    else if (std::strcmp(argv[i], "--delay") == 0) delay_ms = std::atoi(argv[i + 1]);
    else return std::fprintf(stderr, "otlp_sink: unknown option %s\n", argv[i]), 2;
  }
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  Found found;
  {
    const GrpcPeer peer([&](const PeerRequest& request) { return take(request, delay_ms, found); }, options);
    if (peer.port() == 0) return std::fprintf(stderr, "otlp_sink: cannot listen\n"), 1;
    std::printf("%s\n", peer.url().c_str());
    std::fflush(stdout);
    int signal = 0;
    sigwait(&ends, &signal);
  }
  write(argv[1], found);
  return 0;
}
