// See sigpipe.h.
#include "net/sigpipe.h"

#include <time.h>

namespace honeylink::telemetry::net {

SigpipeGuard::SigpipeGuard() noexcept {
  sigset_t pipe, pending;
  ::sigemptyset(&pipe);
  ::sigaddset(&pipe, SIGPIPE);
  ::sigemptyset(&pending);
  ::sigpending(&pending);
  was_pending_ = ::sigismember(&pending, SIGPIPE) == 1;
  ::pthread_sigmask(SIG_BLOCK, &pipe, &before_);
}

SigpipeGuard::~SigpipeGuard() {
  sigset_t pipe;
  ::sigemptyset(&pipe);
  ::sigaddset(&pipe, SIGPIPE);
  const timespec at_once{0, 0};
  // One that we caused is ours to take; one that was there before is not.
  if (!was_pending_ && ::sigismember(&before_, SIGPIPE) == 0) (void)::sigtimedwait(&pipe, nullptr, &at_once);
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

}  // namespace honeylink::telemetry::net
