// See export_metrics.h. Names are the interface: `honeytel health` reads the first.
#include "engine/export_metrics.h"

#include <algorithm>

#include "base/sketch.h"
#include "engine/self_teller.h"

namespace honeylink::telemetry::engine {
namespace {

struct SignalNames {
  std::string_view signal;  // consent's name
  const char *item, *component, *unit, *backlog, *backlog_unit;
};
constexpr SignalNames kNames[] = {
    {"traces", "span", "span", "{span}", "telemetry_export_backlog_spans", "{span}"},
    {"logs", "log", "log", "{log_record}", "telemetry_export_backlog_log_bytes", "By"},
    {"metrics", "metric_data_point", "metric", "{data_point}", "telemetry_export_backlog_ticks", "{tick}"}};

const SignalNames& names_of(std::string_view signal) {
  return *std::find_if(std::begin(kNames), std::end(kNames) - 1, [&](const auto& its) { return its.signal == signal; });
}

// OpenTelemetry semantic conventions, otel.component.type.
std::string component_of(const SignalNames& its, std::string_view transport) {
  const std::string_view way = transport == "grpc" ? "otlp_grpc_" : "otlp_http_";
  return std::string(way) + its.component + "_exporter";
}

void tell_items(SelfTeller& tell, const SignalNames& its, const std::string& signal, const std::string& component,
                const ExportCounts& counts) {
  const store::ExportTotals& n = counts.totals;
  const auto items = [&](const char* result, std::uint64_t value) {
    tell.counter("telemetry_export_items_total", "{item}", {{"result", result}, {"signal", signal}}, value);
  };
  items("sent", n.sent), items("rejected", n.rejected), items("refused", n.refused);
  items("unreadable", n.unreadable), items("expired", n.expired);
  tell.counter("telemetry_export_backfilled_total", "{item}", {{"signal", signal}}, n.backfilled);
  tell.counter("telemetry_export_resent_total", "{item}", {{"signal", signal}}, n.resent);
  const std::string exported = std::string("otel.sdk.exporter.") + its.item + ".exported";
  const std::string in_flight = std::string("otel.sdk.exporter.") + its.item + ".inflight";
  tell.counter(exported, its.unit, {{"otel.component.type", component}}, n.sent);
  const auto failed = [&](const char* type, std::uint64_t value) {
    tell.counter(exported, its.unit, {{"error.type", type}, {"otel.component.type", component}}, value);
  };
  failed("rejected", n.rejected), failed("refused", n.refused), failed("unreadable", n.unreadable);
  if (n.requests != 0) tell.up_down(in_flight, its.unit, {{"otel.component.type", component}}, counts.in_flight);
}

void tell_requests(SelfTeller& tell, const std::string& transport, const std::string& signal,
                   const std::string& component, const ExportCounts& counts) {
  const auto requests = [&](const char* result, std::uint64_t value) {
    tell.counter("telemetry_export_requests_total", "{request}",
                 {{"exporter_type", transport}, {"result", result}, {"signal", signal}}, value);
  };
  requests("answered", counts.totals.requests - counts.totals.failures);
  requests("retried", counts.totals.failures);
  constexpr const char* kDuration = "otel.sdk.exporter.operation.duration";
  tell.histogram(kDuration, "s", {{"otel.component.type", component}}, counts.took_s);
  tell.histogram(kDuration, "s", {{"error.type", "retried"}, {"otel.component.type", component}},
                 counts.failed_after_s);
}

bool is_quiet(std::string_view signal, const ExportCounts& counts) {
  const store::ExportTotals &n = counts.totals, &told = counts.told;
  const bool as_told = n.lost() == told.lost() && n.failures == told.failures && n.expired == told.expired;
  return as_told && (signal == "metrics" || n.requests == told.requests);
}

}  // namespace

std::size_t add_export_metrics(Core& core, Gains& gains) {
  const auto& all = core.exports.counts;
  const bool else_told = std::any_of(gains.begin(), gains.end(), [](const auto& gain) { return gain.second.changed; });
  if (!else_told &&
      std::all_of(all.begin(), all.end(), [](const auto& its) { return is_quiet(its.first.first, its.second); }))
    return 0;
  SelfTeller tell(core, gains);
  std::map<std::string, Sketch> by_transport;
  std::map<std::string, std::uint64_t> backlogs;
  for (const auto& [of, counts] : all) {
    const auto& [signal, transport] = of;
    const SignalNames& its = names_of(signal);
    const std::string component = component_of(its, transport);
    tell_items(tell, its, signal, component, counts);
    tell_requests(tell, transport, signal, component, counts);
    merge(by_transport[transport], counts.took_s), merge(by_transport[transport], counts.failed_after_s);
    backlogs[signal] += counts.backlog;
  }
  for (const auto& [transport, sketch] : by_transport)
    tell.histogram("telemetry_export_duration_seconds", "s", {{"exporter_type", transport}}, sketch);
  for (const auto& [signal, backlog] : backlogs) {
    const SignalNames& its = names_of(signal);
    tell.gauge(its.backlog, its.backlog_unit, {}, static_cast<double>(backlog));
  }
  return tell.told();
}

void settle_export_metrics(Core& core) {
  for (auto& [of, counts] : core.exports.counts) {
    counts.told = counts.totals;
    counts.took_s = counts.failed_after_s = {};
  }
}

}  // namespace honeylink::telemetry::engine
