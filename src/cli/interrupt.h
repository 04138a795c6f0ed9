// Ctrl-C during long work: noted, so that the work ends at a place where the store is whole and says so (UX 18). One
// at a time, on the main thread.
#pragma once
#include <csignal>

namespace honeylink::telemetry::cli {

class Interrupt {
 public:
  Interrupt() noexcept {
    asked_ = 0;
    struct sigaction action {};
    action.sa_handler = [](int) { asked_ = 1; };
    ::sigaction(SIGINT, &action, &int_);
    ::sigaction(SIGTERM, &action, &term_);
  }
  ~Interrupt() {
    ::sigaction(SIGINT, &int_, nullptr);
    ::sigaction(SIGTERM, &term_, nullptr);
  }
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;
  [[nodiscard]] bool asked() const noexcept { return asked_ != 0; }

 private:
  inline static volatile std::sig_atomic_t asked_ = 0;
  struct sigaction int_ {
  }, term_{};
};

}  // namespace honeylink::telemetry::cli
