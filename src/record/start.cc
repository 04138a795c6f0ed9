// start() and flush(). Order of a start: options and environment, resource, ring file, then the ring becomes current
// and what was recorded before it is made visible to the tools as a ring of its own.
#include "record/start.h"

#include <fcntl.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>

#include "base/file.h"
#include "base/limits.h"
#include "honeylink/log.h"
#include "honeylink/telemetry.h"
#include "record/count.h"
#include "record/resource.h"
#include "record/rings.h"
#include "record/sampler.h"
#include "record/slow_limits.h"
#include "record/span_access.h"
#include "record/stay_loaded.h"
#include "ring/home.h"
#include "ring/recorder_opts.h"

namespace honeylink::telemetry {
namespace internal {
namespace {

struct Started {  // what the first start() decided, for later ones, for children and for rings that replace a removed
                  // one
  std::uint64_t ring_bytes = kRingBytesDefault;
  bool retroactive_keep = true;
};
constinit Started started_with{};

std::string_view environment_variable(const char* name) noexcept {
  const char* value = secure_getenv(name);
  return value != nullptr ? std::string_view(value) : std::string_view();
}

// OpenTelemetry, "Configuration types": booleans and enumerations are read without regard to case.
bool is_word(std::string_view value, std::string_view word) noexcept {
  return value.size() == word.size() && strncasecmp(value.data(), word.data(), word.size()) == 0;
}

enum class Wish { none, on, off };
Wish owner_wish() noexcept {
  const std::string_view telemetry = environment_variable("HONEYLINK_TELEMETRY");
  if (telemetry == "off" || telemetry == "0" || is_word(environment_variable("OTEL_SDK_DISABLED"), "true"))
    return Wish::off;
  return telemetry == "on" || telemetry == "1" ? Wish::on : Wish::none;
}

double share_of(std::string_view text, double otherwise) noexcept {
  double share = 0;  // not strtod: it reads "0.5" by the application's locale
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), share);
  return error == std::errc() && end == text.data() + text.size() && share >= 0 && share <= 1 ? share : otherwise;
}

// OpenTelemetry, "General SDK configuration": OTEL_TRACES_SAMPLER and OTEL_TRACES_SAMPLER_ARG.
bool sampler_from_environment(Sampler& sampler) noexcept {
  const std::string_view name = environment_variable("OTEL_TRACES_SAMPLER");
  const double share = share_of(environment_variable("OTEL_TRACES_SAMPLER_ARG"), 1.0);
  if (is_word(name, "always_on")) sampler = Sampler::always_on();
  else if (is_word(name, "always_off")) sampler = Sampler::always_off();
  else if (is_word(name, "traceidratio")) sampler = Sampler::trace_id_ratio(share);
  else if (is_word(name, "parentbased_always_on")) sampler = Sampler::parent_based(Sampler::always_on());
  else if (is_word(name, "parentbased_always_off")) sampler = Sampler::parent_based(Sampler::always_off());
  else if (is_word(name, "parentbased_traceidratio")) sampler = Sampler::parent_based(Sampler::trace_id_ratio(share));
  else return false;
  return true;
}

// Environment variables win over start()'s options, these over config.toml, that over the environment's default.
Sampler choose_sampler(const Options& options, const ring::RecorderOpts& opts, std::string_view environment) noexcept {
  Sampler sampler = options.sampler;
  if (sampler_from_environment(sampler)) return sampler;
  if (options.sampler.kind() != Sampler::Kind::by_environment) return options.sampler;
  switch (opts.sampler) {
    case ring::SamplerOption::always_on:
      return Sampler::always_on();
    case ring::SamplerOption::always_off:
      return Sampler::always_off();
    case ring::SamplerOption::ratio:
      return Sampler::trace_id_ratio(opts.sampler_arg);
    case ring::SamplerOption::parent_based_always_on:
      return Sampler::parent_based(Sampler::always_on());
    case ring::SamplerOption::parent_based_ratio:
      break;
    case ring::SamplerOption::unset:
      break;
  }
  if (environment == "development") return Sampler::always_on();
  return Sampler::parent_based(Sampler::trace_id_ratio(opts.sampler_arg));
}

const char* first_wrong_option(const Options& options) noexcept {
  if (!(options.sampler.share() >= 0.0 && options.sampler.share() <= 1.0))
    return "sampler: the share must be between 0 and 1";
  if (options.buffer_bytes < kRingBytesMin || options.buffer_bytes > kRingBytesMax)
    return "buffer_bytes: must be between 256 KiB and 1 GiB";
  return nullptr;
}

// Texts of a Status are static: the last sentence is kept here, for the process's life.
constinit char last_words[512]{};
Status say(Error error, std::string_view sentence, std::string_view detail) noexcept {
  std::size_t size = 0;
  const auto put = [&](std::string_view text) {
    for (const char c : text)
      if (size < sizeof last_words - 1) last_words[size++] = c;
  };
  put(sentence);
  if (!detail.empty()) put(": "), put(detail);
  last_words[size] = '\0';
  if (error == Error::home_unusable || error == Error::memory_file_failed)
    count_and_say(ProcessCounter::memory_only, sentence, detail);
  return {error, {last_words, size}};
}

std::uint64_t ring_bytes_for(const Options& options, const ring::RecorderOpts& opts) noexcept {
  const bool defaulted = options.buffer_bytes == kRingBytesDefault;
  const std::uint64_t bytes = defaulted && opts.ring_bytes >= kRingBytesMin && opts.ring_bytes <= kRingBytesMax
                                  ? opts.ring_bytes
                                  : options.buffer_bytes;
  return (bytes + kChunkBytes - 1) / kChunkBytes * kChunkBytes;
}

LogLevel log_level(const Options& options) noexcept {
  const std::string_view name = environment_variable("HONEYLINK_LOG_LEVEL");
  if (name == "debug") return LogLevel::debug;
  if (name == "info") return LogLevel::info;
  if (name == "warn") return LogLevel::warn;
  if (name == "error") return LogLevel::error;
  if (name == "off") return LogLevel::off;
  return options.min_log_level;
}

Status start_locked(const Options& options) {
  if (const char* wrong = first_wrong_option(options); wrong != nullptr) return say(Error::invalid_option, wrong, {});
  if (process.started)
    return say(Error::already_started, "start() was called before; the first call's options stay in force", {});
  std::string home = ring::home_path(std::string(options.home));
  if (home.empty()) return say(Error::home_unusable, "no home directory: set HONEYLINK_HOME", {});
  process.home = new std::string(std::move(home));
  process.started = true;
  ring::RecorderOpts opts;
  ring::read_recorder_opts(*process.home, opts);
  const std::string environment = set_resource(options.resource, opts.environment);
  set_slow_limits(opts);
  started_with.retroactive_keep = options.retroactive_keep && opts.retroactive != 0;
  started_with.ring_bytes = ring_bytes_for(options, opts);
  set_sampling(choose_sampler(options, opts, environment), started_with.retroactive_keep);
  set_min_log_level(log_level(options));
  exceptions_mark_spans = options.exceptions_mark_spans;
  Ring* before = process.current.load(std::memory_order_relaxed);
  Error error = Error::none;
  std::string why;
  Ring* ring = make_file_ring(started_with.ring_bytes, error, why);
  if (ring == nullptr) {
    if (before == nullptr) make_current(make_memory_ring(kRingBytesMin));
    return say(error, "recording goes to memory of this process only", why);
  }
  make_current(ring);
  if (before != nullptr && write_resource(*before)) publish_first_ring(*before);
  if (error != Error::none) return say(error, "no engine can use this home; what is recorded stays in the ring", why);
  return {};
}

}  // namespace

void begin_recording_locked() noexcept try {
  const Wish wish = owner_wish();
  if (process.started) {  // a fork child of a process that had started
    Error error = Error::none;
    std::string why;
    Ring* ring = make_file_ring(started_with.ring_bytes, error, why);
    return make_current(ring != nullptr ? ring : make_memory_ring(kRingBytesMin));
  }
  if (wish == Wish::off) {
    __atomic_store_n(&tracing_on, 0, __ATOMIC_RELAXED);
    set_min_log_level(LogLevel::off);
  }
  if (wish == Wish::on && (start_locked({}), process.current.load(std::memory_order_relaxed) != nullptr)) return;
  make_current(make_first_ring());
} catch (...) { make_current(make_memory_ring(kRingBytesMin)); }

}  // namespace internal

Status start(const Options& options) noexcept try {
  internal::stay_loaded();
  const internal::Locked locked;
  if (internal::owner_wish() == internal::Wish::off) {
    __atomic_store_n(&internal::tracing_on, 0, __ATOMIC_RELAXED);
    set_min_log_level(LogLevel::off);
    return {};
  }
  internal::prepare_process();
  return internal::start_locked(options);
} catch (...) { return {Error::memory_file_failed, "out of memory: recording goes to memory of this process only"}; }

Status flush(Duration deadline) noexcept {
  using internal::process;
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  const auto ns_of = [](const timespec& t) { return t.tv_sec * 1'000'000'000LL + t.tv_nsec; };
  const std::int64_t until = ns_of(now) + deadline.ns;
  std::uint64_t requests[internal::kRingsPerProcess] = {};
  const std::uint32_t rings = process.ring_count.load(std::memory_order_acquire);
  bool any = false;
  for (std::uint32_t i = 0; i < rings; ++i) {
    if (!process.rings[i]->has_file) continue;
    any = true;
    requests[i] = process.rings[i]->map.header().flush_request.fetch_add(1, std::memory_order_acq_rel) + 1;
  }
  if (!any) return {Error::no_engine, "nothing is recorded to a file: call start() first"};
  for (std::uint32_t i = 0; i < rings; ++i)
    if (requests[i] != 0) ring::ring_doorbell(*process.rings[i]->bell);
  for (;;) {
    bool done = true;
    for (std::uint32_t i = 0; i < rings; ++i)
      done &=
          requests[i] == 0 || process.rings[i]->map.header().flush_done.load(std::memory_order_acquire) >= requests[i];
    if (done) return {};
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (ns_of(now) >= until) break;
    const timespec pause{0, 1'000'000};
    nanosleep(&pause, nullptr);
  }
  const int lock =
      process.home != nullptr ? open((*process.home + "/run/engine.lock").c_str(), O_RDONLY | O_CLOEXEC) : -1;
  const bool engine = lock >= 0 && is_locked(lock);
  if (lock >= 0) close(lock);
  if (!engine)
    return {Error::no_engine, "no engine runs for this home (start honeytel agent); the records wait in the ring"};
  return {Error::deadline_exceeded,
          "the engine had not taken everything over in time; nothing is lost, it is still in the ring"};
}

}  // namespace honeylink::telemetry
