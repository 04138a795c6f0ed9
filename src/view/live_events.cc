// See live_events.h.
#include "view/live_events.h"

#include "query/json.h"

namespace honeylink::telemetry::view {
namespace {

std::string_view name_of(MetricType kind) noexcept {
  switch (kind) {
    case MetricType::counter:
      return "counter";
    case MetricType::counter_real:
      return "counter_real";
    case MetricType::up_down:
      return "up_down";
    case MetricType::gauge:
      return "gauge";
    case MetricType::histogram:
      return "histogram";
  }
  return "unknown";
}

void append_series(query::JsonWriter& json, const query::LiveSeries& series) {
  const SeriesInfo& info = series.info;
  json.begin_object().key("name").text(info.name).key("labels").begin_object();
  for (const auto& [label, value] : info.labels) json.key(label).text(value);
  json.end_object().key("service").text(info.service_name).key("unit").text(info.unit);
  json.key("kind").text(name_of(info.kind)).key("value");
  if (info.kind == MetricType::counter) json.count(series.integer);
  else if (info.kind == MetricType::up_down) json.integer(static_cast<std::int64_t>(series.integer));
  else json.real(series.real);
  json.key("count").count(series.count).end_object();
}

}  // namespace

std::string event_frame(std::string_view name, std::string_view json) {
  std::string frame = "event: ";
  ((frame += name) += "\ndata: ") += json;
  return frame += "\n\n";
}

std::string metrics_event(const query::LiveReader& reader, std::uint64_t since, std::int64_t now_unix_ns) {
  query::JsonWriter json;
  json.begin_object().key("t").integer(now_unix_ns / 1'000'000).key("series").begin_array();
  std::size_t shown = 0;
  for (const query::LiveSeries* series : reader.series()) {
    if (series->changed_at < since) continue;
    append_series(json, *series);
    if (++shown == kLiveSeriesMax) break;
  }
  return shown == 0 ? std::string() : event_frame("metrics", json.end_array().end_object().str());
}

std::string status_event(const query::LiveStatus& status, std::size_t recorders, std::int64_t now_unix_ns) {
  query::JsonWriter json;
  json.begin_object().key("t").integer(now_unix_ns / 1'000'000).key("engine").text(status.engine);
  json.key("recorders").count(recorders).key("dropped").count(status.lost).key("in_ring").count(status.in_ring);
  json.key("newest_point");
  if (status.newest_point_unix_s == 0) json.null();
  else json.integer(status.newest_point_unix_s);
  return event_frame("status", json.end_object().str());
}

}  // namespace honeylink::telemetry::view
