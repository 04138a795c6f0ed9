// The click on a toast: see open_trace.h.
#include "alert/open_trace.h"

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstdlib>
#include <vector>

extern char** environ;

namespace honeylink::telemetry::alert {
namespace {

// The shell leaves at once: what it started belongs to nobody here, and no child is left to wait for.
constexpr const char* kInBackground = "\"$@\" </dev/null >/dev/null 2>&1 &";

}  // namespace

bool open_trace(const std::string& tool, const std::string& home, const std::string& trace_id) {
  std::vector<std::string> words{"/bin/sh", "-c", kInBackground, "sh"};
  // A systemd unit's restrictions would hold for a browser too: the manager starts it outside.
  if (std::getenv("INVOCATION_ID") != nullptr) {
    for (const char* word : {"systemd-run", "--user", "--quiet", "--collect", "--"}) words.emplace_back(word);
  }
  // Nobody will press Ctrl-C in it.
  for (const std::string& word :
       {tool, std::string("view"), "--home=" + home, "--trace=" + trace_id, std::string("--idle=1h")})
    words.push_back(word);
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawnattr_t attributes;
  if (::posix_spawnattr_init(&attributes) != 0) return false;
  sigset_t none, all;  // this thread has every signal blocked
  sigemptyset(&none);
  sigfillset(&all);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  pid_t shell = 0;
  const int failed = ::posix_spawn(&shell, words[0].c_str(), nullptr, &attributes, arguments.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  if (failed != 0) return false;
  int status = 0;
  while (::waitpid(shell, &status, 0) < 0) {
    if (errno != EINTR) return true;  // a host that ignores SIGCHLD: its children are reaped for it
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace honeylink::telemetry::alert
