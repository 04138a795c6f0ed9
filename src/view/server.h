// The web server of `honeytel view`: one page and its API on 127.0.0.1, for one session (docs/formats/view_api.md).
//
// Made and ended by one thread; requests run on threads of its own, which block all signals. What they read, they open
// themselves; the engine and the recorders do not notice.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "query/problem.h"

namespace honeylink::telemetry::view {

struct ServerOptions {
  std::string home;
  std::uint16_t port = 0;  // 0: a free one
  bool is_file = false;    // the home was unpacked from one file: nothing lives in it
};

class Server {
 public:
  /// Listens and answers from here on. environment: the port is taken.
  [[nodiscard]] static query::Answer<std::unique_ptr<Server>> start(const ServerOptions& options);
  /// Ends every connection, event streams too, and waits for the threads.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] std::uint16_t port() const noexcept;
  /// With the token, in the fragment: no log and no Referer holds it.
  [[nodiscard]] std::string address() const;
  /// Since somebody asked for something or watched, or since the start.
  [[nodiscard]] std::int64_t idle_ns() const noexcept;

 private:
  struct Parts;
  explicit Server(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace honeylink::telemetry::view
