// See reception.h.
#include "view/reception.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace honeylink::telemetry::view {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kDrainTime{1'000};  // for what a client sends although it was refused
constexpr std::size_t kReadBytes = 16 << 10;

struct Waiting {
  Fd socket;
  std::string bytes;
  Clock::time_point since, until;
  bool draining = false;
  bool expects_continue = false;
  std::size_t head_bytes = 0, body_bytes = 0;  // once a whole head is there
};

enum class Progress : unsigned char { waits, whole, gone };

}  // namespace

struct Reception::State {
  Fd listener, wake;
  std::function<void(Arrival)> arrived;
  std::thread thread;
  std::vector<Waiting> waiting;  // the thread's own
  std::mutex mutex;
  std::vector<Waiting> returned;  // by other threads
  bool stopping = false;

  void run();
  bool take_returned();
  void accept_all();
  void make_room();
  Progress receive(Waiting& client);
  Progress look_at(Waiting& client, std::optional<HttpError>& error);
  void finish(Waiting client, std::optional<HttpError> error);
  void give(Waiting client);
  [[nodiscard]] int timeout_ms() const;
};

// The head is looked for again with every piece: pieces are few, heads short.
Progress Reception::State::look_at(Waiting& client, std::optional<HttpError>& error) {
  if (client.bytes.empty()) return Progress::waits;
  if (client.head_bytes == 0) {
    const std::size_t end = end_of_head(client.bytes);
    if (end == std::string::npos) {
      if (client.bytes.size() <= kHeadBytesMax) return Progress::waits;
      error = HttpError{431, "its head is too long"};
      return Progress::whole;
    }
    HttpHead head;
    error = parse_head(std::string_view(client.bytes).substr(0, end), head);
    if (error) return Progress::whole;
    client.head_bytes = end, client.body_bytes = head.body_bytes, client.expects_continue = head.expects_continue;
  }
  if (client.bytes.size() >= client.head_bytes + client.body_bytes) return Progress::whole;
  if (std::exchange(client.expects_continue, false)) {
    constexpr std::string_view kGoOn = "HTTP/1.1 100 Continue\r\n\r\n";
    static_cast<void>(::send(client.socket.get(), kGoOn.data(), kGoOn.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
  }
  return Progress::waits;
}

Progress Reception::State::receive(Waiting& client) {
  char buffer[kReadBytes];
  const ssize_t n = ::recv(client.socket.get(), buffer, sizeof buffer, MSG_DONTWAIT);
  if (n < 0) return errno == EINTR || errno == EAGAIN ? Progress::waits : Progress::gone;
  if (n == 0) return Progress::gone;
  if (client.draining) return Progress::waits;
  if (client.bytes.empty()) client.since = Clock::now(), client.until = client.since + kRequestTime;
  client.bytes.append(buffer, static_cast<std::size_t>(n));
  std::optional<HttpError> error;
  const Progress progress = look_at(client, error);
  if (progress == Progress::whole) finish(std::move(client), error);
  return progress;
}

void Reception::State::finish(Waiting client, std::optional<HttpError> error) {
  Arrival arrival;
  arrival.socket = std::move(client.socket), arrival.bytes = std::move(client.bytes), arrival.error = error;
  arrival.head_bytes = client.head_bytes, arrival.request_bytes = client.head_bytes + client.body_bytes;
  arrived(std::move(arrival));
}

/// Who has waited longest goes: an honest client's request is whole within a millisecond.
void Reception::State::make_room() {
  if (waiting.size() < kConnectionsMax) return;
  waiting.erase(std::min_element(waiting.begin(), waiting.end(),
                                 [](const Waiting& a, const Waiting& b) { return a.since < b.since; }));
}

void Reception::State::accept_all() {
  for (;;) {
    Fd socket(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket && errno == EINTR) continue;
    if (!socket && (errno == EMFILE || errno == ENFILE) && !waiting.empty()) {
      waiting.erase(waiting.begin());
      continue;
    }
    if (!socket) return;
    const int on = 1;
    ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    make_room();
    Waiting client;
    client.socket = std::move(socket), client.since = Clock::now(), client.until = client.since + kRequestTime;
    waiting.push_back(std::move(client));
  }
}

/// False: it is time to end.
bool Reception::State::take_returned() {
  std::uint64_t rung = 0;
  static_cast<void>(::read(wake.get(), &rung, sizeof rung));
  std::vector<Waiting> back;
  {
    const std::lock_guard lock(mutex);
    if (stopping) return false;
    back.swap(returned);
  }
  for (Waiting& client : back) {
    make_room();
    std::optional<HttpError> error;
    if (!client.draining && look_at(client, error) == Progress::whole) finish(std::move(client), error);
    else waiting.push_back(std::move(client));
  }
  return true;
}

int Reception::State::timeout_ms() const {
  if (waiting.empty()) return -1;
  const auto next = std::min_element(waiting.begin(), waiting.end(), [](const Waiting& a, const Waiting& b) {
                      return a.until < b.until;
                    })->until;
  return static_cast<int>(
      std::max<std::int64_t>(0, std::chrono::ceil<std::chrono::milliseconds>(next - Clock::now()).count()));
}

void Reception::State::run() {
  std::vector<pollfd> polled;
  for (;;) {
    polled.assign({{wake.get(), POLLIN, 0}, {listener.get(), POLLIN, 0}});
    for (const Waiting& client : waiting) polled.push_back({client.socket.get(), POLLIN, 0});
    ::poll(polled.data(), polled.size(), timeout_ms());
    const auto now = Clock::now();
    std::vector<Waiting> still;
    for (std::size_t i = 0; i < waiting.size(); ++i) {
      const bool spoke = polled[i + 2].revents != 0;
      if ((spoke && receive(waiting[i]) != Progress::waits) || now >= waiting[i].until) continue;
      still.push_back(std::move(waiting[i]));
    }
    waiting = std::move(still);
    if (polled[0].revents != 0 && !take_returned()) return;
    if (polled[1].revents != 0) accept_all();
  }
}

void Reception::State::give(Waiting client) {
  {
    const std::lock_guard lock(mutex);
    returned.push_back(std::move(client));
  }
  const std::uint64_t one = 1;
  static_cast<void>(::write(wake.get(), &one, sizeof one));
}

Reception::Reception(Fd listener, std::function<void(Arrival)> arrived) : state_(new State) {
  ::fcntl(listener.get(), F_SETFL, ::fcntl(listener.get(), F_GETFL) | O_NONBLOCK);
  state_->listener = std::move(listener);
  state_->wake = Fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  state_->arrived = std::move(arrived);
  state_->thread = std::thread([this] { state_->run(); });
}

void Reception::EndState::operator()(State* state) const noexcept { delete state; }

void Reception::stop() {
  if (!state_->thread.joinable()) return;
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  const std::uint64_t one = 1;
  static_cast<void>(::write(state_->wake.get(), &one, sizeof one));
  state_->thread.join();
}

void Reception::give_back(Fd socket, std::string rest) {
  Waiting client;
  client.socket = std::move(socket), client.bytes = std::move(rest), client.since = Clock::now();
  client.until = client.since + (client.bytes.empty() ? kIdleTime : kRequestTime);
  state_->give(std::move(client));
}

void Reception::let_go(Fd socket) {
  ::shutdown(socket.get(), SHUT_WR);
  Waiting client;
  client.socket = std::move(socket), client.draining = true, client.since = Clock::now();
  client.until = client.since + kDrainTime;
  state_->give(std::move(client));
}

}  // namespace honeylink::telemetry::view
