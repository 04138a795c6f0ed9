// For the tests of the stores: a home in a temporary directory, a source with texts, and events built in a line. Not
// part of a program.
#pragma once
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "base/events.h"
#include "base/items.h"
#include "store/store.h"

namespace honeylink::telemetry::store {

/// A private directory that is gone when the test ends.
struct TempHome {
  std::string path;
  explicit TempHome(const char* under = nullptr) {
    std::string pattern =
        std::string(under != nullptr ? under : std::filesystem::temp_directory_path().c_str()) + "/hl_store_XXXXXX";
    path = ::mkdtemp(pattern.data()) != nullptr ? pattern : std::string();
  }
  ~TempHome() {
    std::error_code ignored;
    if (!path.empty()) std::filesystem::remove_all(path, ignored);
  }
  TempHome(const TempHome&) = delete;
  TempHome& operator=(const TempHome&) = delete;
  [[nodiscard]] StoreOptions options() const {
    StoreOptions options;
    options.home = path;
    return options;
  }
};

inline RingId ring_id(std::uint8_t n) {
  RingId id{};
  id.fill(n);
  return id;
}

inline Source make_source(std::uint8_t n, std::vector<std::string> texts) {
  Source source;
  source.serial = n;
  source.ring_id = ring_id(n);
  source.pid = 1000U + n;
  source.started_unix_ns = 1'700'000'000'000'000'000;
  source.trace_key.fill(n);
  source.span_key.fill(static_cast<std::uint8_t>(n + 100));
  source.resource.service_name = "service-" + std::to_string(n);
  source.resource.module = "transport";
  source.texts = std::move(texts);
  source.scopes = {{"honeylink.test", "1.0", ""}};
  return source;
}

/// Items as the recorder writes them.
class Items {
 public:
  Items& add(std::uint16_t key, ItemType type, std::string_view payload) {
    const ItemHeader header{key, item_type_size(type, payload.size())};
    const std::size_t at = bytes_.size();
    bytes_.resize(at + sizeof header + padded4(payload.size()), 0);
    std::memcpy(bytes_.data() + at, &header, sizeof header);
    if (!payload.empty()) std::memcpy(bytes_.data() + at + sizeof header, payload.data(), payload.size());
    return *this;
  }
  template <class T>
  Items& add_value(std::uint16_t key, ItemType type, T value) {
    return add(key, type, {reinterpret_cast<const char*>(&value), sizeof value});
  }
  Items& text(std::uint16_t key, std::string_view value) { return add(key, ItemType::text, value); }
  Items& integer(std::uint16_t key, std::int64_t value) { return add_value(key, ItemType::integer, value); }
  Items& real(std::uint16_t key, double value) { return add_value(key, ItemType::real, value); }
  [[nodiscard]] std::span<const std::uint8_t> view() const { return bytes_; }
  [[nodiscard]] std::string_view raw() const { return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()}; }

 private:
  std::vector<std::uint8_t> bytes_;
};

inline SpanEvent make_span(const Source& source, std::uint64_t ordinal, std::span<const std::uint8_t> items = {}) {
  SpanEvent event;
  event.source = &source;
  event.at = {0, ordinal};
  event.trace.lo = ordinal / 4;
  event.span = ordinal + 1;
  event.name = 1;
  event.start_unix_ns = 1'700'000'000'000'000'000 + static_cast<std::int64_t>(ordinal) * 1000;
  event.duration_ns = 500;
  event.items = items;
  return event;
}

inline LogEvent make_log(const Source& source, std::uint64_t ordinal, std::span<const std::uint8_t> items = {}) {
  LogEvent event;
  event.source = &source;
  event.at = {0, ordinal};
  event.time_unix_ns = 1'700'000'000'123'456'789 + static_cast<std::int64_t>(ordinal);
  event.name = 1;
  event.level = 9;
  event.items = items;
  return event;
}

inline Counts stored(std::uint64_t n) {
  Counts counts;
  counts.accepted = counts.stored = n;
  return counts;
}

/// Runs `body` in a fork child; its exit code, or −signal.
template <class Body>
int in_child(Body&& body) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(body());
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

}  // namespace honeylink::telemetry::store
