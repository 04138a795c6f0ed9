// Which engine of a home leads: the one that holds run/engine.lock, a lock that lasts exactly as long as its address
// space.
//
// Any number may start. The others ask every 500 ms, so that a death is noticed within 2 s. An agent that has to wait
// says so in run/agent.wanted, touched at each try; an embedded engine that leads gives way to it. One owner; not
// thread-safe.
#pragma once
#include <cstdint>
#include <string>

#include "base/clock.h"

namespace honeylink::telemetry::engine {

enum class Mode : std::uint8_t { agent, embedded };

class Election {
 public:
  static constexpr std::int64_t kTryNs = 500'000'000;

  Election(std::string home, Mode mode, const Clock& clock) : home_(std::move(home)), mode_(mode), clock_(clock) {}
  ~Election();
  Election(const Election&) = delete;
  Election& operator=(const Election&) = delete;

  /// Takes the lock if nobody has it. Makes <home>/run. False with an empty `why`: another leads.
  bool try_lead(std::string& why);
  [[nodiscard]] bool leads() const noexcept { return lock_ != nullptr; }
  /// run/state.json: who leads, for people and the tool.
  bool write_state(std::uint64_t epoch, std::string& why) const;
  void resign();
  /// Embedded: an agent waits, and was alive within the last seconds.
  [[nodiscard]] bool agent_waits() const;

 private:
  [[nodiscard]] std::string file(const char* name) const { return home_ + "/run/" + name; }
  std::string home_;
  Mode mode_;
  const Clock& clock_;
  void* lock_ = nullptr;
};

}  // namespace honeylink::telemetry::engine
