// honeytel agent: the engine in the foreground, or installed as a systemd user service.
#include <pwd.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>

#include "base/file.h"
#include "cli/commands.h"
#include "cli/engine_rest.h"
#include "engine/engine.h"
#include "query/database.h"
#include "query/status.h"

extern char** environ;

namespace honeylink::telemetry::cli {
namespace {

std::atomic<engine::Engine*> running{nullptr};

void stop_engine(int) {
  if (engine::Engine* engine = running.load()) engine->stop();
}

std::string config_home() {
  if (const char* given = std::getenv("XDG_CONFIG_HOME"); given != nullptr && given[0] == '/') return given;
  if (const char* home = std::getenv("HOME"); home != nullptr && home[0] == '/') return std::string(home) + "/.config";
  return {};
}

std::string own_path() {
  char path[4096];
  const ssize_t n = ::readlink("/proc/self/exe", path, sizeof path - 1);
  return n > 0 ? std::string(path, static_cast<std::size_t>(n)) : "honeytel";
}

/// In systemd's quotes: a path may have spaces, and % begins a specifier.
std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    if (c == '%' || c == '$') result += c;
    result += c;
  }
  return result + "\"";
}

std::string unit_text(const std::string& home) {
  return "[Unit]\n"
         "Description=honeylink-telemetry engine: stores what programs of this user record\n\n"
         "[Service]\n"
         "ExecStart=" +
         quoted(own_path()) + " agent --home " + quoted(home) +
         "\n"
         "Restart=on-failure\n"
         "RestartSec=1\n"
         "MemoryMax=64M\n"
         "NoNewPrivileges=yes\n\n"  // no address family is kept from it: what leaves is for consent to say
         "[Install]\n"
         "WantedBy=default.target\n";
}

bool systemctl(std::initializer_list<const char*> arguments) {
  std::vector<char*> argv{const_cast<char*>("systemctl"), const_cast<char*>("--user")};
  for (const char* argument : arguments) argv.push_back(const_cast<char*>(argument));
  argv.push_back(nullptr);
  pid_t pid = 0;
  if (::posix_spawnp(&pid, "systemctl", nullptr, nullptr, argv.data(), environ) != 0) return false;
  int status = 0;
  return ::waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool lingers() {
  const passwd* user = ::getpwuid(::getuid());
  return user != nullptr && query::file_exists(std::string("/var/lib/systemd/linger/") + user->pw_name);
}

int install(const Call& call, const std::string& home) {
  const std::string directory = config_home() + "/systemd/user", path = directory + "/honeytel.service";
  std::string why;
  if (config_home().empty())
    return report(call.terminal, {query::ProblemKind::environment, "there is no place for the service",
                                  "neither XDG_CONFIG_HOME nor HOME is set", ""});
  for (const std::string& part : {config_home(), config_home() + "/systemd", directory}) ::mkdir(part.c_str(), 0755);
  if (!replace_file(path, unit_text(home), 0644, why))
    return report(call.terminal, {query::ProblemKind::environment, "cannot write " + path, why, ""});
  call.terminal.say("wrote " + path);
  const bool started = systemctl({"daemon-reload"}) && systemctl({"enable", "--now", "honeytel.service"});
  if (!started) {
    return report(call.terminal, {query::ProblemKind::environment, "the service is written but not started",
                                  "systemctl --user did not do it: no user session of systemd here?",
                                  "start it in a login session: systemctl --user enable --now honeytel"});
  }
  call.terminal.say("the engine runs, and starts at each login");
  if (!lingers()) call.terminal.say("it stops when you log out; to keep it: loginctl enable-linger");
  return kOk;
}

int uninstall(const Call& call) {
  const std::string path = config_home() + "/systemd/user/honeytel.service";
  if (!query::file_exists(path))
    return report(call.terminal,
                  {query::ProblemKind::not_found, "the service is not installed", path + " is not there", ""});
  static_cast<void>(systemctl({"disable", "--now", "honeytel.service"}));
  if (::unlink(path.c_str()) != 0)
    return report(call.terminal,
                  {query::ProblemKind::environment, "cannot remove " + path, "its directory cannot be written", ""});
  static_cast<void>(systemctl({"daemon-reload"}));
  call.terminal.say("removed " + path + "; what is stored stays");
  return kOk;
}

int run_here(const Call& call, const std::string& home) {
  std::string why;
  engine::EngineOptions options;
  options.home = home;
  if (const auto newer = newer_store(home)) return report(call.terminal, *newer);
  const auto engine = engine::Engine::start(options, why);
  if (!engine)
    return report(call.terminal, {query::ProblemKind::environment, "the engine cannot use " + home, why,
                                  "honeytel doctor looks for the cause"});
  running.store(engine.get());
  struct sigaction action {};
  action.sa_handler = stop_engine;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  const query::EngineStatus other = query::read_engine(home);
  if (other.mode == "agent")
    call.terminal.say("an engine leads already (pid " + std::to_string(other.pid) +
                      "): this one waits, and takes over if it ends");
  else call.terminal.say("stores what is recorded under " + home + "; Ctrl-C ends");
  engine->run();
  running.store(nullptr);
  return kOk;
}

int run(Call& call) {
  const auto home = call.home();
  if (!home.ok()) return report(call.terminal, home.problem());
  if (call.has("install") && call.has("uninstall"))
    return report(call.terminal, usage_problem("--install or --uninstall, not both"));
  if (call.has("install")) return install(call, home.value());
  if (call.has("uninstall")) return uninstall(call);
  return run_here(call, home.value());
}

constexpr Option kOptions[] = {
    {"install", "", "Write and start a systemd user service"},
    {"uninstall", "", "Stop and remove it"},
};

}  // namespace

extern const Command kAgent{.name = "agent",
                            .summary = "The engine: stores what programs record",
                            .usage = "[--install|--uninstall]",
                            .about =
                                "Runs in the foreground until Ctrl-C or SIGTERM. Any number may start: one leads, "
                                "another takes over\nwithin 2 s of its death. Programs record whether one runs or not.",
                            .example = "honeytel agent\nhoneytel agent --install",
                            .options = kOptions,
                            .run = run};

}  // namespace honeylink::telemetry::cli
