// Everybody who watches: one thread looks at the rings four times a second and writes what changed to every open event
// stream. A client that does not read is let go: nothing is buffered for it but what its socket holds. While nobody
// watches the thread sleeps and no ring is open.
//
// Made and stopped by one thread; add() may be called from any.
#pragma once
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/file.h"

namespace honeylink::telemetry::view {

inline constexpr std::size_t kStreamsMax = 8;

class LiveHub {
 public:
  LiveHub(std::string home, bool is_file);
  /// Ends every stream.
  ~LiveHub();
  LiveHub(const LiveHub&) = delete;
  LiveHub& operator=(const LiveHub&) = delete;

  /// False: there are as many as there may be. Otherwise add() or give_up() follows.
  [[nodiscard]] bool reserve();
  void give_up();
  /// Does anybody watch?
  [[nodiscard]] bool watched() const;
  /// A connection whose answer's head is sent: events follow until it ends.
  void add(Fd socket);

 private:
  struct Watcher {
    Fd socket;
    bool fresh = true;  // has not been told how things stand
  };
  struct Looks;
  void run();
  /// Takes in who came; false: it is time to end. Waits for the next look, or for somebody to come.
  bool wait(std::vector<Watcher>& watchers, Looks* looks);
  bool take_in(std::vector<Watcher>& watchers, bool& some);

  const std::string home_;
  const bool is_file_;
  const Fd wake_;  // an eventfd: somebody came, or it is time to end
  mutable std::mutex mutex_;
  std::vector<Watcher> arrived_;
  std::size_t reserved_ = 0;  // open streams and those that are about to be
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace honeylink::telemetry::view
