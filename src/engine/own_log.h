// The engine's own log lines (DESIGN 12): into the same log file as everybody's, as service "honeytel". They count as
// accepted and stored like any record. One owner, the engine's thread.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/events.h"
#include "store/log_files.h"

namespace honeylink::telemetry::engine {

class OwnLog {
 public:
  enum Level : std::uint8_t { kInfo = 9, kWarn = 13, kError = 17 };
  using Field = std::pair<std::string_view, std::variant<std::string, double>>;

  OwnLog(store::LogFiles& logs, const Clock& clock);
  /// Adds a line to the pending ones; how many lines were added since the last take().
  void say(Level level, std::string_view event, std::initializer_list<Field> fields, std::string_view message = {}) {
    say(level, event, std::span<const Field>(fields.begin(), fields.size()), message, {});
  }
  /// `trace_id`: of the trace that it is about, in hexadecimal, or empty.
  void say(Level level, std::string_view event, std::span<const Field> fields, std::string_view message,
           std::string_view trace_id);
  [[nodiscard]] std::uint64_t take() noexcept { return std::exchange(lines_, 0); }
  [[nodiscard]] std::uint64_t waiting() const noexcept { return lines_; }

 private:
  std::uint32_t text_id(std::string_view text);
  store::LogFiles& logs_;
  const Clock& clock_;
  Source source_;
  std::unordered_map<std::string, std::uint32_t> ids_;
  std::vector<std::uint8_t> items_;
  std::uint64_t lines_ = 0;
};

}  // namespace honeylink::telemetry::engine
