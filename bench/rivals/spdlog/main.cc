// The rival spdlog (Debian's): an async logger whose sink counts and drops, so that what is measured is the caller's
// part. Same rules as the Rust rival: pinned threads, thread-CPU time, blocks smaller than the queue, and after each
// the background thread may finish. Built by bench/run.sh alone. Usage: rival-spdlog [SECONDS of measuring for each
// line, default 0.2]
#include <pthread.h>
#include <spdlog/async.h>
#include <spdlog/sinks/base_sink.h>
#include <time.h>

#include <atomic>
#include <barrier>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <thread>
#include <vector>

namespace {

constexpr std::size_t kQueue = 16'384;
constexpr std::uint64_t kBlock = 1'024, kWarmUp = 100'000;

class CountingSink : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  std::atomic<std::uint64_t> arrived{0};

 protected:
  void sink_it_(const spdlog::details::log_msg&) override { arrived.fetch_add(1); }
  void flush_() override {}
};

std::uint64_t thread_cpu_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(now.tv_nsec);
}

void pin(unsigned core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core, &set);
  ::pthread_setaffinity_np(::pthread_self(), sizeof set, &set);
}

void measure(spdlog::logger& logger, const CountingSink& sink, unsigned threads, double seconds) {
  std::barrier meeting(static_cast<std::ptrdiff_t>(threads));
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> spent_ns{0}, operations{0};
  const auto work = [&](unsigned index) {
    pin(index);
    std::uint64_t spent = 0, done = 0;
    std::int64_t i = 0;
    for (std::uint64_t round = 0; !stop; ++round) {
      const std::uint64_t arrived_before = sink.arrived;
      meeting.arrive_and_wait();
      const std::uint64_t before = thread_cpu_ns();
      for (std::uint64_t n = 0; n < kBlock; ++n) logger.info("bench.log i={} ratio={} text={}", ++i, 0.5, "abc");
      const std::uint64_t block = thread_cpu_ns() - before;
      meeting.arrive_and_wait();
      if (round * kBlock >= kWarmUp) spent += block, done += kBlock;
      if (index == 0) {
        while (sink.arrived < arrived_before + threads * kBlock)
          std::this_thread::sleep_for(std::chrono::microseconds(50));
        stop = static_cast<double>(spent) >= seconds * 1e9;
      }
      meeting.arrive_and_wait();
    }
    spent_ns += spent, operations += done;
  };
  std::vector<std::thread> workers;
  for (unsigned i = 0; i < threads; ++i) workers.emplace_back(work, i);
  for (std::thread& worker : workers) worker.join();
  std::printf("{\"name\":\"LogThreeFields\",\"threads\":%u,\"ns\":%.3f}\n", threads,
              static_cast<double>(spent_ns) / static_cast<double>(operations));
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 0.2;
  spdlog::init_thread_pool(kQueue, 1);
  const auto sink = std::make_shared<CountingSink>();
  const auto logger = std::make_shared<spdlog::async_logger>("bench", sink, spdlog::thread_pool(),
                                                             spdlog::async_overflow_policy::block);
  measure(*logger, *sink, 1, seconds);
  measure(*logger, *sink, 2, seconds);
}
