// org.freedesktop.Notifications as this product uses it: connect, show, hear what became of it. The one place that
// speaks D-Bus.
//
// Owner: the toast's thread. Nothing waits for the notification daemon: calls are answered by events from process(),
// however late, and a message is sent once. A daemon that hangs and comes back therefore shows it once. connect() waits
// for the bus alone, which has just answered a greeting (bus_address.h).
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace honeylink::telemetry::alert {

struct Capabilities {
  bool actions = false, body_markup = false;
};

/// What Notify is given (Desktop Notifications Specification 1.2).
struct Toast {
  std::string summary, body, icon, category;
  std::uint8_t urgency = 1;          // 0 low, 1 normal, 2 critical
  std::int32_t expire_ms = -1;       // -1: as the daemon likes; 0: never
  bool transient = false;            // not for the daemon's history
  std::vector<std::string> actions;  // key, label, key, label, …
};

/// What the bus brought.
struct BusEvents {
  struct Reply {
    std::uint64_t token = 0;
    std::uint32_t id = 0;
    std::string error;  // empty: shown
  };
  struct Action {
    std::uint32_t id = 0;
    std::string key;
  };
  std::vector<Reply> replies;
  std::vector<Action> actions;
  std::vector<std::uint32_t> closed;
  bool daemon_changed = false;   // ids of before mean nothing any more
  bool daemon_answered = false;  // the question for its capabilities is answered
  std::string daemon_error;      // or failed
};

class Notifications {
 public:
  Notifications();
  ~Notifications();

  /// False and `why` where the bus does not take us.
  bool connect(const std::string& address, std::string& why);
  void disconnect() noexcept;
  [[nodiscard]] bool connected() const noexcept { return link_ != nullptr; }

  /// Asks for the daemon's capabilities; starts a daemon where the bus knows how. The answer is an event.
  bool ask_daemon();
  /// Unique name of the daemon that answered, and what it can.
  [[nodiscard]] const std::string& daemon() const noexcept { return daemon_; }
  [[nodiscard]] const Capabilities& capabilities() const noexcept { return capabilities_; }

  /// The reply is an event with this token. False: the connection is lost.
  bool show(std::uint64_t token, std::uint32_t replaces_id, const Toast& toast);

  /// As show(), with CloseNotification.
  bool close(std::uint64_t token, std::uint32_t id);

  /// For poll(2): descriptor, events, and the milliseconds until process() is due though nothing came (-1: never).
  struct Waiting {
    int fd = -1;
    short events = 0;
    int timeout_ms = -1;
  };
  [[nodiscard]] Waiting waiting() const;
  /// Takes what has come. False: the connection is lost.
  bool process(BusEvents& events);

 private:
  struct Link;  // the D-Bus library's objects
  std::unique_ptr<Link> link_;
  BusEvents pending_;
  std::string daemon_;
  Capabilities capabilities_;
};

}  // namespace honeylink::telemetry::alert
