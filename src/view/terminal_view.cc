// The loop: see terminal_view.h. Keys are answered at once; what comes by itself is drawn four times a second at the
// most, and only where it changed; nothing is drawn while nothing changes.
#include "view/terminal_view.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <optional>

#include "base/clock.h"
#include "base/file.h"
#include "view/terminal_filter.h"
#include "view/terminal_input.h"
#include "view/terminal_layout.h"
#include "view/terminal_screen.h"
#include "view/terminal_signals.h"
#include "view/terminal_source.h"

namespace honeylink::telemetry::view {
namespace {

constexpr std::int64_t kFrameNs = kSecondNs / 4;
constexpr int kEmptyReadsMax = 50;  // a terminal that is ready so often and has nothing is gone

class Loop {
 public:
  Loop(const TerminalOptions& options, Screen& screen, Signals& signals, int wake_fd)
      : options_(options),
        screen_(screen),
        signals_(signals),
        wake_fd_(wake_fd),
        source_(options.home, options.live, wake_fd) {
    model_.live = options.live, model_.file = options.file, model_.home_words = options.home_words;
    model_.now_unix_ns = system_clock().realtime_ns();
    source_.want(wants_of(model_.state));
  }

  int run() {
    while (!model_.state.quit && ended_by_ == 0) {
      if (dirty_ && now_ns() >= draw_at_ns_) draw();
      wait();
      take_signals();
      take_keys();
      take_findings();
      tick();
    }
    return ended_by_;
  }

 private:
  static std::int64_t now_ns() noexcept { return system_clock().monotonic_ns(); }

  void draw() {
    model_.now_unix_ns = system_clock().realtime_ns();
    screen_.show(draw_view(model_, screen_.size(), options_.look));
    dirty_ = false;
    drawn_ns_ = now_ns();
  }
  /// Something came by itself: drawn when the last frame is old enough.
  void draw_soon() noexcept {
    if (dirty_) return;
    dirty_ = true;
    draw_at_ns_ = drawn_ns_ + kFrameNs;
  }
  void draw_at_once() noexcept { dirty_ = true, draw_at_ns_ = 0; }

  void wait() noexcept {
    std::int64_t until = INT64_MAX;
    if (dirty_) until = draw_at_ns_;
    if (ages()) until = std::min(until, drawn_ns_ + kSecondNs);
    const std::int64_t left =
        until == INT64_MAX ? -1 : std::max<std::int64_t>(0, until - now_ns() + 999'999) / 1'000'000;
    pollfd waiting[3]{{STDIN_FILENO, POLLIN, 0}, {signals_.fd(), POLLIN, 0}, {wake_fd_, POLLIN, 0}};
    static_cast<void>(::poll(waiting, 3, static_cast<int>(std::min<std::int64_t>(left, 60'000))));
    has_keys_ = (waiting[0].revents & POLLIN) != 0;
    if ((waiting[0].revents & (POLLHUP | POLLERR | POLLNVAL)) != 0) ended_by_ = SIGHUP;
    eventfd_t count = 0;
    if ((waiting[2].revents & POLLIN) != 0) ::eventfd_read(wake_fd_, &count);
  }

  void take_signals() {
    for (int signal = signals_.next(); signal != 0; signal = signals_.next()) {
      switch (signal) {
        case SIGWINCH:
          screen_.resize();
          settle(model_, screen_.size());
          draw_at_once();
          break;
        case SIGTSTP:
          screen_.leave();
          signals_.stop_here();
          screen_.resume();
          settle(model_, screen_.size());
          draw_at_once();
          break;
        case SIGCONT:  // stopped by SIGSTOP, from elsewhere: the shell has had the terminal meanwhile
          screen_.leave();
          screen_.resume();
          draw_at_once();
          break;
        default:
          ended_by_ = signal;
      }
    }
  }

  void take_keys() {
    if (!has_keys_) return;
    has_keys_ = false;
    int keys = 0;
    while (const auto key = screen_.read_key()) {
      ++keys;
      const KeyEffect effect = press(model_, *key, screen_.size());
      if (!effect.copy.empty()) screen_.copy(effect.copy);
      draw_at_once();
      if (model_.state.quit) return;
    }
    empty_reads_ = keys == 0 ? empty_reads_ + 1 : 0;
    if (empty_reads_ > kEmptyReadsMax) ended_by_ = SIGHUP;
    source_.want(wants_of(model_.state));
  }

  void take_findings() {
    Findings fresh;
    std::uint64_t accepted = model_.accepted_now;
    if (!source_.take(fresh, accepted)) return;
    model_.accepted_now = accepted;
    adopt(model_, std::move(fresh));
    settle(model_, screen_.size());
    draw_soon();
  }

  /// Do ages on the screen grow?
  [[nodiscard]] bool ages() const noexcept { return model_.live && !model_.state.paused; }
  void tick() noexcept {
    if (ages() && !dirty_ && now_ns() - drawn_ns_ >= kSecondNs) draw_at_once();
  }

  const TerminalOptions& options_;
  Screen& screen_;
  Signals& signals_;
  const int wake_fd_;
  Model model_;
  Source source_;
  bool dirty_ = true, has_keys_ = false;
  std::int64_t draw_at_ns_ = 0, drawn_ns_ = 0;
  int ended_by_ = 0, empty_reads_ = 0;
};

}  // namespace

query::Answer<int> run_terminal_view(const TerminalOptions& options) {
  Signals signals;
  const Fd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake || !signals.open()) {
    return query::Problem{query::ProblemKind::environment, "the terminal view cannot begin",
                          "this process may open no more files", "see: ulimit -n"};
  }
  auto screen = Screen::open(options.colour, options.look);
  if (!screen.ok()) return screen.problem();
  return Loop(options, *screen.value(), signals, wake.get()).run();
}

}  // namespace honeylink::telemetry::view
