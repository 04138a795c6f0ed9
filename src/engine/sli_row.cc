// See sli_row.h.
#include "engine/sli_row.h"

#include <fcntl.h>

#include <cstdio>

#include "base/file.h"
#include "base/text.h"
#include "sli/state_text.h"

namespace honeylink::telemetry::engine {
namespace {

constexpr double kTickSeconds = 10;

// 64 of the 122 random bits of this boot's id; 0 where there is none.
std::uint64_t boot_number() {
  std::string text, why;
  if (!read_whole("/proc/sys/kernel/random/boot_id", 64, text, why)) return 0;
  std::uint64_t number = 0;
  int digits = 0;
  for (const char c : text) {
    const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    if (digit >= 0 && digits++ < 16) number = number << 4 | static_cast<std::uint64_t>(digit);
  }
  return number;
}

std::string definition_json(const sli::Definition& d) {
  std::string json = "{";
  const auto member = [&](const char* key, const std::string& value) {
    if (json.size() > 1) json += ',';
    append_json_string(json, key);
    json += ':' + value;
  };
  const auto quoted = [](const std::string& text) {
    std::string out;
    append_json_string(out, text);
    return out;
  };
  member("kind", d.is_ratio() ? "\"ratio\"" : "\"quantile\"");
  if (d.is_ratio()) {
    member("numerator", quoted(d.ratio[0])), member("denominator", quoted(d.ratio[1]));
  } else {
    member("quantile", sli::shortest_number(d.quantile));
    member("of", quoted(d.of));
  }
  member("yellow", sli::shortest_number(d.yellow)), member("orange", sli::shortest_number(d.orange));
  member("red", sli::shortest_number(d.red)), member("objective", sli::shortest_number(d.objective));
  member("evaluation_window_s", std::to_string(d.evaluation_window_s));
  member("consecutive_breaches_required", std::to_string(d.consecutive_breaches_required));
  member("min_samples", std::to_string(d.samples_min()));
  member("burn_alerts", d.burn_alerts ? "true" : "false");
  return json + "}";
}

}  // namespace

sli::Moment moment_now(const Clock& clock) {
  static const std::uint64_t boot = boot_number();
  return {clock.realtime_ns(), clock.boottime_ns(), boot};
}

store::SliRow row_of(const sli::Definition& d, const sli::Outcome& outcome) {
  const sli::Reading& r = outcome.reading;
  store::SliRow row;
  row.name = d.name, row.module = d.module, row.unit = r.unit;
  row.state = outcome.level != Level::ok ? sli::level_name(outcome.level) : r.enough ? "ok" : "no_data";
  row.value = r.value;
  if (d.objective > 0) row.objective = d.objective;
  row.budget_left = r.budget_left;
  row.burn_5m = r.burn[0], row.burn_30m = r.burn[1], row.burn_1h = r.burn[2], row.burn_6h = r.burn[3];
  row.burn_3d = r.burn[4];
  row.samples = r.samples;
  if (r.newest_point_unix_ns != 0) row.rate = r.samples / kTickSeconds;
  row.consecutive = r.consecutive;
  row.newest_point_unix_ns = r.newest_point_unix_ns, row.evaluated_unix_ns = outcome.state.at.unix_ns;
  row.trace_id = r.trace_id;
  row.definition = definition_json(d);
  row.tracker = sli::to_text(outcome.state);
  return row;
}

sli::Reading reading_of(const store::SliRow& row) {
  sli::Reading r;
  r.value = row.value, r.enough = row.value && row.state != "no_data";
  r.samples = row.samples, r.newest_point_unix_ns = row.newest_point_unix_ns;
  r.trace_id = row.trace_id, r.unit = row.unit, r.consecutive = row.consecutive, r.budget_left = row.budget_left;
  r.burn = {row.burn_5m, row.burn_30m, row.burn_1h, row.burn_6h, row.burn_3d};
  return r;
}

}  // namespace honeylink::telemetry::engine
