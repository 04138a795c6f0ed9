// See sli_text.h.
#include "query/sli_text.h"

#include <array>
#include <cmath>
#include <cstdio>

#include "base/text.h"
#include "query/json.h"
#include "query/time_text.h"

namespace honeylink::telemetry::query {
namespace {

void put_real(JsonWriter& json, std::string_view key, const std::optional<double>& value) {
  json.key(key);
  if (value) json.real(*value);
  else json.null();
}
void put_time(JsonWriter& json, std::string_view key, std::int64_t unix_ns) {
  json.key(key);
  if (unix_ns == 0) json.null();
  else json.text(format_utc(unix_ns));
}
void put_text(JsonWriter& json, std::string_view key, std::string_view text) {
  json.key(key);
  if (text.empty()) json.null();
  else json.text(text);
}

void put_definition(JsonWriter& json, const sli::Definition& d) {
  json.key("kind").text(d.is_ratio() ? "ratio" : "quantile");
  if (d.is_ratio()) {
    json.key("ratio").begin_array();
    for (const std::string& counter : d.ratio) json.text(counter);
    json.end_array();
  } else {
    json.key("quantile").real(d.quantile).key("of").text(d.of);
  }
  json.key("yellow").real(d.yellow).key("orange").real(d.orange).key("red").real(d.red);
  json.key("evaluation_window_s").integer(d.evaluation_window_s);
  json.key("consecutive_breaches_required").integer(d.consecutive_breaches_required);
  json.key("min_samples").count(d.samples_min()).key("burn_alerts").boolean(d.burn_alerts);
}

std::string number(const char* format, double value) {
  std::array<char, 48> text{};
  const int n = std::snprintf(text.data(), text.size(), format, value);
  return {text.data(), static_cast<std::size_t>(n)};
}

}  // namespace

std::string sli_json(const SliView& v) {
  const sli::Definition& d = v.definition;
  JsonWriter json;
  json.begin_object().key("sli_name").text(d.name).key("module").text(d.module);
  put_real(json, "value", v.value);
  json.key("unit").text(v.unit).key("state").text(v.state()).key("consecutive").count(v.consecutive);
  put_real(json, "objective", d.objective > 0 ? std::optional(d.objective) : std::nullopt);
  put_real(json, "budget_left", v.budget_left);
  put_real(json, "burn_1h", v.burn[2]), put_real(json, "burn_6h", v.burn[3]);
  put_time(json, "newest_point", v.newest_point_unix_ns);
  put_real(json, "burn_5m", v.burn[0]), put_real(json, "burn_30m", v.burn[1]), put_real(json, "burn_3d", v.burn[4]);
  put_definition(json, d);
  put_real(json, "rate", v.rate);
  json.key("samples").real(v.samples);
  put_time(json, "evaluated", v.evaluated_unix_ns);
  put_text(json, "trace_id", v.trace_id);
  json.key("spark").begin_array();
  for (const double value : v.spark) json.real(value);  // null where there is no number
  json.end_array().key("alerts").begin_array();
  for (const AlertView& alert : v.alerts) json.text(alert.event.alert_id);
  json.end_array().key("problems").begin_array();
  for (const sli::Flaw& flaw : v.flaws)
    json.text(flaw.key + ": " + flaw.what + (flaw.suggestion.empty() ? "" : "; " + flaw.suggestion));
  return json.end_array().end_object().str();
}

std::string alert_json(const AlertView& alert) {
  const AlertEvent& e = alert.event;
  JsonWriter json;
  json.begin_object().key("alert_id").text(e.alert_id).key("severity").text(sli::level_name(e.severity));
  json.key("sli_name").text(e.sli_name).key("current_value").real(e.current_value).key("threshold").real(e.threshold);
  json.key("threshold_type").text(e.threshold_type);
  put_time(json, "timestamp", e.timestamp_unix_ns);
  put_text(json, "trace_id", e.trace_id);
  json.key("labels").begin_object().key("module").text(e.module).key("environment").text(e.environment).end_object();
  put_time(json, "cleared_at", e.cleared_at_unix_ns);
  json.key("delivered").begin_object();
  put_real(json, "toast_ms", alert.toast_ms), put_real(json, "alertmanager_ms", alert.alertmanager_ms);
  json.end_object().key("unit").text(e.unit);
  put_text(json, "rule", alert.rule);
  return json.end_object().str();
}

std::string level_value(double value, const std::string& unit) {
  if (!std::isfinite(value)) return "–";
  const double ms = unit == "s" ? 1e3 : unit == "ms" ? 1 : unit == "us" ? 1e-3 : unit == "ns" ? 1e-6 : 0;
  if (ms != 0) {
    const double size = std::fabs(value * ms);
    if (size != 0 && size < 1e-3) return number("%.3g ns", value * ms * 1e6);
    if (size != 0 && size < 1) return number("%.3g µs", value * ms * 1e3);
    if (size < 1e4) return number("%.4g ms", value * ms);
    return format_duration(std::llround(std::min(value * ms * 1e6, 9e18)));
  }
  if (unit == "1" || unit.empty()) return number("%.3g", value);
  return number("%.4g", value) + " " + terminal_safe(unit);
}

std::string percent_text(const std::optional<double>& share) {
  return share && std::isfinite(*share) ? number("%.1f %%", *share * 100) : "–";
}

std::string burn_text(const std::optional<double>& rate) {
  return rate && std::isfinite(*rate) ? number("%.1fx", *rate) : "–";
}

}  // namespace honeylink::telemetry::query
