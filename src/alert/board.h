// What should be told, by service level, and what became of it: the one thing that the engine and the two ways share.
//
// The engine writes (outbox.h), each way's thread reads the changes since it last looked and reports receipts. Every
// function may be called from any thread; the lock is held for a copy, never over a call that can wait. A way's thread
// is started here when there is something for it and ends by itself (may_end). It owns a share of the board, so that a
// way that hangs in a library call outlives the Outbox and not the other way about.
#pragma once
#include <array>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "alert/outbox.h"
#include "base/file.h"

namespace honeylink::telemetry::alert {

/// The latest of one service level (name, module, environment) under one rule: its value and its budget's burn rate
/// alert apart.
struct Entry {
  std::string key;
  AlertEvent event;
  bool firing = false;
  bool restored = false;           // an earlier engine may have told of it
  std::uint64_t generation = 0;    // number of the change that made it so
  std::int64_t since_ns = 0;       // monotonic: when the alert was fired
  std::int64_t changed_ns = 0;     // monotonic: when it came to be as it is
  std::array<bool, kWays> owed{};  // fired, and no receipt yet
};

/// What a way has not seen yet.
struct Changes {
  std::vector<Entry> entries;
  bool configured = false;  // options or consent may have changed
  bool stop = false;
  std::int64_t stop_by_ns = 0;  // monotonic
  OutboxOptions options;
};

class Board : public std::enable_shared_from_this<Board> {
 public:
  /// What a way's thread runs; it returns only after may_end() has said true.
  using Run = void (*)(Board&);
  Board(OutboxOptions options, std::array<Run, kWays> runs);

  // The engine's side.
  void fired(const AlertEvent& event, bool restored);
  void restored();
  void cleared(const AlertEvent& event);
  void configure(OutboxOptions options);
  void refused_for_memory() noexcept;
  std::vector<Delivery> take_deliveries();
  std::vector<std::string> take_words();
  [[nodiscard]] OutboxCounts counts() const;
  /// Waits kFarewellMs at most for the ways to end; a thread that hangs is let go.
  void stop();

  // A way's side.
  /// To be polled; readable when there are changes.
  [[nodiscard]] int wake_fd(Way way) const noexcept { return state(way).wake.get(); }
  [[nodiscard]] Changes pull(Way way);
  [[nodiscard]] bool stopping() const;
  [[nodiscard]] std::string home() const;
  /// What ends a call that this way is waiting in, when time is up; called from another thread. nullptr: it waits in
  /// none.
  void while_waiting(Way way, std::function<void()> end_it);
  /// False: something changed since the last pull(). True: the thread counts as ended and must not come here again.
  [[nodiscard]] bool may_end(Way way);
  /// `known_before`: somebody was told in an earlier run of the engine.
  void delivered(Way way, const Entry& entry, bool known_before = false);
  void say(const std::string& condition, const std::string& words);
  /// The condition has passed: `words` are said if it had been said, and the next time it is said again.
  void passed(const std::string& condition, const std::string& words);
  template <class Change>
  void count(Way way, const Change& change) {
    const std::lock_guard lock(mutex_);
    change(state(way).counts);
  }

 private:
  struct WayState {
    std::thread thread;
    bool running = false;
    Fd wake;
    std::uint64_t seen = 0, seen_options = 0;
    WayCounts counts;
    std::function<void()> end_it;
  };
  [[nodiscard]] WayState& state(Way way) noexcept { return ways_[static_cast<std::size_t>(way)]; }
  [[nodiscard]] const WayState& state(Way way) const noexcept { return ways_[static_cast<std::size_t>(way)]; }
  [[nodiscard]] static bool is_on(const OutboxOptions& options, std::size_t way) noexcept;
  Entry* room_for(const std::string& key);
  void give_up(Entry& entry);
  void rouse(std::size_t way);
  void start_thread(std::size_t way);
  void ended_badly(std::size_t way) noexcept;
  void add_words(const std::string& words);

  mutable std::mutex mutex_;
  std::condition_variable ended_;
  OutboxOptions options_;
  std::array<Run, kWays> runs_;
  std::map<std::string, Entry> entries_;
  std::uint64_t generation_ = 0, options_generation_ = 0;
  bool stop_ = false;
  std::int64_t stop_by_ns_ = 0;
  std::array<WayState, kWays> ways_;
  std::vector<Delivery> deliveries_;
  std::vector<std::string> words_;
  std::set<std::string> said_;
  OutboxCounts counts_;
};

}  // namespace honeylink::telemetry::alert
