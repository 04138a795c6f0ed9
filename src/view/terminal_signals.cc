// Signals: see terminal_signals.h.
#include "view/terminal_signals.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>

namespace honeylink::telemetry::view {
namespace {

std::atomic<int> pipe_to{-1};

struct Remembered {
  std::array<char, 512> restoring{};
  std::atomic<std::size_t> bytes{0};
  int fd = -1;
  termios modes{};
  bool has_modes = false;
};
Remembered remembered;

extern "C" void note(int signal) {
  const int before = errno;
  const auto byte = static_cast<unsigned char>(signal);
  static_cast<void>(!::write(pipe_to.load(std::memory_order_relaxed), &byte, 1));
  errno = before;
}

extern "C" void give_back_and_die(int signal) {
  const std::size_t bytes = remembered.bytes.exchange(0);
  if (bytes > 0) {
    static_cast<void>(!::write(remembered.fd, remembered.restoring.data(), bytes));
    if (remembered.has_modes) ::tcsetattr(remembered.fd, TCSANOW, &remembered.modes);
  }
  ::signal(signal, SIG_DFL);
  ::raise(signal);  // delivered when this handler returns
}

}  // namespace

void remember_modes(int terminal_fd) noexcept {
  remembered.bytes = 0;
  remembered.fd = terminal_fd;
  remembered.has_modes = ::tcgetattr(terminal_fd, &remembered.modes) == 0;
}

void remember_restoring(const std::string& text) noexcept {
  remembered.bytes = 0;
  if (text.size() > remembered.restoring.size()) return;
  std::memcpy(remembered.restoring.data(), text.data(), text.size());
  remembered.bytes = text.size();
}

void Signals::take(int signal, void (*handler)(int), int flags) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  Former former{signal, {}};
  if (::sigaction(signal, &action, &former.action) == 0) formers_.push_back(former);
}

bool Signals::open() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return false;
  read_end_ = Fd(ends[0]), write_end_ = Fd(ends[1]);
  pipe_to = ends[1];
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH})
    take(signal, note, SA_RESTART);
  stack_.resize(std::max<std::size_t>(65536, static_cast<std::size_t>(SIGSTKSZ)));
  stack_t stack{};
  stack.ss_sp = stack_.data(), stack.ss_size = stack_.size();
  ::sigaltstack(&stack, nullptr);
  for (const int signal : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT}) take(signal, give_back_and_die, SA_ONSTACK);
  return true;
}

Signals::~Signals() {
  for (const Former& former : formers_) ::sigaction(former.signal, &former.action, nullptr);
  stack_t none{};
  none.ss_flags = SS_DISABLE;
  if (!stack_.empty()) ::sigaltstack(&none, nullptr);
  pipe_to = -1;
}

int Signals::next() const noexcept {
  unsigned char signal = 0;
  return ::read(read_end_.get(), &signal, 1) == 1 ? signal : 0;
}

void Signals::stop_here() const noexcept {
  struct sigaction usual {};
  struct sigaction ours {};
  usual.sa_handler = SIG_DFL;
  ::sigaction(SIGTSTP, &usual, &ours);
  ::kill(::getpid(), SIGTSTP);
  ::sigaction(SIGTSTP, &ours, nullptr);
}

}  // namespace honeylink::telemetry::view
