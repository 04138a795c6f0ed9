// A client of the event stream, which keeps what came and when. Used by view_live_test.cc and view_slis_test.cc.
#pragma once
#include <vector>

#include "view_support.h"

namespace honeylink::telemetry::test {

inline double now_s() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

struct LiveEvent {
  double at = 0;  // when it arrived
  std::string name;
  nlohmann::json data;
};

/// An event stream and what came out of it.
class Watcher {
 public:
  Watcher(std::uint16_t port, const std::string& token, int buffer_bytes = 0) : client_(port) {
    if (buffer_bytes != 0) ::setsockopt(client_.fd(), SOL_SOCKET, SO_RCVBUF, &buffer_bytes, sizeof buffer_bytes);
    client_.send("GET /api/live HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port) + "\r\nAuthorization: Bearer " +
                 token + "\r\n\r\n");
  }
  /// Events until `enough`; false: not within `seconds`.
  bool watch(double seconds, const std::function<bool()>& enough) {
    const double until = now_s() + seconds;
    while (!enough()) {
      if (now_s() > until) return false;
      const std::string more = client_.receive(0.1, [](const std::string& got) { return !got.empty(); });
      const double at = now_s();
      text_ += more;
      take(at);
    }
    return true;
  }
  [[nodiscard]] std::vector<LiveEvent> of(const std::string& name) const {
    std::vector<LiveEvent> found;
    for (const LiveEvent& event : events) {
      if (event.name == name) found.push_back(event);
    }
    return found;
  }
  [[nodiscard]] bool ended() {
    pollfd state{client_.fd(), POLLRDHUP, 0};
    return ::poll(&state, 1, 0) > 0;
  }
  std::vector<LiveEvent> events;
  std::string head, comments;

 private:
  void take(double at) {
    for (std::size_t end = 0; (end = text_.find(head.empty() ? "\r\n\r\n" : "\n\n")) != std::string::npos;) {
      const std::string part = text_.substr(0, end);
      text_.erase(0, end + (head.empty() ? 4 : 2));
      if (head.empty()) {
        head = part;
      } else if (part.starts_with("event: ")) {
        const std::size_t line = part.find("\ndata: ");
        events.push_back({at, part.substr(7, line - 7), nlohmann::json::parse(part.substr(line + 7), nullptr, false)});
      } else {
        comments += part;
      }
    }
  }
  RawClient client_;
  std::string text_;
};

}  // namespace honeylink::telemetry::test
