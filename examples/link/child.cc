// The inside of both child processes: dies with its parent, ends on SIGTERM, starts telemetry, runs one side of the
// link. SIGINT is the parent's: a Ctrl-C reaches the whole group, and the initiator must end before the responder does.
#include <honeylink/telemetry.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <thread>

#include "report_line.h"

namespace honeylink::link {
namespace {

namespace tel = honeylink::telemetry;

constinit std::atomic<bool> stop_requested{false};
static_assert(std::atomic<bool>::is_always_lock_free, "set in a signal handler");

void install_signals() {
  struct sigaction action {};
  action.sa_handler = [](int) { stop_requested.store(true); };
  sigaction(SIGTERM, &action, nullptr);
  action.sa_handler = SIG_IGN;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGPIPE, &action, nullptr);
}

// True if the parent still lives; from here on its end is a SIGTERM to us.
bool bind_to_parent(std::string_view parent) {
  int pid = 0;
  std::from_chars(parent.data(), parent.data() + parent.size(), pid);
  return ::prctl(PR_SET_PDEATHSIG, SIGTERM) == 0 && ::getppid() == pid;
}

void write_line(std::string line) {
  line += '\n';
  if (::write(kReportFd, line.data(), line.size()) < 0)
    stop_requested.store(true);  // nobody listens: nobody wants this run
}

// Writes the totals four times a second, and once more at its end.
class Reporter {
 public:
  explicit Reporter(const LinkStats& stats) : stats_(stats), thread_([this] { run(); }) {}
  ~Reporter() {
    {
      const std::lock_guard lock(mutex_);
      done_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    while (!wake_.wait_for(lock, std::chrono::milliseconds(250), [this] { return done_; })) write_line(to_line(stats_));
    write_line(to_line(stats_));
  }
  const LinkStats& stats_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool done_ = false;
  std::thread thread_;
};

void start_telemetry(const LinkOptions& options, std::string_view service) {
  // Unusable home: telemetry says so itself and the link runs on; losing the run as well would help nobody.
  static_cast<void>(
      tel::start({.resource = {.service_name = service, .service_version = "1.0.0", .environment = options.environment},
                  .home = options.home}));
}

}  // namespace

// program __link responder PARENT-PID options…      program __link initiator PARENT-PID READY-LINE options…
int link_child_main(int argc, char** argv) {
  constexpr int kUsage = 2;
  std::vector<std::string> arguments(argv, argv + argc);
  if (arguments.size() < 4 || arguments[1] != kChildCommand) return kUsage;
  const bool initiator = arguments[2] == "initiator";
  if (!initiator && arguments[2] != "responder") return kUsage;
  install_signals();
  if (!bind_to_parent(arguments[3])) return 0;
  const std::optional<Peer> peer = initiator && arguments.size() > 4 ? peer_from_line(arguments[4]) : std::nullopt;
  if (initiator && !peer) return kUsage;

  LinkOptions options;
  std::string error;
  arguments.erase(arguments.begin(), arguments.begin() + (initiator ? 5 : 4));
  if (!parse_options(arguments, options, error)) return kUsage;
  start_telemetry(options, initiator ? "honeylink-initiator" : "honeylink-responder");
  if (!initiator)
    return run_responder(
        options, [](const Peer& ready) { write_line(to_line(ready)); }, stop_requested);
  LinkStats stats;
  const Reporter reporter(stats);
  return run_initiator(options, *peer, stats, stop_requested);
}

}  // namespace honeylink::link
