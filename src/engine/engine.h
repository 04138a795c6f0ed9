// The loop: drain every ring of a home, scrub, fan out to the stores, tick; asleep on the doorbell when there is
// nothing to do.
//
// One engine leads a home (election.h); the others wait in run(). In `honeytel agent` run() is called by main; embedded
// (include/honeylink/embedded.h) by a thread of its own. run(), try_lead() and step() belong to one thread; stop() may
// be called from any, a signal handler included. Errors are values: nothing throws out of here.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "engine/alert_hooks.h"
#include "engine/election.h"
#include "ring/doorbell.h"

namespace honeylink::telemetry::engine {

struct Core;

struct EngineOptions {
  std::string home;  // absolute; ring::home_path() finds it
  Mode mode = Mode::agent;
  const Clock* clock = nullptr;  // nullptr: the system's
  AlertHooks alerts = {};
};

class Engine {
 public:
  /// nullptr and `why` where the home cannot be used at all.
  [[nodiscard]] static std::unique_ptr<Engine> start(const EngineOptions& options, std::string& why);
  ~Engine();

  /// Leads whenever it can, until stop(). Before it returns everything drained is committed.
  void run();
  void stop() noexcept;
  /// Any thread.
  [[nodiscard]] bool leads() const noexcept { return leading_.load(std::memory_order_relaxed); }

  // The parts of run(), for tests and for who has a loop already.
  /// Takes the lock, opens the stores, begins an epoch. False: another leads (empty `why`), or it cannot be done.
  bool try_lead(std::string& why);
  /// One pass over everything. True: something was done. False also where it stopped leading.
  bool step();
  /// Commits everything that was drained, ticks, gives the lock back.
  void stand_down();
  [[nodiscard]] Core* core() noexcept { return core_.get(); }

 private:
  explicit Engine(const EngineOptions& options);
  bool open_stores(std::string& why);
  void read_cursors();
  void begin_audit();
  void reload_config(bool at_start);
  void note_clock_step();
  bool discover(std::int64_t now);
  bool answer_flushes();
  bool tick_if_due(std::int64_t now);
  void sleep_until_rung();
  void wait(std::int64_t ns);
  [[nodiscard]] bool stopping() const noexcept { return stop_.load(std::memory_order_relaxed) != 0; }
  [[nodiscard]] bool needs_tick() const;

  EngineOptions options_;
  const Clock& clock_;
  Election election_;
  std::unique_ptr<Core> core_;
  ring::BellWord* bell_ = nullptr;
  std::atomic<std::uint32_t> stop_{0};  // a futex word
  std::atomic<bool> leading_{false};
  std::int64_t next_tick_ns_ = 0, next_extra_tick_ns_ = 0, next_discovery_ns_ = 0, next_agent_look_ns_ = 0;
  std::int64_t clock_offset_ns_ = 0;
  std::string config_stamp_, directories_stamp_, said_;
};

}  // namespace honeylink::telemetry::engine
