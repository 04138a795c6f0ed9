// The board's side of the engine: what is wanted, what is owed, what was told. See board.h. The ways' side:
// board_ways.cc.
#include "alert/board.h"

#include <unistd.h>

#include <algorithm>

#include "alert/toast_memory.h"
#include "base/clock.h"

namespace honeylink::telemetry::alert {
namespace {

std::string key_of(const AlertEvent& event) {
  return event.sli_name + '\0' + event.module + '\0' + event.environment + '\0' + event.threshold_type;
}

}  // namespace

Board::Board(OutboxOptions options, std::array<Run, kWays> runs) : options_(std::move(options)), runs_(runs) {}

bool Board::is_on(const OutboxOptions& options, std::size_t way) noexcept {
  return static_cast<Way>(way) == Way::toast ? options.toast : !options.alertmanager.empty();
}

/// What nobody was told of until now is told by nobody any more.
void Board::give_up(Entry& entry) {
  for (std::size_t way = 0; way < kWays; ++way) {
    if (std::exchange(entry.owed[way], false)) ++ways_[way].counts.superseded;
  }
}

/// The entry of `key`, made where there is room: an end that every way has seen needs none any more.
Entry* Board::room_for(const std::string& key) {
  if (const auto found = entries_.find(key); found != entries_.end()) return &found->second;
  if (entries_.size() >= kLevelsMax) {
    const auto done = std::find_if(entries_.begin(), entries_.end(), [this](const auto& item) {
      if (item.second.firing) return false;
      for (const WayState& way : ways_) {
        if (way.running && way.seen < item.second.generation) return false;
      }
      return true;
    });
    if (done == entries_.end()) return nullptr;
    entries_.erase(done);
  }
  return &entries_[key];
}

void Board::fired(const AlertEvent& event, bool restored) {
  const std::string key = key_of(event);
  const std::int64_t now = system_clock().monotonic_ns();
  const std::lock_guard lock(mutex_);
  ++(restored ? counts_.restored : counts_.fired);
  Entry* entry = room_for(key);
  if (entry == nullptr) {
    for (std::size_t way = 0; way < kWays; ++way) {
      if (is_on(options_, way)) ++ways_[way].counts.alerts, ++ways_[way].counts.refused;
    }
    if (said_.insert("levels").second)
      add_words("more than " + std::to_string(kLevelsMax) +
                " service levels fire at a time: the others are stored and shown, but nobody is told");
    return;
  }
  if (entry->firing && entry->event.alert_id == event.alert_id) {
    entry->event = event;
    return;
  }
  give_up(*entry);
  entry->key = key;
  entry->event = event;
  entry->firing = true;
  entry->restored = restored;
  entry->generation = ++generation_;
  entry->since_ns = entry->changed_ns = now;
  if (restored) entry->since_ns -= std::max<std::int64_t>(0, system_clock().realtime_ns() - event.timestamp_unix_ns);
  for (std::size_t way = 0; way < kWays; ++way) {
    if (!is_on(options_, way)) continue;
    ++ways_[way].counts.alerts;
    entry->owed[way] = true;
    rouse(way);
  }
}

/// An earlier engine's toasts may stand on the screen though nothing fires any more.
void Board::restored() {
  const std::lock_guard lock(mutex_);
  if (options_.toast && ::access(ToastMemory::path(options_.home).c_str(), F_OK) == 0)
    rouse(static_cast<std::size_t>(Way::toast));
}

void Board::cleared(const AlertEvent& event) {
  const std::string key = key_of(event);
  const std::int64_t now = system_clock().monotonic_ns();
  const std::lock_guard lock(mutex_);
  ++counts_.cleared;
  Entry* entry = room_for(key);
  if (entry == nullptr) return;
  // A later alert of the same service level stands there already, or this end was told before.
  if (entry->generation != 0 && (!entry->firing || entry->event.alert_id != event.alert_id)) return;
  give_up(*entry);
  entry->key = key;
  entry->event = event;
  entry->firing = false;
  entry->generation = ++generation_;
  entry->changed_ns = now;
  for (std::size_t way = 0; way < kWays; ++way) {
    if (is_on(options_, way)) rouse(way);
  }
}

void Board::configure(OutboxOptions options) {
  const std::lock_guard lock(mutex_);
  for (std::size_t way = 0; way < kWays; ++way) {
    const bool was = is_on(options_, way), is = is_on(options, way);
    for (auto& [key, entry] : entries_) {
      if (was && !is && std::exchange(entry.owed[way], false)) ++ways_[way].counts.refused;
      if (!was && is && entry.firing) {
        ++ways_[way].counts.alerts;
        entry.owed[way] = true;
        entry.generation = ++generation_;
      }
    }
  }
  options_ = std::move(options);
  ++options_generation_;
  const bool fires = std::any_of(entries_.begin(), entries_.end(), [](const auto& item) { return item.second.firing; });
  for (std::size_t way = 0; way < kWays; ++way) {
    if (ways_[way].running || (fires && is_on(options_, way))) rouse(way);
  }
}

void Board::refused_for_memory() noexcept {
  const std::lock_guard lock(mutex_);
  for (std::size_t way = 0; way < kWays; ++way) {
    if (is_on(options_, way)) ++ways_[way].counts.alerts, ++ways_[way].counts.refused;
  }
}

std::vector<Delivery> Board::take_deliveries() {
  const std::lock_guard lock(mutex_);
  return std::exchange(deliveries_, {});
}

std::vector<std::string> Board::take_words() {
  const std::lock_guard lock(mutex_);
  return std::exchange(words_, {});
}

OutboxCounts Board::counts() const {
  const std::lock_guard lock(mutex_);
  OutboxCounts counts = counts_;
  counts.toast = state(Way::toast).counts;
  counts.alertmanager = state(Way::alertmanager).counts;
  for (const auto& [key, entry] : entries_) {
    counts.toast.waiting += entry.owed[static_cast<std::size_t>(Way::toast)] ? 1 : 0;
    counts.alertmanager.waiting += entry.owed[static_cast<std::size_t>(Way::alertmanager)] ? 1 : 0;
  }
  return counts;
}

}  // namespace honeylink::telemetry::alert
