// See live_events.h.
#include "view/live_events.h"

#include <algorithm>
#include <vector>

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

std::string metrics_event(const std::vector<const query::LiveSeries*>& picked, std::int64_t now_unix_ns) {
  if (picked.empty()) return {};
  query::JsonWriter json;
  json.begin_object().key("t").integer(now_unix_ns / 1'000'000).key("series").begin_array();
  for (const query::LiveSeries* series : picked) append_series(json, *series);
  return event_frame("metrics", json.end_array().end_object().str());
}

}  // namespace

std::string event_frame(std::string_view name, std::string_view json) {
  std::string frame = "event: ";
  ((frame += name) += "\ndata: ") += json;
  return frame += "\n\n";
}

std::string changed_metrics_event(const query::LiveReader& reader, ToldSeries& told, std::int64_t now_unix_ns) {
  const auto& all = reader.series();
  std::vector<const query::LiveSeries*> picked;
  std::size_t looked_at = 0;
  for (; looked_at < all.size() && picked.size() < kLiveSeriesMax; ++looked_at) {
    const query::LiveSeries* const series = all[(told.next + looked_at) % all.size()];
    std::uint64_t& last = told.looks[series];
    if (series->changed_at > last) picked.push_back(series), last = series->changed_at;
  }
  told.next = all.empty() ? 0 : (told.next + looked_at) % all.size();
  return metrics_event(picked, now_unix_ns);
}

std::string all_metrics_event(const query::LiveReader& reader, std::int64_t now_unix_ns) {
  const auto& all = reader.series();
  return metrics_event({all.begin(), all.begin() + static_cast<std::ptrdiff_t>(std::min(all.size(), kLiveSeriesMax))},
                       now_unix_ns);
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
