// For the kill tests: records spans, logs and counts at a steady pace and keeps an account of them in a mapped file,
// before and after each call, so that the account survives a kill. Usage: steady_recorder HOME ACCOUNT [all]. Ends when
// the account says stop. all: every span is kept and nothing is flushed, for the power cut.
#include <fcntl.h>
#include <honeylink/telemetry.h>
#include <sys/mman.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <thread>

#include "../account.h"

namespace tel = honeylink::telemetry;
constinit tel::Counter calls{"steady.calls", "{call}"};
constinit tel::DurationHistogram spent{"steady.spent", "s"};
constinit tel::Tracer tracer;

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const bool all = argc > 3;
  const int fd = open(argv[2], O_RDWR | O_CLOEXEC);
  auto* account = static_cast<Account*>(mmap(nullptr, sizeof(Account), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
  if (account == MAP_FAILED) return 3;
  const auto status = tel::start({.resource = {.service_name = "steady"},
                                  .home = argv[1],
                                  .sampler = all ? tel::Sampler::always_on() : tel::Sampler::trace_id_ratio(0.5)});
  if (!status.ok())
    return std::fprintf(stderr, "%.*s\n", static_cast<int>(status.message().size()), status.message().data()), 4;
  account->ready = 1;
  for (std::uint64_t n = 0; account->stop == 0; ++n) {
    account->spans_begun = n + 1;
    {
      const auto span = tracer.scoped_span("steady.step", {{"n", n}});
      if (n % 16 == 0) span->set_error("every sixteenth");
    }
    account->spans_done = n + 1;
    account->logs_begun = n + 1;
    tel::log_info("steady.line", {{"n", n}});
    account->logs_done = n + 1;
    account->counts_begun = n + 1;
    calls.add(1);
    account->counts_done = n + 1;
    spent.record(std::chrono::microseconds(n % 1000));
    if (!all && n % 64 == 63) (void)tel::flush(std::chrono::milliseconds(50));
    std::this_thread::sleep_for(std::chrono::microseconds(300));
  }
  return 0;
}
