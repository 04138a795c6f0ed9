// See relay.h. One poll loop; datagrams wait in a heap by the time at which they are due.
#include "relay.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <queue>

namespace honeylink::link {
namespace {
constexpr std::size_t kClientsMax = 64;
constexpr std::size_t kInFlightMax = 16'384;  // × 2 KiB at most: 32 MiB, far above what any scenario holds
}  // namespace

struct Relay::Datagram {
  Time due;
  std::uint64_t order;
  std::size_t client;
  bool to_target;
  Bytes bytes;
  friend bool operator<(const Datagram& a,
                        const Datagram& b) noexcept {  // std::priority_queue keeps the greatest on top
    return a.due != b.due ? a.due > b.due : a.order > b.order;
  }
};

class Relay::Loop {
 public:
  Loop(Relay& relay, std::uint16_t target, unsigned seed) noexcept
      : relay_(relay), target_(target), out_(std::uint64_t{seed} * 2 + 1), back_(std::uint64_t{seed} * 2 + 2) {}

  void run() {
    while (!relay_.stop_.load()) {
      wait();
      read_front();
      for (std::size_t i = 0; i < clients_.size(); ++i) read_back(i);
      deliver();
    }
  }

 private:
  struct Client {
    sockaddr_in address;
    Fd socket;
  };

  void wait() {
    std::vector<pollfd> polls{{relay_.wake_.get(), POLLIN, 0}, {relay_.front_.get(), POLLIN, 0}};
    for (const Client& client : clients_) polls.push_back({client.socket.get(), POLLIN, 0});
    timespec timeout{0, 0};
    if (!waiting_.empty()) {
      const auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(waiting_.top().due - Clock::now()).count();
      const long long ns = std::max<long long>(left, 0);
      timeout = {static_cast<time_t>(ns / 1'000'000'000), static_cast<long>(ns % 1'000'000'000)};
    }
    ::ppoll(polls.data(), polls.size(), waiting_.empty() ? nullptr : &timeout, nullptr);
  }

  void read_front() {
    for (;;) {
      sockaddr_in from{};
      socklen_t length = sizeof from;
      const ssize_t size = ::recvfrom(relay_.front_.get(), buffer_.data(), buffer_.size(), MSG_DONTWAIT,
                                      reinterpret_cast<sockaddr*>(&from), &length);
      if (size < 0) return;
      const std::size_t client = client_of(from);
      accept(client, true, static_cast<std::size_t>(size));
    }
  }
  void read_back(std::size_t client) {
    for (;;) {
      const ByteView got = receive(clients_[client].socket.get(), buffer_);
      if (got.empty()) return;
      accept(client, false, got.size());
    }
  }

  std::size_t client_of(const sockaddr_in& from) {
    const auto same = [&](const Client& c) {
      return c.address.sin_port == from.sin_port && c.address.sin_addr.s_addr == from.sin_addr.s_addr;
    };
    const auto known = std::ranges::find_if(clients_, same);
    if (known != clients_.end()) return static_cast<std::size_t>(known - clients_.begin());
    if (clients_.size() < kClientsMax) {
      Fd socket = connect_udp(target_);
      if (socket.ok()) clients_.push_back({from, std::move(socket)});
      else return kClientsMax;
      return clients_.size() - 1;
    }
    return kClientsMax;
  }

  void accept(std::size_t client, bool to_target, std::size_t size) {
    const std::lock_guard lock(relay_.mutex_);
    RelayCounts& counts = to_target ? relay_.out_ : relay_.back_;
    Impairment& impairment = to_target ? out_ : back_;
    if (client >= clients_.size() || waiting_.size() >= kInFlightMax) {
      ++counts.refused;
    } else if (impairment.loses(relay_.settings_)) {
      ++counts.lost;
    } else {
      const auto end = buffer_.begin() + static_cast<std::ptrdiff_t>(size);
      waiting_.push({Clock::now() + impairment.delay(relay_.settings_), order_++, client, to_target,
                     Bytes(buffer_.begin(), end)});
    }
  }

  void deliver() {
    const Time now = Clock::now();
    while (!waiting_.empty() && waiting_.top().due <= now) {
      const Datagram& datagram = waiting_.top();
      const Client& client = clients_[datagram.client];
      if (datagram.to_target) {
        static_cast<void>(send(client.socket.get(), datagram.bytes));  // a target that is gone: the datagram is, too
      } else {
        ::sendto(relay_.front_.get(), datagram.bytes.data(), datagram.bytes.size(), MSG_DONTWAIT,
                 reinterpret_cast<const sockaddr*>(&client.address), sizeof client.address);
      }
      const std::lock_guard lock(relay_.mutex_);
      ++(datagram.to_target ? relay_.out_ : relay_.back_).forwarded;
      waiting_.pop();
    }
  }

  Relay& relay_;
  std::uint16_t target_;
  Impairment out_, back_;
  std::vector<Client> clients_;
  std::priority_queue<Datagram> waiting_;
  std::uint64_t order_ = 0;
  std::array<std::uint8_t, kDatagramBytesMax> buffer_{};
};

std::unique_ptr<Relay> Relay::start(std::uint16_t target_port, const RelaySettings& settings, unsigned seed) {
  std::unique_ptr<Relay> relay(new Relay);
  relay->wake_ = Fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  relay->front_ = bind_udp();
  if (!relay->wake_.ok() || !relay->front_.ok()) return nullptr;
  relay->port_ = local_port(relay->front_.get());
  relay->settings_ = settings;
  relay->thread_ = std::thread([raw = relay.get(), target_port, seed] { Loop(*raw, target_port, seed).run(); });
  return relay;
}

Relay::~Relay() {
  stop_.store(true);
  constexpr std::uint64_t kOne = 1;
  if (wake_.ok() && ::write(wake_.get(), &kOne, sizeof kOne) < 0)
    stop_.store(true);  // an eventfd at 0 always takes a 1
  if (thread_.joinable()) thread_.join();
}

void Relay::set(const RelaySettings& settings) {
  const std::lock_guard lock(mutex_);
  settings_ = settings;
}
RelayCounts Relay::towards_target() const {
  const std::lock_guard lock(mutex_);
  return out_;
}
RelayCounts Relay::towards_clients() const {
  const std::lock_guard lock(mutex_);
  return back_;
}

}  // namespace honeylink::link
