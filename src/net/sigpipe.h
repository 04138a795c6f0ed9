// A peer that is gone must not end this process: libcurl writes to sockets without MSG_NOSIGNAL when TLS is used.
// A scope on the sending thread.
#pragma once
#include <signal.h>

namespace honeylink::telemetry::net {

class SigpipeGuard {
 public:
  SigpipeGuard() noexcept;
  ~SigpipeGuard();
  SigpipeGuard(const SigpipeGuard&) = delete;
  SigpipeGuard& operator=(const SigpipeGuard&) = delete;

 private:
  sigset_t before_{};
  bool was_pending_ = false;
};

}  // namespace honeylink::telemetry::net
