// Alerts in Alertmanager's JSON (API v2, postableAlerts): see alertmanager_json.h.
#include "alert/alertmanager_json.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

#include "alert/outbox.h"
#include "alert/toast_text.h"
#include "base/json.h"

namespace honeylink::telemetry::alert {
namespace {

/// RFC 3339 in UTC, with nine digits.
std::string time_text(std::int64_t unix_ns) {
  const std::time_t seconds = unix_ns / 1'000'000'000;
  std::tm at{};
  ::gmtime_r(&seconds, &at);
  char date[32], text[64];
  std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &at);
  const int n = std::snprintf(text, sizeof text, "%s.%09dZ", date, static_cast<int>(unix_ns % 1'000'000'000));
  return {text, static_cast<std::size_t>(std::max(n, 0))};
}

/// An empty label or annotation is none.
void add(JsonWriter& json, std::string_view name, std::string_view value) {
  if (!value.empty()) json.key(name).text(value);
}

void add_alert(JsonWriter& json, const PostedAlert& alert, std::string_view instance) {
  const AlertEvent& event = *alert.event;
  json.begin_object().key("labels").begin_object();
  add(json, "alertname", is_burn(event) ? kBurnAlertName : kAlertName);
  add(json, "sli_name", event.sli_name);
  add(json, "severity", severity_name(event.severity));
  add(json, "module", event.module);
  add(json, "environment", event.environment);
  add(json, "instance", instance);
  json.end_object().key("annotations").begin_object();
  const std::string value = current_text(event), limit = threshold_text(event);
  add(json, "summary",
      (event.sli_name == kTestSli ? "test alert: " : "") + event.sli_name +
          (is_burn(event) ? " burns its error budget " : " is ") + value + ", over " + limit);
  add(json, "value", value);
  add(json, "threshold", limit);
  add(json, "alert_id", event.alert_id);
  add(json, "trace_id", event.trace_id);
  if (!event.trace_id.empty()) add(json, "show_trace", "honeytel traces " + event.trace_id);
  json.end_object();
  // An end before its beginning is refused; a clock that was set back makes one.
  add(json, "startsAt", time_text(std::min(event.timestamp_unix_ns, alert.ends_unix_ns)));
  add(json, "endsAt", time_text(alert.ends_unix_ns));
  json.end_object();
}

}  // namespace

std::string_view severity_name(Level level) noexcept {
  constexpr std::array<std::string_view, 4> kNames{"ok", "yellow", "orange", "red"};
  return kNames[std::min<std::size_t>(static_cast<std::size_t>(level), kNames.size() - 1)];
}

std::string alerts_json(std::span<const PostedAlert> alerts, std::string_view instance) {
  JsonWriter json;
  json.begin_array();
  for (const PostedAlert& alert : alerts) add_alert(json, alert, instance);
  json.end_array();
  return json.str();
}

}  // namespace honeylink::telemetry::alert
