// See alert_told.h.
#include "engine/alert_told.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/file.h"
#include "base/text.h"
#include "base/utc_text.h"
#include "engine/retro_keep.h"
#include "sli/definition.h"

namespace honeylink::telemetry::engine {
namespace {

// A Red alert keeps what the rings hold of the last seconds: of all traces, not only of its own.
constexpr std::int64_t kKeepNs = 10'000'000'000;
constexpr std::size_t kKeepSpansMax = 20'000;  // 2 MB of a trace store that has 500
constexpr std::size_t kLogTailBytes = 1 << 20;

bool is_in_log(const Core& core, const std::string& event, const std::string& alert_id) {
  std::string why;
  const Fd file = open_file(core.logs->path(), O_RDONLY, 0, why);
  struct stat info {};
  if (!file || ::fstat(file.get(), &info) != 0) return false;
  const auto size = static_cast<std::size_t>(info.st_size), tail = std::min(size, kLogTailBytes);
  std::string text(tail, '\0');
  if (!read_exactly(file.get(), text.data(), tail, size - tail)) return false;
  for (std::size_t at = text.find(alert_id); at != std::string::npos; at = text.find(alert_id, at + 1)) {
    const std::size_t begin = text.rfind('\n', at) + 1, end = text.find('\n', at);
    if (text.substr(begin, end - begin).find("\"" + event + "\"") != std::string::npos) return true;
  }
  return false;
}

void write_line(Core& core, const AlertEvent& event, bool again) {
  const bool cleared = event.cleared_at_unix_ns != 0;
  const std::string name = cleared ? "alert.cleared" : "alert.fired";
  if (again && is_in_log(core, name, event.alert_id)) return;
  std::vector<OwnLog::Field> fields{{"alert_id", event.alert_id},
                                    {"severity", std::string(sli::level_name(event.severity))},
                                    {"sli_name", event.sli_name},
                                    {"current_value", event.current_value},
                                    {"threshold", event.threshold},
                                    {"threshold_type", event.threshold_type},
                                    {"timestamp", utc_text(event.timestamp_unix_ns)},
                                    {"trace_id", event.trace_id},
                                    {"module", event.module},
                                    {"environment", event.environment}};
  if (cleared) fields.emplace_back("cleared_at", utc_text(event.cleared_at_unix_ns));
  const auto level = cleared ? OwnLog::kInfo : event.severity == Level::red ? OwnLog::kError : OwnLog::kWarn;
  core.own_log->say(level, name, fields, {}, event.trace_id);
}

// Of the process whose ring it came from; a trace that began elsewhere is known to every ring by its id.
void mark(Core& core, const std::string& trace_id) {
  std::array<std::uint8_t, 16> id{};
  if (trace_id.empty() || !unhex(trace_id, id) || core.rings.empty()) return;
  RingState* of = core.rings.begin()->second.get();
  for (auto& [serial, ring] : core.rings) {
    std::uint64_t counter = 0;
    if (!ring->cipher->trace_counter(id, counter)) continue;
    of = ring.get();
    break;
  }
  mark_trace_id(core, *of, id, "alert");
}

void keep_last_seconds(Core& core) {
  const std::int64_t now = core.now_ns();
  if (core.red_kept_at_ns != 0 && now - core.red_kept_at_ns < kKeepNs) return;  // they are kept
  core.red_kept_at_ns = now;
  std::size_t room = kKeepSpansMax;
  for (auto& [serial, ring] : core.rings) {
    if (ring->phase != RingPhase::live) continue;
    room -= keep_since(core, *ring, core.clock->realtime_ns() - kKeepNs, Kept::retroactive, room);
  }
  if (room == 0)
    core.own_log->say(
        OwnLog::kInfo, "alert.kept", {},
        "of the seconds before a Red alert the newest " + std::to_string(kKeepSpansMax) + " spans were kept, not all");
}

}  // namespace

void tell_fired(Core& core, const AlertEvent& event, bool again) {
  write_line(core, event, again);
  if (event.severity >= Level::orange) mark(core, event.trace_id);
  if (event.severity == Level::red) keep_last_seconds(core);
  if (core.alerts.fired) core.alerts.fired(event);
}

void tell_cleared(Core& core, const AlertEvent& event, bool again) {
  write_line(core, event, again);
  if (core.alerts.cleared) core.alerts.cleared(event);
}

}  // namespace honeylink::telemetry::engine
