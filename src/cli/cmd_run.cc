// honeytel run -- CMD: a span around a command. The command sees TRACEPARENT, so that its own spans become children.
#include <honeylink/telemetry.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>

#include "base/limits.h"
#include "base/text.h"
#include "cli/commands.h"

extern char** environ;

namespace honeylink::telemetry::cli {
namespace {

std::string upper(std::string_view name) {
  std::string result(name);
  for (char& c : result) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return result;
}

/// The environment of the command: ours, with the context of its span and recording switched on.
std::vector<std::string> environment_of(const Context& context, const std::string& home) {
  std::vector<std::string> added{"HONEYLINK_TELEMETRY=on", "HONEYLINK_HOME=" + home};
  inject(
      [&](std::string_view name, std::string_view value) { added.push_back(upper(name) + "=" + std::string(value)); },
      context);
  std::vector<std::string> result;
  for (char** at = environ; *at != nullptr; ++at) {
    const std::string_view variable = *at;
    const std::string_view name = variable.substr(0, variable.find('=') + 1);
    bool replaced = name == "TRACEPARENT=" || name == "TRACESTATE=" || name == "BAGGAGE=";
    for (const std::string& own : added) replaced = replaced || (!name.empty() && own.starts_with(name));
    if (!replaced) result.emplace_back(variable);
  }
  result.insert(result.end(), added.begin(), added.end());
  return result;
}

int spawn(const std::vector<std::string>& words, const std::vector<std::string>& environment, pid_t& pid) {
  std::vector<char*> argv, envp;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  for (const std::string& variable : environment) envp.push_back(const_cast<char*>(variable.c_str()));
  argv.push_back(nullptr), envp.push_back(nullptr);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  sigset_t defaults;
  ::sigemptyset(&defaults);
  ::sigaddset(&defaults, SIGINT), ::sigaddset(&defaults, SIGQUIT);
  ::posix_spawnattr_setsigdefault(&attributes, &defaults);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  const int code = ::posix_spawnp(&pid, argv[0], nullptr, &attributes, argv.data(), envp.data());
  ::posix_spawnattr_destroy(&attributes);
  return code;
}

/// Exit code as a shell gives it.
int finish(const Span& span, int status, const rusage& usage) {
  span.set_attributes({{"process.cpu.user_ms", usage.ru_utime.tv_sec * 1000 + usage.ru_utime.tv_usec / 1000},
                       {"process.cpu.system_ms", usage.ru_stime.tv_sec * 1000 + usage.ru_stime.tv_usec / 1000},
                       {"process.memory.max_kb", usage.ru_maxrss}});
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    const char* name = ::sigabbrev_np(signal);
    const std::string text = name == nullptr ? std::to_string(signal) : std::string("SIG") + name;
    span.set_attribute("process.signal", text).set_error("ended by " + text);
    return 128 + signal;
  }
  const int code = WEXITSTATUS(status);
  span.set_attribute("process.exit.code", code);
  if (code != 0) span.set_error("exit code " + std::to_string(code));
  return code;
}

int run(Call& call) {
  if (call.arguments.empty())
    return report(call.terminal, usage_problem("which command?", {}, "honeytel run -- make -j4"));
  const auto home = call.home();
  if (!home.ok()) return report(call.terminal, home.problem());
  const std::string& program = call.arguments.front();
  std::string name = program.substr(program.rfind('/') + 1);
  name.resize(utf8_cut(name, kNameTextBytesMax));
  const std::string service = call.text("service", "shell");
  const Status status = start({.resource = {.service_name = service},
                               .home = home.value(),
                               .sampler = Sampler::always_on(),
                               .buffer_bytes = kRingBytesMin});
  if (!status.ok()) call.terminal.say("honeytel: not recorded: " + std::string(status.message()));
  const Context parent = context_from_environment();
  Span span = start_span(
      SpanName::runtime(name.empty() ? "command" : name),
      {{"process.executable.name", std::string_view(name)}, {"process.args.count", call.arguments.size() - 1}},
      {.parent = &parent});
  pid_t pid = 0;
  ::signal(SIGINT, SIG_IGN);  // the terminal sends it to the command too; we stay to write down how it ended
  ::signal(SIGQUIT, SIG_IGN);
  const int failed = spawn(call.arguments, environment_of(parent.with_span(span.context()), home.value()), pid);
  if (failed != 0) {
    span.set_error(std::strerror(failed));
    span.end();
    static_cast<void>(report(
        call.terminal, {query::ProblemKind::not_found, "cannot start '" + program + "'", std::strerror(failed), ""}));
    return failed == ENOENT ? 127 : 126;
  }
  span.set_attribute("process.pid", static_cast<std::int64_t>(pid));
  int ended = 0;
  rusage usage{};
  while (::wait4(pid, &ended, 0, &usage) < 0 && errno == EINTR) {}
  const int code = finish(span, ended, usage);
  span.end();
  const auto trace = span.context().trace_id().hex();
  if (call.has("verbose")) call.terminal.say("honeytel traces " + std::string(trace.data(), trace.size()));
  return code;
}

constexpr Option kOptions[] = {
    {"service", "NAME", "Who speaks (default: shell)"},
    {"verbose", "", "Say which trace it was, on stderr", {}, 'v'},
};

}  // namespace

extern const Command kRun{
    .name = "run",
    .summary = "Trace a command: a span with its exit code, time and memory",
    .usage = "[--service NAME] -- COMMAND [ARGUMENTS]",
    .about =
        "Exits as the command does (128 + signal where one ended it; 127 where it is not found). The command\ngets "
        "TRACEPARENT and HONEYLINK_TELEMETRY=on. Its arguments are not recorded: only how many.",
    .example = "honeytel run -- make -j4\nhoneytel run --service nightly -- ./backup.sh",
    .options = kOptions,
    .passes_on = true,
    .run = run};

}  // namespace honeylink::telemetry::cli
