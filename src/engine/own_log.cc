// See own_log.h. Event names and field keys are words of this program, so the table of texts stays small.
#include "engine/own_log.h"

#include <unistd.h>

#include <array>
#include <cstring>
#include <limits>

#include "base/limits.h"
#include "base/text.h"

namespace honeylink::telemetry::engine {
namespace {

void append_text(std::vector<std::uint8_t>& items, std::uint16_t key, ItemType type, std::string_view text) {
  text = text.substr(0, kTextBytesMax);
  const ItemHeader header{key, item_type_size(type, text.size())};
  const std::size_t at = items.size();
  items.resize(at + sizeof header + padded4(text.size()));
  std::memcpy(items.data() + at, &header, sizeof header);
  if (!text.empty()) std::memcpy(items.data() + at + sizeof header, text.data(), text.size());
}

void append_real(std::vector<std::uint8_t>& items, std::uint16_t key, double value) {
  const ItemHeader header{key, item_type_size(ItemType::real, sizeof value)};
  const std::size_t at = items.size();
  items.resize(at + sizeof header + sizeof value);
  std::memcpy(items.data() + at, &header, sizeof header);
  std::memcpy(items.data() + at + sizeof header, &value, sizeof value);
}

}  // namespace

OwnLog::OwnLog(store::LogFiles& logs, const Clock& clock) : logs_(logs), clock_(clock) {
  source_.serial = std::numeric_limits<std::uint64_t>::max();  // rings count from 1
  source_.pid = static_cast<std::uint64_t>(getpid());
  source_.started_unix_ns = clock.realtime_ns();
  source_.resource.service_name = "honeytel";
  source_.resource.module = "telemetry";
  source_.texts.emplace_back("_other");
  source_.scopes.push_back({"honeytel.engine", {}, {}});
}

std::uint32_t OwnLog::text_id(std::string_view text) {
  const auto [at, fresh] = ids_.try_emplace(std::string(text), static_cast<std::uint32_t>(source_.texts.size()));
  if (fresh) source_.texts.emplace_back(text);
  return at->second;
}

void OwnLog::say(Level level, std::string_view event, std::span<const Field> fields, std::string_view message,
                 std::string_view trace_id) {
  items_.clear();
  LogEvent log;
  log.source = &source_;
  log.name = text_id(event);
  log.level = level;
  log.time_unix_ns = clock_.realtime_ns();
  for (const auto& [key, value] : fields) {
    const auto id = static_cast<std::uint16_t>(text_id(key));
    if (const double* number = std::get_if<double>(&value)) append_real(items_, id, *number);
    else append_text(items_, id, ItemType::text, std::get<std::string>(value));
  }
  std::array<std::uint8_t, 16> trace{};
  if (!trace_id.empty() && unhex(trace_id, trace)) {
    log.in_span = log.trace.foreign = true;
    for (std::size_t i = 0; i < 8; ++i)
      log.trace.hi = log.trace.hi << 8 | trace[i], log.trace.lo = log.trace.lo << 8 | trace[8 + i];
  }
  if (!message.empty()) append_text(items_, 0, ItemType::message, message);
  log.items = items_;
  logs_.add(log);
  ++lines_;
}

}  // namespace honeylink::telemetry::engine
