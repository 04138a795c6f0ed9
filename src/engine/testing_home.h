// For the engine's tests: a home in a fresh directory, rings in it made by hand (ring/test_ring.h) whose "process"
// lives as long as the test says, and a clock that stands still. Not part of any library.
#pragma once
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/text.h"
#include "engine/core.h"
#include "engine/engine.h"
#include "ring/home.h"
#include "ring/test_ring.h"

namespace honeylink::telemetry::engine {

class TestHome {
 public:
  TestHome() {
    char name[] = "/tmp/hl_engine_XXXXXX";
    path_ = ::mkdtemp(name);
    std::filesystem::create_directory(path_ + "/run");
    ::chmod((path_ + "/run").c_str(), 0700);
  }
  ~TestHome() {
    for (const auto& directory : ring::ring_directories(path_)) std::filesystem::remove_all(directory);
    std::filesystem::remove_all(path_);
  }
  TestHome(const TestHome&) = delete;
  TestHome& operator=(const TestHome&) = delete;
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
};

/// A ring of a process that lives until die().
class LivingRing {
 public:
  LivingRing(const TestHome& home, std::uint8_t number) {
    RingId id{};
    id.fill(number);
    path_ = home.path() + "/run/" + hex(id) + ".ring";
    std::string why;
    Fd file = open_file(path_, O_RDWR | O_CREAT, 0600, why);
    ring_ = std::make_unique<ring::TestRing>(std::move(file));
    std::copy(id.begin(), id.end(), ring_->header().ring_id);
    ring_->header().trace_key[0] = number;
    lock_ = lock_for_process_life(AT_FDCWD, path_);
    ring_->text(1, "work");
    ring_->text(2, "key");
    ring_->text(3, "requests");
    ring_->text(4, "s");
    ring_->text(5, "service.name");
    ring_->resource(ring::TestItems().text(5, "tested"));
    ring_->scope(0, 1, 0, 0);
  }
  ~LivingRing() { die(); }
  void die() {
    if (lock_ != nullptr) release_process_lock(lock_);
    lock_ = nullptr;
  }
  ring::TestRing* operator->() noexcept { return ring_.get(); }
  [[nodiscard]] bool exists() const { return std::filesystem::exists(path_); }

  static std::vector<std::uint8_t> span(std::uint8_t flags, std::uint64_t trace, std::uint8_t status = 0) {
    ring::SpanRecord record{};
    record.header.flags = flags;
    record.header.name = 1;
    const auto now = ring::read_clocks(ring::ClockSource::monotonic_ns).ticks;
    record.start = now - 1'000'000, record.end = now;
    record.trace_lo = trace;
    record.span = next_span_++;
    record.status = status;
    return ring::test_record(record, ring::TestItems().text(2, "value"));
  }
  static std::vector<std::uint8_t> log(std::uint8_t level = 9) {
    ring::LogRecord record{};
    record.header.name = 1;
    record.level = level;
    record.time = ring::read_clocks(ring::ClockSource::monotonic_ns).ticks;
    return ring::test_record(record, ring::TestItems().integer(2, 7));
  }

 private:
  static inline std::uint64_t next_span_ = 1;
  std::string path_;
  std::unique_ptr<ring::TestRing> ring_;
  void* lock_ = nullptr;
};

/// An engine under a clock of the test's.
struct TestEngine {
  /// `tells`: of alerts, by the real outbox; else somebody listens, so that no test shows a toast on a developer's
  /// desktop.
  explicit TestEngine(const TestHome& home, Mode mode = Mode::agent, bool tells = false)
      : clock(system_clock().realtime_ns() + 5'000'000'000) {
    std::string why;
    AlertHooks hooks;
    if (!tells) hooks.fired = [](const AlertEvent&) {};
    engine = Engine::start({home.path(), mode, &clock, hooks}, why);
    EXPECT_NE(engine, nullptr) << why;
  }
  bool lead() {
    std::string why;
    const bool leads = engine->try_lead(why);
    EXPECT_TRUE(why.empty()) << why;
    return leads;
  }
  /// Passes until nothing is left to do, with everything committed.
  void settle() {
    clock.advance(1'000'000'000);
    for (int i = 0; i < 50 && engine->step(); ++i) clock.advance(300'000'000);
    clock.advance(300'000'000);
    engine->step();
  }
  void tick() {
    settle();
    clock.advance(10'000'000'000);
    engine->step();
    settle();
  }
  store::Counts spans() { return engine->core()->traces->totals(); }
  store::Counts logs() { return engine->core()->logs->totals(); }
  /// Without the engine's own lines.
  std::uint64_t app_logs_stored() {
    std::uint64_t own = 0;
    std::string text, why;
    read_whole(engine->core()->logs->path(), std::size_t{64} << 20, text, why);
    std::uint64_t lines = 0;
    for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
      const std::string line = text.substr(at, text.find('\n', at) - at);
      if (line.find("\"service\":\"honeytel\"") != std::string::npos) ++own;
      else ++lines;
    }
    return lines;
  }
  ManualClock clock;
  std::unique_ptr<Engine> engine;
};

}  // namespace honeylink::telemetry::engine
