// The toast's thread: what should stand on the screen, and when it may be sent. See toasts.h; bus and daemon:
// toasts_bus.cc.
#include "alert/toasts.h"

#include <poll.h>

#include <algorithm>
#include <limits>

#include "alert/toast_text.h"
#include "base/clock.h"
#include "base/messages.h"

namespace honeylink::telemetry::alert {
namespace {

constexpr std::int64_t kMs = 1'000'000;
constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
// The end of a level is often the beginning of the next: that one then takes its place, and no end is shown.
constexpr std::int64_t kEndDelayNs = 250 * kMs;
// An engine restores its alerts at its start; what is not among them by now has ended while no engine ran.
constexpr std::int64_t kStraysAfterNs = 1000 * kMs;

}  // namespace

std::string Card::wanted() const {
  if (entry.firing) return entry.event.alert_id;
  // The end of what was never shown is nothing to show.
  if (shown.empty() || shown.front() == '-') return shown;
  return "-" + shown;
}

std::int64_t Card::due_ns() const { return std::max(not_before_ns, entry.firing ? 0 : entry.changed_ns + kEndDelayNs); }

void run_toasts(Board& board) { Toasts(board).run(); }

Toasts::Toasts(Board& board) : board_(board), strays_at_ns_(system_clock().monotonic_ns() + kStraysAfterNs) {}

void Toasts::run() {
  while (true) {
    take_changes();
    const std::int64_t now = system_clock().monotonic_ns();
    find_strays(now);
    act(now);
    if (may_leave(now)) {
      bus_.disconnect();  // before this thread counts as ended: it may take a moment
      daemon_ = Daemon::unknown;
      if (board_.may_end(Way::toast)) return;
      continue;
    }
    sleep(now);
    hear(system_clock().monotonic_ns());
  }
}

void Toasts::take_changes() {
  const Changes changes = board_.pull(Way::toast);
  options_ = changes.options;
  back_off_.limits(options_.retry_first_ms, options_.retry_max_ms);
  language_ = options_.language.empty() ? language_of_environment() : language_of(options_.language);
  if (changes.configured) back_off_.now();
  if (changes.stop) stop_by_ns_ = changes.stop_by_ns;
  if (!std::exchange(memory_loaded_, true) && options_.remembers) memory_ = ToastMemory::load(options_.home);
  for (const Entry& entry : changes.entries) take_entry(entry);
}

void Toasts::take_entry(const Entry& entry) {
  const auto [place, is_new] = cards_.try_emplace(entry.key);
  Card& card = place->second;
  if (is_new) {
    if (const auto known = memory_.toasts.find(entry.key); known != memory_.toasts.end()) {
      card.id = known->second.id;
      card.shown = known->second.alert_id;
    }
  }
  card.entry = entry;
  card.stray = false;
  if (!entry.firing) return;
  if (card.shown == entry.event.alert_id) board_.delivered(Way::toast, entry, true);
  else back_off_.hasten();
}

void Toasts::find_strays(std::int64_t now) {
  if (strays_at_ns_ == 0 || now < strays_at_ns_) return;
  strays_at_ns_ = 0;
  for (const auto& [key, known] : memory_.toasts) {
    const auto [place, is_new] = cards_.try_emplace(key);
    if (!is_new) continue;
    place->second.id = known.id;
    place->second.shown = known.alert_id;
    place->second.stray = true;
  }
}

bool Toasts::wants_bus(std::int64_t now) const {
  return options_.toast && std::any_of(cards_.begin(), cards_.end(), [now](const auto& item) {
           return item.second.differs() && item.second.due_ns() <= now;
         });
}

void Toasts::act(std::int64_t now) {
  note_silence(now);
  if (!wants_bus(now)) return;
  if (!bus_.connected() && back_off_.next_ns() <= now) connect(now);
  if (bus_.connected() && daemon_ == Daemon::unknown && back_off_.next_ns() <= now) ask(now);
  if (daemon_ != Daemon::ready || back_off_.next_ns() > now) return;
  for (auto& [key, card] : cards_) {
    if (card.differs() && card.due_ns() <= now) show(card, now);
    if (!bus_.connected()) return;
  }
}

void Toasts::show(Card& card, std::int64_t now) {
  const bool firing = card.entry.firing;
  card.token = ++last_token_;
  card.sent = card.wanted();
  card.sent_entry = card.entry;
  card.sent_ns = now;
  card.not_before_ns = now + options_.toast_window_ms * kMs;
  board_.count(Way::toast, [](WayCounts& counts) { ++counts.attempts; });
  const bool sent =
      card.stray
          ? bus_.close(card.token, card.id)
          : bus_.show(card.token, card.id,
                      make_toast(card.entry.event, firing, language_, bus_.capabilities(), !options_.tool.empty()));
  if (!sent) lost(now);
}

/// What stands on the screen, for the next engine; a file only where an alert stands there.
void Toasts::remember(const std::string& key, const Card& card) {
  const bool stands = !card.shown.empty() && card.shown.front() != '-';
  if (stands) memory_.toasts[key] = {card.id, card.shown};
  else memory_.toasts.erase(key);
  save_memory();
}

void Toasts::save_memory() {
  if (options_.remembers && !memory_.save(options_.home))
    board_.say("toast.memory", "cannot write " + ToastMemory::path(options_.home) +
                                   ": an engine that starts again may show a toast twice");
}

bool Toasts::may_leave(std::int64_t now) {
  const bool asked = std::any_of(cards_.begin(), cards_.end(), [](const auto& item) { return item.second.token != 0; });
  if (stop_by_ns_ != 0) {
    const bool soon = std::any_of(cards_.begin(), cards_.end(), [this](const auto& item) {
      return item.second.differs() && item.second.due_ns() < stop_by_ns_;
    });
    return now >= stop_by_ns_ || silent_ || (!asked && (!soon || !options_.toast || back_off_.next_ns() > now));
  }
  if (!options_.toast) return true;
  const bool busy = asked || strays_at_ns_ != 0 || std::any_of(cards_.begin(), cards_.end(), [](const auto& item) {
                      return item.second.entry.firing || item.second.differs();
                    });
  if (busy) idle_since_ns_ = 0;
  else if (idle_since_ns_ == 0) idle_since_ns_ = now;
  return !busy && now >= idle_since_ns_ + options_.linger_ms * kMs;
}

/// When something is to be done though nobody calls.
std::int64_t Toasts::wake_at_ns(std::int64_t now) const {
  std::int64_t at = kNever;
  const auto sooner = [&at](std::int64_t other) { at = std::min(at, other); };
  if (stop_by_ns_ != 0) sooner(stop_by_ns_);
  if (strays_at_ns_ != 0) sooner(strays_at_ns_);
  if (idle_since_ns_ != 0) sooner(idle_since_ns_ + options_.linger_ms * kMs);
  if (!silent_ && daemon_ == Daemon::asked) sooner(asked_ns_ + kAnswerMs * kMs);
  for (const auto& [key, card] : cards_) {
    if (card.token != 0 && !silent_) sooner(card.sent_ns + kAnswerMs * kMs);
    if (!options_.toast || !card.differs()) continue;
    if (card.due_ns() > now) sooner(card.due_ns());
    else if (daemon_ != Daemon::asked) sooner(back_off_.next_ns());
  }
  return at;
}

void Toasts::sleep(std::int64_t now) {
  const Notifications::Waiting bus = bus_.waiting();
  pollfd fds[2] = {{board_.wake_fd(Way::toast), POLLIN, 0}, {bus.fd, bus.events, 0}};
  const std::int64_t at = wake_at_ns(now);
  int ms = at == kNever ? -1 : static_cast<int>(std::clamp<std::int64_t>((at - now + kMs - 1) / kMs, 0, 3'600'000));
  if (bus.timeout_ms >= 0 && (ms < 0 || bus.timeout_ms < ms)) ms = bus.timeout_ms;
  ::poll(fds, bus.fd >= 0 ? 2 : 1, ms);
}

}  // namespace honeylink::telemetry::alert
