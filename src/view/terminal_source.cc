// When to look at what: see terminal_source.h.
#include "view/terminal_source.h"

#include <malloc.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <new>
#include <optional>

#include "query/database.h"
#include "query/paths.h"
#include "view/terminal_look_levels.h"
#include "view/terminal_looks.h"

namespace honeylink::telemetry::view {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t kLargeTrace = 10'000;  // spans: what reading them took is given back to the system

/// When one kind of finding was made, for what question, and when it is due again.
class Turn {
 public:
  /// Is it time? A new question is answered at once, an old one when its turn comes.
  [[nodiscard]] bool due(const std::string& question, bool repeats) const noexcept {
    return !question_ || *question_ != question || (repeats && Clock::now() >= next_);
  }
  /// Runs the look and plans the next one.
  template <class Look>
  void take(const std::string& question, milliseconds period, const Look& look) {
    const auto began = Clock::now();
    look();
    const auto cost = Clock::now() - began;
    question_ = question;
    next_ = Clock::now() + std::max<Clock::duration>(period, cost * 10);
  }
  [[nodiscard]] Clock::time_point next() const noexcept { return next_; }

 private:
  std::optional<std::string> question_;
  Clock::time_point next_{};
};

}  // namespace

Wants wants_of(const ViewState& state) {
  return {state.page, state.filters, state.level_name, state.trace_id, state.span_id, state.window_s, state.paused};
}

/// What the thread remembers between two rounds.
class Source::Looks {
 public:
  Looks(std::string home, bool live) : home_(std::move(home)), live_(live), level_look_(home_, live) {}

  /// Looks at what is due; true: something was found. `next`: when to come again.
  bool round(const Wants& wants, Findings& findings, std::uint64_t& accepted_now, Clock::time_point& next) {
    found_ = false;
    next_ = Clock::now() + std::chrono::hours(1);
    const bool repeats = live_ && !wants.paused;
    status(wants, findings, accepted_now);
    if (wants.page == Page::levels || wants.page == Page::level || findings.levels == nullptr)
      levels(wants, findings, repeats);
    if (wants.page == Page::alerts) alerts(findings, repeats);
    if (wants.page == Page::traces) traces(wants, findings, repeats);
    if (wants.page == Page::trace) trace(wants, findings, repeats);
    if (wants.page == Page::logs) logs(wants, findings, repeats);
    next = next_;
    return found_;
  }

 private:
  void come_again(const Turn& turn, bool repeats) {
    if (repeats) next_ = std::min(next_, turn.next());
  }

  void status(const Wants& wants, Findings& findings, std::uint64_t& accepted_now) {
    if (status_turn_.due("", live_)) {
      status_turn_.take("", milliseconds(wants.paused ? 2'000 : 1'000), [&] {
        const auto facts = look_at_status(home_);
        found_ = true;
        accepted_now = facts->accepted;
        if (!wants.paused || findings.status == nullptr) findings.status = facts;
      });
    }
    come_again(status_turn_, live_);
  }

  void levels(const Wants& wants, Findings& findings, bool repeats) {
    if (levels_turn_.due("", repeats)) {
      levels_turn_.take("", milliseconds(250), [&] {
        if (auto cards = level_look_.look(findings.levels == nullptr))
          findings.levels = std::move(cards), found_ = true;
      });
    }
    come_again(levels_turn_, repeats);
    if (wants.page != Page::level) return;
    const std::string question = wants.level_name + "/" + std::to_string(wants.window_s);
    if (level_turn_.due(question, repeats)) {
      level_turn_.take(question, milliseconds(5'000), [&] {
        findings.level = level_look_.look_at(wants.level_name, wants.window_s);
        found_ = true;
      });
    }
    come_again(level_turn_, repeats);
  }

  void alerts(Findings& findings, bool repeats) {
    if (alerts_turn_.due("", repeats)) {
      alerts_turn_.take("", milliseconds(1'000), [&] {
        const std::uint64_t stamp = query::file_stamp(query::metrics_path(home_));
        if (findings.alerts != nullptr && stamp == alerts_stamp_) return;
        alerts_stamp_ = stamp;
        findings.alerts = level_look_.look_at_alerts();
        found_ = true;
      });
    }
    come_again(alerts_turn_, repeats);
  }

  void traces(const Wants& wants, Findings& findings, bool repeats) {
    const std::string& typed = wants.filters[static_cast<std::size_t>(Page::traces)];
    if (traces_turn_.due(typed, repeats)) {
      const bool asked_anew = traces_turn_.due(typed, false);
      traces_turn_.take(typed, milliseconds(1'000), [&] {
        const std::uint64_t stamp = query::file_stamp(query::traces_path(home_));
        if (!asked_anew && stamp == traces_stamp_) return;
        traces_stamp_ = stamp;
        if (asked_anew) traces_step_ = 0;
        findings.traces = look_at_traces(home_, read_filter(typed, Page::traces), traces_step_);
        found_ = true;
      });
    }
    come_again(traces_turn_, repeats);
  }

  /// A trace that is still being written grows while it is looked at; an old one does not.
  void trace(const Wants& wants, Findings& findings, bool repeats) {
    if (trace_turn_.due(wants.trace_id, repeats)) {
      const bool asked_anew = trace_turn_.due(wants.trace_id, false);
      trace_turn_.take(wants.trace_id, milliseconds(2'000), [&] {
        const std::uint64_t stamp = query::file_stamp(query::traces_path(home_));
        if (!asked_anew && (stamp == trace_stamp_ || (findings.trace && findings.trace->rows.size() > kLargeTrace)))
          return;
        trace_stamp_ = stamp;
        auto fresh = look_at_trace(home_, wants.trace_id);
        if (!asked_anew && findings.trace && findings.trace->rows.size() == fresh->rows.size()) return;
        findings.trace = std::move(fresh);
        found_ = true;
        if (findings.trace->rows.size() > kLargeTrace) ::malloc_trim(0);
      });
    }
    come_again(trace_turn_, repeats);
    const std::string span = wants.trace_id + wants.span_id;
    if (wants.span_id.empty() || !span_turn_.due(span, false)) return;
    span_turn_.take(span, milliseconds(0), [&] { findings.span = look_at_span(home_, wants.trace_id, wants.span_id); });
    found_ = true;
  }

  void logs(const Wants& wants, Findings& findings, bool repeats) {
    const std::string& typed = wants.filters[static_cast<std::size_t>(Page::logs)];
    if (logs_turn_.due(typed, repeats)) {
      if (logs_turn_.due(typed, false)) log_look_.emplace(home_, read_filter(typed, Page::logs));
      logs_turn_.take(typed, milliseconds(250), [&] {
        if (auto table = log_look_->look()) findings.logs = std::move(table), found_ = true;
      });
    }
    come_again(logs_turn_, repeats);
  }

  const std::string home_;
  const bool live_;
  bool found_ = false;
  Clock::time_point next_{};
  Turn status_turn_, levels_turn_, level_turn_, alerts_turn_, traces_turn_, trace_turn_, span_turn_, logs_turn_;
  std::uint64_t traces_stamp_ = 0, trace_stamp_ = 0, alerts_stamp_ = 0;
  std::size_t traces_step_ = 0;
  LevelLook level_look_;
  std::optional<LogLook> log_look_;
};

Source::Source(std::string home, bool live, int wake_fd)
    : home_(std::move(home)), live_(live), wake_fd_(wake_fd), thread_([this] { run(); }) {}

Source::~Source() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void Source::want(const Wants& wants) {
  {
    const std::lock_guard lock(mutex_);
    if (wants == wants_) return;
    wants_ = wants;
  }
  changed_.notify_one();
}

bool Source::take(Findings& findings, std::uint64_t& accepted_now) {
  const std::lock_guard lock(mutex_);
  if (!fresh_) return false;
  fresh_ = false;
  findings = findings_, accepted_now = accepted_now_;
  return true;
}

void Source::run() {
  Looks looks(home_, live_);
  Findings findings;
  std::uint64_t accepted_now = 0;
  std::unique_lock lock(mutex_);
  while (!stop_) {
    const Wants wants = wants_;
    lock.unlock();
    Clock::time_point next;
    bool found = true;
    try {
      found = looks.round(wants, findings, accepted_now, next);
    } catch (const std::bad_alloc&) {
      auto none = std::make_shared<OpenTrace>();
      none->trace_id = wants.trace_id, none->problem = "not enough memory to look at this";
      if (wants.page == Page::trace) findings.trace = none;
      next = Clock::now() + std::chrono::seconds(10);
    }
    lock.lock();
    if (found) {
      findings_ = findings, accepted_now_ = accepted_now, fresh_ = true;
      ::eventfd_write(wake_fd_, 1);
    }
    changed_.wait_until(lock, next, [&] { return stop_ || !(wants == wants_); });
  }
}

}  // namespace honeylink::telemetry::view
