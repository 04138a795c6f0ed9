// The board's side of the ways: their threads, what they have not seen yet, their receipts and their words. See
// board.h.
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>

#include "alert/board.h"
#include "base/clock.h"

namespace honeylink::telemetry::alert {
namespace {

constexpr const char* kThreadNames[kWays] = {"hl-toast", "hl-alertmanager"};
static_assert(sizeof("hl-alertmanager") <= 16, "Linux keeps 15 characters of a thread's name");

}  // namespace

/// Under the lock: the way looks at the board soon.
void Board::rouse(std::size_t way) {
  if (stop_) return;
  if (!ways_[way].running) start_thread(way);
  const std::uint64_t one = 1;
  static_cast<void>(!::write(ways_[way].wake.get(), &one, sizeof one));  // full is as good as written
}

/// Under the lock. A thread that has ended has left the board for good: joining it waits for its last instructions.
void Board::start_thread(std::size_t way) {
  WayState& state = ways_[way];
  if (state.thread.joinable()) state.thread.join();
  Fd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);  // the application's signals are the application's
  try {
    if (!wake) throw std::bad_alloc();
    state.wake = std::move(wake);
    state.thread = std::thread([self = shared_from_this(), way] {
      try {
        self->runs_[way](*self);
      } catch (...) { self->ended_badly(way); }
    });
    pthread_setname_np(state.thread.native_handle(), kThreadNames[way]);
    state.running = true;
    state.seen = 0;
    state.seen_options = 0;
  } catch (...) {
    if (said_.insert(kThreadNames[way]).second)
      add_words(std::string("no thread or descriptor could be had for ") + kThreadNames[way] +
                ": it is tried again with the next alert");
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

/// Memory ran out in a way: it starts afresh with the next alert.
void Board::ended_badly(std::size_t way) noexcept {
  const std::lock_guard lock(mutex_);
  ways_[way].running = false;
  ended_.notify_all();
}

Changes Board::pull(Way way) {
  const std::lock_guard lock(mutex_);
  WayState& mine = state(way);
  std::uint64_t rung = 0;
  static_cast<void>(!::read(mine.wake.get(), &rung, sizeof rung));
  Changes changes;
  for (const auto& [key, entry] : entries_) {
    if (entry.generation > mine.seen) changes.entries.push_back(entry);
  }
  changes.configured = mine.seen_options != options_generation_;
  changes.stop = stop_;
  changes.stop_by_ns = stop_by_ns_;
  changes.options = options_;
  mine.seen = generation_;
  mine.seen_options = options_generation_;
  return changes;
}

bool Board::stopping() const {
  const std::lock_guard lock(mutex_);
  return stop_;
}

std::string Board::home() const {
  const std::lock_guard lock(mutex_);
  return options_.home;
}

void Board::while_waiting(Way way, std::function<void()> end_it) {
  const std::lock_guard lock(mutex_);
  state(way).end_it = std::move(end_it);
}

bool Board::may_end(Way way) {
  const std::lock_guard lock(mutex_);
  WayState& mine = state(way);
  if (!stop_ && (mine.seen != generation_ || mine.seen_options != options_generation_)) return false;
  mine.running = false;
  ended_.notify_all();
  return true;
}

void Board::delivered(Way way, const Entry& told, bool known_before) {
  const std::int64_t now = system_clock().monotonic_ns();
  const std::lock_guard lock(mutex_);
  if (const auto found = entries_.find(told.key);
      found != entries_.end() && found->second.event.alert_id == told.event.alert_id &&
      std::exchange(found->second.owed[static_cast<std::size_t>(way)], false)) {
    ++state(way).counts.delivered;
  }
  if (known_before) return;
  if (deliveries_.size() >= kDeliveriesMax) {
    deliveries_.erase(deliveries_.begin());
    ++counts_.deliveries_dropped;
  }
  deliveries_.push_back({told.event.alert_id, way, static_cast<double>(now - told.since_ns) / 1e6});
}

void Board::add_words(const std::string& words) {
  if (words_.size() >= kWordsMax) ++counts_.words_dropped;
  else words_.push_back(words);
}

void Board::say(const std::string& condition, const std::string& words) {
  const std::lock_guard lock(mutex_);
  if (said_.insert(condition).second) add_words(words);
}

void Board::passed(const std::string& condition, const std::string& words) {
  const std::lock_guard lock(mutex_);
  if (said_.erase(condition) != 0) add_words(words);
}

void Board::stop() {
  std::unique_lock lock(mutex_);
  stop_ = true;
  stop_by_ns_ = system_clock().monotonic_ns() + kFarewellMs * 3 / 4 * 1'000'000;
  const std::uint64_t one = 1;
  for (const WayState& way : ways_) {
    if (way.running) static_cast<void>(!::write(way.wake.get(), &one, sizeof one));
  }
  const auto all_ended = [this] {
    return std::none_of(ways_.begin(), ways_.end(), [](const WayState& way) { return way.running; });
  };
  if (!ended_.wait_for(lock, std::chrono::milliseconds(kFarewellMs * 3 / 4), all_ended)) {
    for (const WayState& way : ways_) {
      if (way.end_it) way.end_it();
    }
    ended_.wait_for(lock, std::chrono::milliseconds(kFarewellMs / 4), all_ended);
  }
  for (WayState& way : ways_) {
    if (!way.thread.joinable()) continue;
    if (way.running) way.thread.detach();
    else way.thread.join();
  }
}

}  // namespace honeylink::telemetry::alert
