// A program that only records, until its ring has been full twice over, and then tells its memory:
// {"rss_kib":N,"peak_kib":N}. Built by bench/run.sh against the installed library alone, so that neither engine nor
// benchmark library is in it.
#include <honeylink/telemetry.h>

#include <cstdio>
#include <cstring>

namespace tel = honeylink::telemetry;

namespace {
constinit tel::Counter requests{"bench.requests", "{request}"};
constinit tel::Histogram sizes{"bench.sizes", "By"};

long kib_of(const char* key) {
  long kib = -1;
  std::FILE* file = std::fopen("/proc/self/status", "r");
  if (file == nullptr) return kib;
  char line[256];
  while (std::fgets(line, sizeof line, file) != nullptr) {
    if (std::strncmp(line, key, std::strlen(key)) == 0) std::sscanf(line + std::strlen(key), "%ld", &kib);
  }
  std::fclose(file);
  return kib;
}
}  // namespace

int main() {
  if (!tel::start({.resource = {.service_name = "bench"}, .sampler = tel::Sampler::always_on()}).ok()) return 1;
  for (int i = 0; i < 200'000; ++i) {
    tel::start_span("bench.span", {{"i", i}, {"route", "/api/v1/users"}}).end();
    tel::log_info("bench.log", {{"i", i}, {"ratio", 0.5}, {"text", "abc"}});
    requests.add(1, {{"shard", i % 100}});
    sizes.record(static_cast<double>(i % 1'400 + 1), {{"shard", i % 100}});
  }
  std::printf("{\"rss_kib\":%ld,\"peak_kib\":%ld}\n", kib_of("VmRSS:"), kib_of("VmHWM:"));
}
