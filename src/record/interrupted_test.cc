// A signal handler between any two instructions of a warm recording call: the processor's trap flag steps through the
// call, and at the n-th instruction the handler does what is to be borne. Not beside a sanitizer: its own code is no
// place to fork.
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include <cstddef>

#include "honeylink/testing.h"
#include "record/process.h"
#include "ring/layout.h"

namespace honeylink::telemetry {
namespace {

constexpr greg_t kTrapFlag = 0x100;
volatile int steps, fire_at;
volatile bool fired;
void (*at_the_step)();

void on_step(int, siginfo_t*, void* context) {
  if (steps != fire_at) {
    steps = steps + 1;
    return;
  }
  steps = steps + 1;
  fired = true;
  static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_EFL] &= ~kTrapFlag;
  at_the_step();
}

// Once interrupted at its n-th instruction; false where it has fewer.
bool stepped(int n, void (*call)()) {
  struct sigaction action {
  }, before{};
  action.sa_sigaction = on_step, action.sa_flags = SA_SIGINFO | SA_NODEFER;
  sigaction(SIGTRAP, &action, &before);
  steps = 0;
  fire_at = n;
  fired = false;
  __asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq" : : : "memory", "cc");
  call();
  __asm__ volatile("pushfq; andq $~0x100, (%%rsp); popfq" : : : "memory", "cc");
  sigaction(SIGTRAP, &before, nullptr);
  return fired;
}

constinit Histogram torn{"test.interrupted.torn", "1"};

TEST(Interrupted, AHandlerThatWidensTheBucketsNeverMakesAnObservationLandBesideThem) {
  int n = 0;
  for (bool more = true; more && n < 400; ++n) {
    const testing::Capture capture;
    torn.record(1.0), torn.record(1.5), torn.record(1.2);
    at_the_step = [] { torn.record(1e-9); };
    more = stepped(n, [] { torn.record(1e9); });
    const auto& cells = internal::thread_cells;
    const auto series = reinterpret_cast<const internal::Instrument&>(torn).series;
    const std::uint64_t offset = cells.base[series];
    const auto& cell = *reinterpret_cast<const internal::HistogramCell*>(cells.area + offset);
    const auto& block = *reinterpret_cast<const ring::HistogramBlock*>(cells.area + offset);
    const std::uint32_t bank = ring::bank_offset_of(block.bank.load());
    const auto& header = *reinterpret_cast<const ring::BlockHeader*>(cells.area + bank);
    const auto* first = reinterpret_cast<const std::uint32_t*>(cells.area + bank + ring::kBankHeaderBytes);
    const std::uint32_t* bucket = internal::BucketPlace{cell.place}.bucket(
        cells.area, internal::biased_bucket_index(std::bit_cast<std::uint64_t>(1e9)));
    ASSERT_GE(bucket, first) << "step " << n;
    ASSERT_LT(bucket, first + header.count) << "step " << n;
  }
  EXPECT_GT(n, 20);
}

constinit Counter counted{"test.interrupted.counted", "1"};
constinit Histogram measured{"test.interrupted.measured", "1"};

// The child goes on where its handler forked, and ends in peace.
void fork_at_each_step(void (*call)()) {
  const testing::Capture capture;
  for (int i = 0; i < 3; ++i) call();
  static volatile pid_t child;
  at_the_step = [] { child = fork(); };
  int n = 0;
  for (bool more = true; more && n < 3'000; ++n) {
    child = -1;
    more = stepped(n, call);
    if (child == 0) _exit(0);
    if (!more) break;
    ASSERT_GT(child, 0);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "step " << n << ", status " << status;
  }
  EXPECT_GT(n, 3);
  EXPECT_LT(n, 3'000);
}

TEST(Interrupted, AHandlerMayForkWithinAMetricsCall) {
  fork_at_each_step([] { counted.add(1); });
  fork_at_each_step([] { measured.record(1.5); });
}

TEST(Interrupted, AHandlerMayForkWithinASpan) {
  fork_at_each_step([] { const Span span = start_span("step", {{"a", 1}, {"b", "two"}}); });
  fork_at_each_step([] { const ScopedSpan span = scoped_span("step", {{"a", 1}}); });
}

TEST(Interrupted, AHandlerMayForkWithinALogCall) {
  fork_at_each_step([] { log_info("step", {{"a", 1}, {"b", "two"}}); });
}

}  // namespace
}  // namespace honeylink::telemetry
#endif
