// Starts the two children, follows them, ends them: the initiator first, then the responder. posix_spawn instead of
// fork: the caller may have threads, and its mapped telemetry must not be inherited half-way.
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <mutex>
#include <thread>

#include "report_line.h"
#include "udp.h"

namespace honeylink::link {
namespace {
using std::chrono::milliseconds;
using std::chrono::seconds;
constexpr seconds kReadyWithin{10};
constexpr seconds kEndWithin{
    10};  // after SIGTERM; longer than the longest wait inside a child, the policy client's 6 s
constexpr milliseconds kLookEvery{100};

struct Child {
  pid_t pid = -1;
  Fd reports;
  std::string unread;  // of reports: the beginning of a line
  int exit_code = 0;
  [[nodiscard]] bool alive() const noexcept { return pid > 0; }
};

// The next whole line; nullopt: none yet.
std::optional<std::string> next_line(Child& child) {
  std::array<char, 1024> buffer{};
  for (;;) {
    if (const std::size_t end = child.unread.find('\n'); end != std::string::npos) {
      std::string line = child.unread.substr(0, end);
      child.unread.erase(0, end + 1);
      return line;
    }
    const ssize_t size = ::read(child.reports.get(), buffer.data(), buffer.size());
    if (size <= 0) return std::nullopt;
    child.unread.append(buffer.data(), static_cast<std::size_t>(size));
    if (child.unread.size() > 4096) child.unread.clear();  // not one of our lines
  }
}

// 0, or an errno.
int spawn(Child& child, std::vector<std::string> arguments) {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) return errno;
  child.reports = Fd(ends[0]);
  const Fd writer(ends[1]);
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&files, writer.get(), kReportFd);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, defaults;
  sigemptyset(&none);
  sigemptyset(&defaults);
  for (const int signal : {SIGTERM, SIGINT, SIGPIPE, SIGCHLD}) sigaddset(&defaults, signal);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const int failed = ::posix_spawn(&child.pid, "/proc/self/exe", &files, &attributes, argv.data(), environ);
  if (failed != 0) child.pid = -1;
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  return failed;
}

// Notes its end if it has ended.
void reap(Child& child) {
  int status = 0;
  if (!child.alive() || ::waitpid(child.pid, &status, WNOHANG) == 0) return;
  child.pid = -1;
  child.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void end(Child& child) {
  if (child.alive()) ::kill(child.pid, SIGTERM);
  for (const Time until = Clock::now() + kEndWithin; child.alive() && Clock::now() < until; reap(child)) {
    std::this_thread::sleep_for(milliseconds(10));
  }
  if (!child.alive()) return;
  ::kill(child.pid, SIGKILL);
  ::waitpid(child.pid, nullptr, 0);
  child.pid = -1;
  child.exit_code = 128 + SIGKILL;
}

class ChildLink final : public Link {
 public:
  ChildLink(const LinkOptions& options, LinkStats* live) : live_(live) {
    if (!begin(options)) {
      end(initiator_);
      end(responder_);
      running_.store(false);
      return;
    }
    monitor_ = std::thread([this] { follow(); });
  }
  ~ChildLink() override {
    stop();
    static_cast<void>(wait());
  }
  void stop() noexcept override { stop_.store(true); }
  [[nodiscard]] bool running() const noexcept override { return running_.load(); }
  [[nodiscard]] int wait() override {
    if (monitor_.joinable()) monitor_.join();
    return error().empty() ? 0 : 1;
  }
  [[nodiscard]] std::string error() const override {
    const std::lock_guard lock(mutex_);
    return error_;
  }

 private:
  bool begin(const LinkOptions& options) {
    const std::vector<std::string> shared = to_arguments(options);
    const std::string self = "honeylink-link", pid = std::to_string(::getpid());
    std::vector<std::string> arguments{self, std::string(kChildCommand), "responder", pid};
    arguments.insert(arguments.end(), shared.begin(), shared.end());
    if (const int failed = spawn(responder_, arguments)) return fail("the responder could not be started: ", failed);
    std::optional<std::string> ready;
    for (const Time until = Clock::now() + kReadyWithin; !ready && responder_.alive() && Clock::now() < until;
         reap(responder_)) {
      if (wait_readable(responder_.reports.get(), Clock::now() + kLookEvery)) ready = next_line(responder_);
    }
    if (!ready || !peer_from_line(*ready)) return fail("the responder did not become ready", 0);
    arguments = {self, std::string(kChildCommand), "initiator", pid, *ready};
    arguments.insert(arguments.end(), shared.begin(), shared.end());
    if (const int failed = spawn(initiator_, arguments)) return fail("the initiator could not be started: ", failed);
    return true;
  }

  bool fail(std::string text, int error_number) {
    const std::lock_guard lock(mutex_);
    if (error_.empty()) error_ = std::move(text) + (error_number != 0 ? std::strerror(error_number) : "");
    return false;
  }

  void follow() {
    while (initiator_.alive() && responder_.alive() && !stop_.load()) {
      static_cast<void>(wait_readable(initiator_.reports.get(), Clock::now() + kLookEvery));
      read_stats();
      reap(initiator_);
      reap(responder_);
    }
    if (!responder_.alive())
      fail("the responder ended before its time, with code " + std::to_string(responder_.exit_code), 0);
    end(initiator_);
    read_stats();
    end(responder_);
    for (const Child* child : {&initiator_, &responder_}) {
      if (child->exit_code != 0) fail("a side of the link ended with code " + std::to_string(child->exit_code), 0);
    }
    running_.store(false);
  }

  void read_stats() {
    while (const std::optional<std::string> line = next_line(initiator_)) {
      if (live_ != nullptr) static_cast<void>(from_line(*line, *live_));
    }
  }

  LinkStats* live_;
  Child responder_, initiator_;
  std::atomic<bool> stop_{false}, running_{true};
  mutable std::mutex mutex_;  // error_
  std::string error_;
  std::thread monitor_;
};

}  // namespace

std::unique_ptr<Link> run_link(const LinkOptions& options, LinkStats* live) {
  return std::make_unique<ChildLink>(options, live);
}

}  // namespace honeylink::link
