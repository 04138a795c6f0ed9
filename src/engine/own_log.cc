// See own_log.h. Event names and field keys are words of this program, so the table of texts stays small.
#include "engine/own_log.h"

#include <unistd.h>

#include <cstring>
#include <limits>

#include "base/limits.h"

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

void OwnLog::say(Level level, std::string_view event, std::initializer_list<Field> fields, std::string_view message) {
  items_.clear();
  LogEvent log;
  log.source = &source_;
  log.name = text_id(event);
  log.level = level;
  log.time_unix_ns = clock_.realtime_ns();
  for (const auto& [key, value] : fields)
    append_text(items_, static_cast<std::uint16_t>(text_id(key)), ItemType::text, value);
  if (!message.empty()) append_text(items_, 0, ItemType::message, message);
  log.items = items_;
  logs_.add(log);
  ++lines_;
}

}  // namespace honeylink::telemetry::engine
