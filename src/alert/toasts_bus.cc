// The toast's thread: the bus, the daemon, and what they answer. See toasts.h.
#include <algorithm>

#include "alert/open_trace.h"
#include "alert/toasts.h"
#include "base/clock.h"

namespace honeylink::telemetry::alert {
namespace {

constexpr std::int64_t kMs = 1'000'000;
constexpr int kGreetingMs = 1000;

constexpr const char* kNoBus = "toast.bus";  // conditions, as Board::say takes them
constexpr const char* kNoDaemon = "toast.daemon";
constexpr const char* kSilent = "toast.silent";
constexpr const char* kFailed = "toast.failed";
constexpr const char* kShownAgain = "toasts are shown again";

std::string words_for(BusFinding finding, const std::string& where) {
  switch (finding) {
    case BusFinding::refused:
      return where + " names no socket of this machine: toasts are shown over unix:path= and unix:abstract= only";
    case BusFinding::hung:
      return "the session bus at " + where + " does not answer: alerts are shown when it does";
    default:
      return "no session bus at " + where + ": alerts are shown when there is one";
  }
}

}  // namespace

void Toasts::connect(std::int64_t now) {
  BusAddress bus = find_session_bus(options_.bus_address);
  BusAnswer answer{bus.finding, {}};
  if (bus.finding == BusFinding::usable) answer = greet_bus(bus, kGreetingMs);
  std::string why;
  if (answer.finding == BusFinding::usable) {
    if (bus_.connect(bus.address, why)) {
      bus_id_ = answer.id;
      daemon_ = Daemon::unknown;
      back_off_.succeeded();
      board_.passed(kNoBus, kShownAgain);
      return;
    }
    answer.finding = BusFinding::absent;
  }
  board_.count(Way::toast, [&answer](WayCounts& counts) {
    if (answer.finding == BusFinding::refused) ++counts.not_allowed;
    else if (answer.finding == BusFinding::hung) ++counts.hung;
    else ++counts.unreachable;
  });
  board_.say(kNoBus, words_for(answer.finding, bus.where) + (why.empty() ? "" : " (" + why + ")"));
  back_off_.failed(now);
  drop_strays();
}

void Toasts::ask(std::int64_t now) {
  if (!bus_.ask_daemon()) return lost(now);
  daemon_ = Daemon::asked;
  asked_ns_ = now;
}

void Toasts::hear(std::int64_t now) {
  if (!bus_.connected()) return;
  BusEvents events;
  const bool sound = bus_.process(events);
  if (events.daemon_changed) {
    forget_ids();
    if (daemon_ == Daemon::ready) daemon_ = Daemon::unknown;
    back_off_.now();
  }
  if (events.daemon_answered) daemon_answered(events.daemon_error, now);
  for (const BusEvents::Reply& reply : events.replies) receipt(reply, now);
  for (const std::uint32_t id : events.closed) {
    for (auto& [key, card] : cards_) {
      if (card.id == id) card.id = 0;
    }
  }
  for (const BusEvents::Action& action : events.actions) clicked(action);
  if (!sound) lost(now);
}

void Toasts::daemon_answered(const std::string& error, std::int64_t now) {
  if (!error.empty()) {
    daemon_ = Daemon::unknown;
    board_.count(Way::toast, [](WayCounts& counts) { ++counts.unreachable; });
    board_.say(kNoDaemon,
               "no notification daemon answers on the session bus (" + error + "): alerts are shown when there is one");
    back_off_.failed(now);
    return;
  }
  daemon_ = Daemon::ready;
  back_off_.succeeded();
  board_.passed(kNoDaemon, kShownAgain);
  if (silent_) silent_ = false, board_.passed(kSilent, kShownAgain);
  if (memory_.bus_id != bus_id_ || memory_.daemon != bus_.daemon()) forget_ids();
  memory_.bus_id = bus_id_;
  memory_.daemon = bus_.daemon();
}

/// Of a daemon that is no more: its numbers may be another program's toasts by now.
void Toasts::forget_ids() {
  drop_strays();
  for (auto& [key, card] : cards_) card.id = 0;
  for (auto& [key, known] : memory_.toasts) known.id = 0;
}

/// On a screen that is no more there is nothing to close.
void Toasts::drop_strays() {
  bool any = false;
  for (auto& [key, card] : cards_) {
    if (!card.stray || card.shown.empty()) continue;
    card.shown.clear();
    any = memory_.toasts.erase(key) != 0 || any;
  }
  if (any) save_memory();
}

void Toasts::receipt(const BusEvents::Reply& reply, std::int64_t now) {
  const auto place = std::find_if(cards_.begin(), cards_.end(),
                                  [&reply](const auto& item) { return item.second.token == reply.token; });
  if (place == cards_.end()) return;
  Card& card = place->second;
  card.token = 0;
  if (silent_) silent_ = false, board_.passed(kSilent, kShownAgain);
  if (!reply.error.empty() && !card.stray) {
    board_.count(Way::toast, [](WayCounts& counts) { ++counts.failed; });
    board_.say(kFailed, "the notification daemon refused a toast (" + reply.error + "): it is tried again");
    back_off_.failed(now);
    card.not_before_ns = back_off_.next_ns();
    return;
  }
  back_off_.succeeded();
  board_.passed(kFailed, kShownAgain);
  card.shown = card.sent;
  card.id = reply.id;
  if (card.sent_entry.firing) {
    board_.delivered(Way::toast, card.sent_entry);
  } else if (!card.stray) {
    board_.count(Way::toast, [](WayCounts& counts) { ++counts.cleared; });
  }
  remember(place->first, card);
}

void Toasts::clicked(const BusEvents::Action& action) {
  for (const auto& [key, card] : cards_) {
    if (card.id != action.id || card.id == 0) continue;
    if (!open_trace(options_.tool, options_.home, card.sent_entry.event.trace_id))
      board_.say("toast.open", "cannot start " + options_.tool + " to show a trace");
  }
}

void Toasts::lost(std::int64_t now) {
  bus_.disconnect();
  daemon_ = Daemon::unknown;
  for (auto& [key, card] : cards_) card.token = 0, card.not_before_ns = 0;
  board_.count(Way::toast, [](WayCounts& counts) { ++counts.unreachable; });
  board_.say(kNoBus, "the session bus is gone: alerts are shown when it is back");
  back_off_.failed(now);
}

/// A daemon that hangs is said once; what it was sent stays sent.
void Toasts::note_silence(std::int64_t now) {
  if (silent_) return;
  const std::int64_t overdue = now - kAnswerMs * kMs;
  const bool asked = daemon_ == Daemon::asked && asked_ns_ <= overdue;
  const bool sent = std::any_of(cards_.begin(), cards_.end(), [overdue](const auto& item) {
    return item.second.token != 0 && item.second.sent_ns <= overdue;
  });
  if (!asked && !sent) return;
  silent_ = true;
  board_.count(Way::toast, [](WayCounts& counts) { ++counts.hung; });
  board_.say(kSilent, "the notification daemon does not answer: alerts are shown when it does");
}

}  // namespace honeylink::telemetry::alert
