// What the stores of a home become as OTLP: writes traces.N, logs.N and metrics.N, each one Export…ServiceRequest, into a
// folder. For interop/otlp/check.py, which reads them with OpenTelemetry's own decoder and holds them against what
// `honeytel --json` says of the same home.
// Usage: otlp_requests HOME FOLDER [BYTES_MAX]
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <map>

#include "export/otlp_logs.h"
#include "export/otlp_metrics.h"
#include "export/otlp_spans.h"
#include "export/stored_names.h"
#include "query/database.h"
#include "query/metric_reader.h"
#include "query/trace_reader.h"

namespace tel = honeylink::telemetry;
using namespace tel::exporting;

namespace {

struct Folder {
  std::string path;
  std::map<std::string, int> written;
  void write(const std::string& kind, const std::string& bytes) {
    if (bytes.empty()) return;
    std::ofstream(path + "/" + kind + "." + std::to_string(written[kind]++), std::ios::binary) << bytes;
  }
};

bool write_spans(const std::string& home, Folder& folder, std::size_t bytes_max) {
  auto reader = tel::query::TraceReader::open(home);
  auto database = tel::query::open_database(home + "/metrics/traces.db");
  if (!reader.ok() || !database.ok()) return false;
  StoredNames names(database.value());
  SpanRequest request;
  auto walk = reader.value()->walk(INT64_MIN, INT64_MAX);
  tel::store::StoredSpan span;
  for (const tel::query::TraceSource* source = nullptr; walk.next(span, source);) {
    if (!request.add(span, names)) return false;
    if (request.bytes() >= bytes_max) folder.write("traces", request.finish());
  }
  folder.write("traces", request.finish());
  return !walk.failed();
}

bool write_logs(const std::string& home, Folder& folder, std::size_t bytes_max) {
  std::ifstream file(home + "/logs/honeylink.log");
  LogRequest request;
  for (std::string line; std::getline(file, line);) {
    if (!request.add(line, 1)) return false;
    if (request.bytes() >= bytes_max) folder.write("logs", request.finish());
  }
  folder.write("logs", request.finish());
  return true;
}

tel::SeriesInfo info_of(const tel::query::SeriesView& view) {
  tel::SeriesInfo info;
  info.name = view.name, info.unit = view.unit, info.description = view.description, info.labels = view.labels;
  info.service_name = view.service, info.module = view.module, info.environment = view.environment;
  info.kind = view.kind == "counter"        ? tel::MetricType::counter
              : view.kind == "counter_real" ? tel::MetricType::counter_real
              : view.kind == "up_down"      ? tel::MetricType::up_down
              : view.kind == "gauge"        ? tel::MetricType::gauge
                                            : tel::MetricType::histogram;
  return info;
}

// Everything that is stored of a series as one cumulative point.
bool write_metrics(const std::string& home, Folder& folder) {
  auto reader = tel::query::MetricReader::open(home);
  if (!reader.ok()) return false;
  std::vector<const tel::query::SeriesView*> all;
  for (const auto& series : reader.value()->series()) all.push_back(&series);
  auto summaries = reader.value()->summarize(all, {});
  if (!summaries.ok()) return false;
  std::deque<tel::SeriesInfo> infos;  // the request points into them
  MetricRequest request;
  for (const auto& summary : summaries.value()) {
    CumulativePoint point;
    point.series = &infos.emplace_back(info_of(summary.series));
    point.start_unix_ns = 1, point.time_unix_ns = summary.newest_unix_s * 1'000'000'000;
    point.integer = static_cast<std::uint64_t>(static_cast<std::int64_t>(summary.all.sum));
    point.real = summary.series.is_gauge() ? summary.all.last : summary.all.sum;
    point.sketch = &summary.all.sketch();
    point.exemplar = summary.all.exemplar();
    request.add(point);
  }
  folder.write("metrics", request.finish());
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  Folder folder{argv[2], {}};
  const std::size_t bytes_max = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 3'500'000;
  if (!write_spans(argv[1], folder, bytes_max) || !write_logs(argv[1], folder, bytes_max) ||
      !write_metrics(argv[1], folder)) {
    std::fprintf(stderr, "otlp_requests: cannot read %s\n", argv[1]);
    return 1;
  }
  for (const auto& [kind, n] : folder.written) std::printf("%s %d\n", kind.c_str(), n);
  return 0;
}
