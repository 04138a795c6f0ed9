// honeytel view: the live page, on this device only, until Ctrl-C. Prints the address with the token that opens it, and
// opens a browser where there is one.
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "base/file.h"
#include "base/text.h"
#include "cli/commands.h"
#include "config/config.h"
#include "query/database.h"
#include "query/trace_reader.h"
#include "view/server.h"

namespace honeylink::telemetry::cli {
namespace {

constexpr std::uint64_t kPortMax = 65'535;

/// SIGINT and SIGTERM wait until they are asked for, also in threads that are made meanwhile.
class HeldSignals {
 public:
  HeldSignals() {
    ::sigemptyset(&set_);
    ::sigaddset(&set_, SIGINT);
    ::sigaddset(&set_, SIGTERM);
    ::pthread_sigmask(SIG_BLOCK, &set_, &before_);
  }
  ~HeldSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;
  /// False: none came within this time.
  [[nodiscard]] bool wait(std::int64_t ns) const {
    constexpr std::int64_t kSecond = 1'000'000'000;
    if (ns == INT64_MAX) {
      int which = 0;
      ::sigwait(&set_, &which);
      return true;
    }
    const std::int64_t least = std::max(ns, kSecond / 100);
    const timespec time{least / kSecond, least % kSecond};
    return ::sigtimedwait(&set_, nullptr, &time) > 0;
  }

 private:
  sigset_t set_{}, before_{};
};

bool has_display() {
  for (const char* const name : {"DISPLAY", "WAYLAND_DISPLAY"}) {
    const char* const value = std::getenv(name);
    if (value != nullptr && *value != '\0') return true;
  }
  return false;
}

/// A file that leads to the address: what a program is started with, others can read in the list of processes; a
/// private file they cannot. Lives as long as the server.
class Signpost {
 public:
  explicit Signpost(const std::string& address) {
    std::string directory = std::filesystem::temp_directory_path(error_) / "honeytel-view-XXXXXX";
    if (error_ || ::mkdtemp(directory.data()) == nullptr) return;
    directory_ = directory;
    std::string why;
    const Fd file = open_file(path(), O_RDWR | O_CREAT | O_EXCL, 0600, why);
    const std::string html =
        "<!doctype html><meta charset=\"utf-8\"><meta http-equiv=\"refresh\" content=\"0;url=" + address +
        "\"><title>honeytel</title>\n";
    sound_ = file && append_exactly(file.get(), html);
  }
  ~Signpost() {
    if (!directory_.empty()) std::filesystem::remove_all(directory_, error_);
  }
  Signpost(const Signpost&) = delete;
  Signpost& operator=(const Signpost&) = delete;
  [[nodiscard]] explicit operator bool() const noexcept { return sound_; }
  [[nodiscard]] std::string path() const { return directory_ + "/open.html"; }

 private:
  std::error_code error_;
  std::string directory_;
  bool sound_ = false;
};

/// xdg-open ends when it has told the browser; -1: it could not be started. What it says goes nowhere: stdout is ours.
pid_t open_browser(std::string path) {
  char program[] = "xdg-open";
  char* const argv[] = {program, path.data(), nullptr};
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  for (const int fd : {0, 1, 2}) ::posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  sigset_t none;
  ::sigemptyset(&none);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  pid_t pid = -1;
  if (::posix_spawnp(&pid, program, &actions, &attributes, argv, environ) != 0) pid = -1;
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  return pid;
}

/// How the page is opened, and until when it is served.
struct Visit {
  std::string trace_id;          // or the beginning of one; empty: the page begins with the levels
  std::int64_t idle_ns_max = 0;  // 0: until a signal
};

int serve(const Call& call, const view::ServerOptions& options, const Visit& visit) {
  const HeldSignals signals;
  const auto server = view::Server::start(options);
  if (!server.ok()) return report(call.terminal, server.problem());
  const std::string address =
      server.value()->address() + (visit.trace_id.empty() ? "" : "&to=/traces/" + visit.trace_id);
  call.terminal.print(address + "\n");
  if (!finish_output()) return kFailed;
  call.terminal.say("this device only; the address opens one session; Ctrl-C ends it");
  pid_t browser = -1;
  std::optional<Signpost> signpost;
  if (!call.has("no-open") && has_display()) {
    signpost.emplace(address);
    if (*signpost) browser = open_browser(signpost->path());
    if (browser < 0) call.terminal.say("no browser could be started (xdg-open): open the address yourself");
  }
  while (!signals.wait(visit.idle_ns_max == 0 ? INT64_MAX : visit.idle_ns_max - server.value()->idle_ns())) {
    if (server.value()->idle_ns() < visit.idle_ns_max) continue;
    call.terminal.say("nobody has looked for a while: it ends");
    break;
  }
  if (browser > 0) ::waitpid(browser, nullptr, WNOHANG);
  return kOk;
}

int run(Call& call) {
  query::Problem problem;
  if (!call.argument(0).empty()) {
    if (call.has("home")) return report(call.terminal, usage_problem("one home at a time", "FILE and --home name two"));
    call.options["home"] = {call.argument(0)};
  }
  const auto home = call.home();
  if (!home.ok()) return report(call.terminal, home.problem());
  if (!query::file_exists(home.value())) {
    return report(call.terminal, {query::ProblemKind::environment, "there is nothing to show yet",
                                  home.value() + " is not there", "honeytel demo makes a home and fills it"});
  }
  const auto configured =
      static_cast<std::uint64_t>(config::load_config(home.value(), config::default_config()).config.view.port);
  const auto port = call.count("port", configured, problem);
  if (!port) return report(call.terminal, problem);
  if (*port > kPortMax) return report(call.terminal, usage_problem("--port is a number up to 65535; 0: a free one"));
  Visit visit;
  const auto idle = call.duration("idle", 0, problem);
  if (!idle) return report(call.terminal, problem);
  visit.idle_ns_max = *idle;
  if (call.has("trace") && !query::normalize_trace_prefix(call.text("trace"), visit.trace_id))
    return report(call.terminal, usage_problem("'" + call.text("trace") + "' is no trace id",
                                               "that is 32 hexadecimal digits, or the first 4 or more of them"));
  return serve(call, {home.value(), static_cast<std::uint16_t>(*port), call.home_is_archive()}, visit);
}

constexpr Option kOptions[] = {
    {"port", "N", "Listen on this port (default: view.port of the config, else a free one)"},
    {"no-open", "", "Print the address only"},
    {"trace", "ID", "Open this trace: its id, or the first 4 digits or more"},
    {"idle", "TIME", "End by itself when nobody has looked for so long (default: never)"},
};

}  // namespace

extern const Command kView{
    .name = "view",
    .summary = "The live page: service levels, traces, logs, SQL",
    .usage = "[FILE.db] [--trace ID] [--port N] [--no-open] [--idle 1h]",
    .about =
        "Serves one page on 127.0.0.1 until Ctrl-C. The printed address holds a token that opens one session;\nnobody "
        "else on this device, and no other site's page, can ask. FILE: what bundle or db backup made.",
    .example =
        "honeytel view\nhoneytel view --no-open --port 8080\nhoneytel view --trace 0af76519\nhoneytel view bundle.db",
    .options = kOptions,
    .arguments_max = 1,
    .run = run,
    .opens_archives = true};

}  // namespace honeylink::telemetry::cli
