// otlp_recorder: an application at a steady rate whose events carry marks, for the figures of the export
// (interop/figures.py). Built on the public library alone.
//
// Usage: otlp_recorder SECONDS SPANS_PER_S COUNTS_PER_S LINES_PER_S MARKS
// Spans carry "n" (0, 1, …) and "mark" (CLOCK_MONOTONIC ns right before end()); the i-th add to the counter
// "marked_total" happens at the i-th time in MARKS (little-endian int64 of the same clock). Prints what was recorded,
// as JSON.
#include <honeylink/telemetry.h>
#include <time.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <vector>

namespace tel = honeylink::telemetry;

namespace {

constinit tel::Counter marked{"marked_total", "{event}"};

std::int64_t now_ns() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * std::int64_t{1'000'000'000} + now.tv_nsec;
}

void pause_ns(std::int64_t ns) {
  const timespec pause{0, ns};
  ::nanosleep(&pause, nullptr);
}

/// How many of a rate are due.
struct Pace {
  double per_second = 0;
  std::int64_t done = 0;
  [[nodiscard]] bool due(std::int64_t elapsed_ns) const {
    return static_cast<double>(done) < static_cast<double>(elapsed_ns) / 1e9 * per_second;
  }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    std::fprintf(stderr, "usage: otlp_recorder SECONDS SPANS_PER_S COUNTS_PER_S LINES_PER_S MARKS\n");
    return 2;
  }
  const auto seconds = std::atof(argv[1]);
  Pace spans{std::atof(argv[2])}, counts{std::atof(argv[3])}, lines{std::atof(argv[4])};
  tel::start({.resource = {.service_name = "paced"}, .sampler = tel::Sampler::always_on()});
  std::vector<std::int64_t> marks;
  marks.reserve(static_cast<std::size_t>(seconds * counts.per_second) + 1);
  const std::int64_t begin = now_ns();
  const auto all = static_cast<std::int64_t>(seconds * 1e9);
  for (std::int64_t elapsed = 0; elapsed < all; elapsed = now_ns() - begin) {
    for (; counts.due(elapsed); ++counts.done) marks.push_back(now_ns()), marked.add(1);
    for (; spans.due(elapsed); ++spans.done) {
      auto span = tel::start_span("paced.work", {{"n", spans.done}});
      span.set_attribute("mark", now_ns());
      span.end();
    }
    for (; lines.due(elapsed); ++lines.done) tel::log_info("paced.line", {{"n", lines.done}});
    pause_ns(1'000'000);
  }
  std::ofstream(argv[5], std::ios::binary)
      .write(reinterpret_cast<const char*>(marks.data()), static_cast<std::streamsize>(marks.size() * sizeof marks[0]));
  std::printf("{\"spans\":%lld,\"counts\":%lld,\"lines\":%lld,\"seconds\":%.3f}\n", static_cast<long long>(spans.done),
              static_cast<long long>(counts.done), static_cast<long long>(lines.done),
              static_cast<double>(now_ns() - begin) / 1e9);
}
