// See live_hub.h.
#include "view/live_hub.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>

#include "view/live_events.h"
#include "view/live_levels.h"
#include "view/message.h"

namespace honeylink::telemetry::view {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kBetweenLooks{250}, kBetweenStatuses{1'000}, kBetweenComments{5'000};
constexpr int kStreamBytes = 256 << 10;  // of a socket: what a client may be behind, some seconds of a busy device
constexpr std::string_view kComment = ": still here\n\n";

bool is_gone(int socket) noexcept {
  pollfd state{socket, POLLRDHUP, 0};
  return ::poll(&state, 1, 0) > 0 && (state.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

/// All of it at once, or the client is too slow: then what it has not taken is thrown away with the connection.
bool send_now(int socket, std::string_view frame) noexcept {
  if (frame.empty()) return true;
  const ssize_t n = ::send(socket, frame.data(), frame.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (n == static_cast<ssize_t>(frame.size())) return true;
  const linger at_once{1, 0};
  ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  return false;
}

}  // namespace

/// What is known while somebody watches.
struct LiveHub::Looks {
  query::LiveReader reader;
  ToldSeries told;
  LiveLevels levels;
  query::LiveStatus status;
  Clock::time_point status_at{}, comment_at = Clock::now() + kBetweenComments;

  Looks(const std::string& home, bool is_file) : reader(home), levels(home, is_file) {}

  /// The frames of this look: what changed, and how everything stands for who has just come.
  struct Frames {
    std::string changed, all;
  };
  Frames look(const std::string& home, bool somebody_came) {
    const auto now = Clock::now();
    const std::int64_t unix_ns = now_unix_ns();
    reader.look(unix_ns);
    Frames frames;
    levels.look(reader, unix_ns);
    frames.changed = changed_metrics_event(reader, told, unix_ns) + levels.changed();
    if (somebody_came) frames.all = all_metrics_event(reader, unix_ns) + levels.all();
    const bool tells = now >= status_at;
    if (tells) status = query::read_live_status(home), status_at = now + kBetweenStatuses;
    const std::string header = status_event(status, reader.recorders(), unix_ns);
    if (tells) frames.changed += header;
    frames.all += header;
    if (now >= comment_at) frames.changed += kComment, comment_at = now + kBetweenComments;
    return frames;
  }
};

LiveHub::LiveHub(std::string home, bool is_file)
    : home_(std::move(home)),
      is_file_(is_file),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      thread_([this] { run(); }) {}

LiveHub::~LiveHub() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  ::eventfd_write(wake_.get(), 1);
  thread_.join();
}

bool LiveHub::reserve() {
  const std::lock_guard lock(mutex_);
  if (stopping_ || reserved_ >= kStreamsMax) return false;
  ++reserved_;
  return true;
}

void LiveHub::give_up() {
  const std::lock_guard lock(mutex_);
  --reserved_;
}

bool LiveHub::watched() const {
  const std::lock_guard lock(mutex_);
  return reserved_ != 0;
}

void LiveHub::add(Fd socket) {
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDBUF, &kStreamBytes, sizeof kStreamBytes);
  {
    const std::lock_guard lock(mutex_);
    arrived_.push_back({std::move(socket)});
  }
  ::eventfd_write(wake_.get(), 1);
}

bool LiveHub::take_in(std::vector<Watcher>& watchers, bool& some) {
  const std::lock_guard lock(mutex_);
  some = !arrived_.empty();
  for (Watcher& watcher : arrived_) watchers.push_back(std::move(watcher));
  arrived_.clear();
  return !stopping_;
}

bool LiveHub::wait(std::vector<Watcher>& watchers, Looks* looks) {
  const auto next = Clock::now() + kBetweenLooks;
  for (;;) {
    bool some = false;
    if (!take_in(watchers, some)) return false;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - Clock::now());
    if (some || (!watchers.empty() && left.count() <= 0)) return true;
    std::array<pollfd, 2> waiting{
        {{wake_.get(), POLLIN, 0}, {looks == nullptr ? -1 : looks->reader.arrivals_fd(), POLLIN, 0}}};
    ::poll(waiting.data(), waiting.size(), watchers.empty() ? -1 : static_cast<int>(left.count()));
    eventfd_t count = 0;
    if (waiting[0].revents != 0) ::eventfd_read(wake_.get(), &count);
    if (waiting[1].revents != 0) looks->reader.note_arrivals();
  }
}

void LiveHub::run() {
  std::vector<Watcher> watchers;
  std::optional<Looks> looks;
  while (wait(watchers, looks ? &*looks : nullptr)) {
    if (!looks) looks.emplace(home_, is_file_);
    const Looks::Frames frames =
        looks->look(home_, std::any_of(watchers.begin(), watchers.end(), [](const Watcher& w) { return w.fresh; }));
    const std::size_t left = std::erase_if(watchers, [&](Watcher& watcher) {
      const std::string& frame = watcher.fresh ? frames.all : frames.changed;
      watcher.fresh = false;
      return is_gone(watcher.socket.get()) || !send_now(watcher.socket.get(), frame);
    });
    if (left != 0) {
      const std::lock_guard lock(mutex_);
      reserved_ -= left;
    }
    if (watchers.empty()) looks.reset();
  }
}

}  // namespace honeylink::telemetry::view
