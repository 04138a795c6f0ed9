// Applications that record in a forked child of the test, which itself never records; their rings are read when they
// are dead. Shared by fault_record_test.cc and fault_arithmetic_test.cc.
#pragma once
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <functional>

#include "honeylink/telemetry.h"
#include "ring_contents.h"

namespace honeylink::telemetry::tests {

inline constinit Counter hits{"fault.hits", "1"};

struct Ended {
  int status = 0;
  std::string said;  // on stderr
  [[nodiscard]] bool exited(int code) const { return WIFEXITED(status) && WEXITSTATUS(status) == code; }
  [[nodiscard]] bool killed_by(int signal) const { return WIFSIGNALED(status) && WTERMSIG(status) == signal; }
  [[nodiscard]] long lines() const { return std::count(said.begin(), said.end(), '\n'); }
};

/// Runs `application` in a child, which ends with _exit(what it returns) unless it ends by itself.
inline Ended run(const TestHome& home, const std::function<int()>& application) {
  const std::string said = home.path() + "/stderr";
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);
    const int file = ::open(said.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0600);
    dup2(file, STDERR_FILENO);
    _exit(application());
  }
  Ended ended;
  waitpid(child, &ended.status, 0);
  std::ifstream in(said);
  ended.said.assign(std::istreambuf_iterator<char>(in), {});
  return ended;
}

inline Status start_small() {
  Options options;
  options.buffer_bytes = kRingBytesMin;
  options.sampler = Sampler::always_on();
  return start(options);
}

inline void expect_sound(const std::vector<RingContents>& rings) {
  for (const RingContents& ring : rings)
    for (const std::string& what : ring.unsound) ADD_FAILURE() << ring.name << ": " << what;
}

inline void record_some(int n) {
  for (int i = 0; i < n; ++i) {
    hits.add(1);
    const auto span = scoped_span("span", {{"i", i}});
    log_info("log", {{"i", i}});
  }
}

}  // namespace honeylink::telemetry::tests
