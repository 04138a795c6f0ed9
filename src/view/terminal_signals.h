// Signals as a file descriptor, and a terminal that is given back whatever ends the process. One at a time; the main
// thread.
//
// Asked to end, stopped, gone on, resized: noted in a pipe, handled by the loop (terminal_view.cc). A crash (SIGSEGV,
// SIGBUS, SIGILL, SIGFPE, SIGABRT): the handler writes what gives the terminal back, restores its modes and lets the
// signal do what it does; both are prepared bytes and system calls that a handler may make.
#pragma once
#include <csignal>
#include <cstdint>
#include <string>
#include <vector>

#include "base/file.h"

namespace honeylink::telemetry::view {

class Signals {
 public:
  /// Before the terminal is opened. False: no pipe to be had.
  [[nodiscard]] bool open();
  ~Signals();
  Signals() = default;
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  [[nodiscard]] int fd() const noexcept { return read_end_.get(); }
  /// The next one noted; 0: none.
  [[nodiscard]] int next() const noexcept;
  /// Stops this process as its terminal would; returns when it goes on.
  void stop_here() const noexcept;

 private:
  struct Former {
    int signal;
    struct sigaction action;
  };
  void take(int signal, void (*handler)(int), int flags);
  std::vector<Former> formers_;
  std::vector<std::uint8_t> stack_;  // for handlers of a crash: the usual one may be what overflowed
  Fd read_end_, write_end_;
};

/// The terminal whose modes, as they are now, the crash handlers restore.
void remember_modes(int terminal_fd) noexcept;
/// What they write to it before. An empty text: there is nothing to give back.
void remember_restoring(const std::string& text) noexcept;

}  // namespace honeylink::telemetry::view
