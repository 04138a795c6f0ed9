// See series_names.h.
#include "export/series_names.h"

#include <nlohmann/json.hpp>

namespace honeylink::telemetry::exporting {
namespace {

using Json = nlohmann::ordered_json;

std::string member(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Json object_of(std::string_view text) {
  Json object = Json::parse(text, nullptr, false);
  return object.is_object() ? object : Json::object();
}

MetricType kind_of(std::string_view name) noexcept {
  if (name == "counter_real") return MetricType::counter_real;
  if (name == "up_down") return MetricType::up_down;
  if (name == "gauge") return MetricType::gauge;
  return name == "histogram" ? MetricType::histogram : MetricType::counter;
}

}  // namespace

SeriesNames::SeriesNames(store::Connection& connection)
    : connection_(connection),
      row_(connection.prepare(
          "SELECT name, kind, unit, labels, resource, scope, description FROM series WHERE sid = ?1")) {}

const SeriesInfo* SeriesNames::find(std::uint32_t sid) {
  if (const auto known = known_.find(sid); known != known_.end()) return &known->second;
  const SeriesInfo* found = nullptr;
  if (row_.bind(1, sid).step() == SQLITE_ROW) {
    SeriesInfo info;
    info.name = row_.text(0), info.kind = kind_of(row_.text(1)), info.unit = row_.text(2);
    info.description = row_.text(6);
    const Json labels = object_of(row_.text(3)), resource = object_of(row_.text(4)), scope = object_of(row_.text(5));
    for (const auto& [key, value] : labels.items())
      if (value.is_string()) info.labels.emplace_back(key, value.get<std::string>());
    info.service_name = member(resource, "service.name"), info.module = member(resource, "module");
    info.environment = member(resource, "environment");
    info.scope_name = member(scope, "name"), info.scope_version = member(scope, "version");
    found = &(known_[sid] = std::move(info));
  }
  row_.reset();
  return found;
}

std::vector<std::uint32_t> SeriesNames::all() {
  std::vector<std::uint32_t> sids;
  store::Statement rows = connection_.prepare("SELECT sid FROM series ORDER BY sid");
  while (rows && rows.step() == SQLITE_ROW) sids.push_back(static_cast<std::uint32_t>(rows.integer(0)));
  return sids;
}

}  // namespace honeylink::telemetry::exporting
