// Records with its own sequence numbers on three threads and tells, after every call, on a shared page what it has
// recorded. Killed by kill_app_test.cc at any instant, or it ends by itself after a minute. Arguments: the page's file,
// the ring's bytes.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>
#include <vector>

#include "honeylink/telemetry.h"
#include "killed_app.h"

namespace tel = honeylink::telemetry;

namespace {

constinit tel::Counter adds{"killed.adds", "1"};
constinit tel::Counter labelled{"killed.labelled", "1"};
constinit tel::Histogram values{"killed.values", "1"};

void work(Told& told, std::int64_t thread) {
  std::int64_t n = 0;
  for (std::int64_t round = 0;; ++round) {
    tel::Span lasting = tel::start_span("lasting", {{"thread", thread}});
    lasting.set_attribute("round", round);
    told.open_round.store(round + 1);
    for (int i = 0; i < 40; ++i, ++n) {
      tel::log_info("log", {{"thread", thread}, {"n", n}, {"text", "some text that makes chunks full sooner"}});
      told.logs.store(static_cast<std::uint64_t>(n) + 1);
      {
        const auto span = tel::scoped_span("span", {{"thread", thread}, {"n", n}});
        if (n % 8 == 0)
          span->set_attribute(
                  "long", "012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789")
              .add_event("e", {{"x", 1}});
      }
      told.spans.store(static_cast<std::uint64_t>(n) + 1);
      adds.add(1);
      told.adds.store(static_cast<std::uint64_t>(n) + 1);
      labelled.add(1, {{"n", n % 50}});
      told.labelled.store(static_cast<std::uint64_t>(n) + 1);
      values.record(static_cast<double>(n % 1000) * (n % 7 == 0 ? 1e-6 : 1.0));
      told.values.store(static_cast<std::uint64_t>(n) + 1);
    }
    told.open_round.store(0);
    lasting.end();
    told.lasting.store(static_cast<std::uint64_t>(round) + 1);
  }
}

}  // namespace

int main(int, char** argv) {
  const int file = open(argv[1], O_RDWR | O_CLOEXEC);
  void* page = mmap(nullptr, sizeof(SidePage), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (page == MAP_FAILED) return 2;
  auto& side = *static_cast<SidePage*>(page);
  alarm(60);
  tel::Options options;
  options.buffer_bytes = static_cast<std::size_t>(std::strtoull(argv[2], nullptr, 10));
  options.sampler = tel::Sampler::always_on();
  if (!tel::start(options).ok()) return 3;
  for (std::int64_t t = 0; t < kTellingThreads; ++t) std::thread(work, std::ref(side.told[t]), t).detach();
  side.ready.store(1);
  for (;;) pause();
}
