// The service under test of the W3C trace-context suite: POST /test with `[{"url":U,"arguments":[…]}, …]` makes it POST
// each element's arguments to its U, with the headers of a traced client, and answer 200. Used by main.cc (for the
// suite) and service_test.cc.
#pragma once
#include <memory>

namespace honeylink::telemetry::interop {

/// Serves on 127.0.0.1 on threads of its own from start() to its destruction. Owned and called by one thread.
class Service {
 public:
  Service();
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;
  /// 0: any free port. Answers the port, or 0 where it is taken.
  [[nodiscard]] int start(int port);

 private:
  struct Server;
  std::unique_ptr<Server> server_;
};

}  // namespace honeylink::telemetry::interop
