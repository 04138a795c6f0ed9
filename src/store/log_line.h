// One log record as one line of JSON, written by hand: what is the same for every record of a name or a second is made
// once. Called by LogFiles for every record; the goal is ≤ 220 ns a line.
//
// Must stay true: a line is valid JSON and valid UTF-8 and holds no control character, whatever was recorded (F33).
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/events.h"
#include "base/ids.h"

namespace honeylink::telemetry::store {

/// OpenTelemetry severity number → TRACE, DEBUG, INFO, WARN, ERROR or FATAL; UNSPECIFIED for 0 and beyond 24.
[[nodiscard]] std::string_view level_name(std::uint8_t severity) noexcept;

/// Bytes that lines are written into; grows, never shrinks. Not thread-safe; one owner.
class LineBuffer {
 public:
  /// Room for `bytes` more; the place to write to.
  char* room(std::size_t bytes) {
    if (capacity_ - used_ < bytes) grow(bytes);
    return data_.get() + used_;
  }
  void used_to(const char* end) noexcept { used_ = static_cast<std::size_t>(end - data_.get()); }
  [[nodiscard]] std::string_view view() const noexcept { return {data_.get(), used_}; }
  [[nodiscard]] std::size_t size() const noexcept { return used_; }
  void clear() noexcept { used_ = 0; }

 private:
  void grow(std::size_t bytes);
  std::unique_ptr<char[]> data_;
  std::size_t used_ = 0, capacity_ = 0;
};

/// Turns records into lines. Not thread-safe; one owner. Caches by Source::serial until forget().
class LogLines {
 public:
  void append(const LogEvent& event, LineBuffer& to);
  void forget(const RingId& ring);

 private:
  struct Cache {
    Cache(const Source& source) : ring(source.ring_id), cipher(source.trace_key, source.span_key) {}
    RingId ring;
    IdCipher cipher;
    std::vector<std::string> heads;   // by text id of the event name: ,"event":… to "environment":…
    std::vector<std::string> keys;    // by text id: "key":
    std::vector<std::string> scopes;  // by scope id: ,"scope":…
    std::uint64_t trace_counter = 0, span_counter = 0;
    bool has_trace = false, has_span = false;
    std::array<char, 32> trace_hex{};
    std::array<char, 16> span_hex{};
  };

  Cache& cache_of(const Source& source);
  const std::string& head(Cache& cache, const Source& source, std::uint32_t name);
  const std::string& key(Cache& cache, const Source& source, std::uint32_t text);
  char* times(char* at, std::int64_t unix_ns);
  char* ids(char* at, Cache& cache, const LogEvent& event);
  void fields(Cache& cache, const LogEvent& event, LineBuffer& to);
  void value(const Source& source, const Item& item, LineBuffer& to);
  void string(std::string_view text, LineBuffer& to);

  std::unordered_map<std::uint64_t, std::unique_ptr<Cache>> caches_;
  Cache* last_ = nullptr;
  std::uint64_t last_serial_ = 0;
  std::int64_t second_ = -1;
  std::array<char, 20> second_text_{};    // YYYY-MM-DDTHH:MM:SS.
  std::array<char, 20> second_number_{};  // Unix seconds
  std::size_t second_digits_ = 0;
  std::string scratch_;
};

}  // namespace honeylink::telemetry::store
