// An engine inside the application (target honeylink::embedded), for programs that run where no `honeytel agent` does.
//
//   #include <honeylink/embedded.h>
//   int main() {
//     tel::start({.resource = {.service_name = "hello"}});
//     const tel::EmbeddedEngine engine;           // stores what this and every other process of the home records
//     …
//   }                                             // commits and leaves; the ring keeps what comes later
//
// One engine leads a home. Any number may be started, in any processes; the others wait, and take over within 2 s of a
// leader's death. An embedded engine gives way to an agent within 2 s of its start, and takes up again when the agent
// is gone. It runs on one thread of its own, asleep while nothing is recorded, with all signals blocked. After fork()
// the child has no engine.
#pragma once
#include <memory>
#include <string_view>

#include "honeylink/internal/export.h"
#include "honeylink/status.h"

namespace honeylink::telemetry {

struct EmbeddedOptions {
  std::string_view home = {};  ///< Default: HONEYLINK_HOME, else ~/.honeylink. Copied.
};

/// Starts the engine's thread; its destructor commits what was drained (normally within a second) and joins the thread.
/// Construct and destroy it on ordinary threads, not in static storage. Never throws: where it cannot run, status()
/// says why and recording goes on.
class HONEYLINK_API EmbeddedEngine {
 public:
  explicit EmbeddedEngine(const EmbeddedOptions& options = {}) noexcept;
  ~EmbeddedEngine();
  EmbeddedEngine(const EmbeddedEngine&) = delete;
  EmbeddedEngine& operator=(const EmbeddedEngine&) = delete;

  [[nodiscard]] Status status() const noexcept;
  /// This one stores at the moment (else it waits for its turn). Any thread.
  [[nodiscard]] bool leads() const noexcept;

 private:
  struct State;
  void start(const EmbeddedOptions& options);
  std::unique_ptr<State> state_;
  Status status_;
};

}  // namespace honeylink::telemetry
