// run/recorder.opts: what recorders need from config.toml, in binary, so that an application parses no TOML. Written
// whole (rename) by the engine when it starts and when the configuration changes; read by start() and, by its number,
// at most once a second after a chunk switch. All fields have a default; a missing or unsound file means the defaults.
#pragma once
#include <cstdint>
#include <limits>
#include <string>

namespace honeylink::telemetry::ring {

inline constexpr std::uint64_t kRecorderOptsMagic = 0x3153'5450'4f4c'4800ULL;  // "\0HLOPTS1"
inline constexpr std::uint32_t kSlowLimitsMax = 64;

/// A histogram whose observations above `limit` mark the span in which they were made (DESIGN 9: the orange
/// thresholds). kKeepsExemplar: a counter that is an SLI's numerator and keeps an exemplar; recorders that do not know
/// this read a limit that nothing is above.
inline constexpr double kKeepsExemplar = std::numeric_limits<double>::infinity();
struct SlowLimit {
  char metric[64] = {};  // name, NUL-terminated
  double limit = 0;      // in the metric's unit
};

enum class SamplerOption : std::uint32_t {
  unset = 0,
  always_on = 1,
  always_off = 2,
  ratio = 3,
  parent_based_always_on = 4,
  parent_based_ratio = 5
};

struct RecorderOpts {
  std::uint64_t magic = kRecorderOptsMagic;
  std::uint32_t version = 1;
  std::uint32_t bytes = sizeof(RecorderOpts);
  char environment[64] = "production";
  SamplerOption sampler = SamplerOption::unset;  // unset: by environment
  std::uint32_t retroactive = 1;
  double sampler_arg = 0.1;
  std::uint64_t ring_bytes = 0;  // 0: the default
  std::uint32_t slow_limit_count = 0;
  std::uint32_t crc = 0;  // crc32c of the whole with this field 0
  SlowLimit slow_limits[kSlowLimitsMax];
};

/// The defaults with the built-in orange thresholds of DESIGN 9.
[[nodiscard]] RecorderOpts default_recorder_opts() noexcept;
/// False: missing or unsound; `opts` then holds the defaults.
bool read_recorder_opts(const std::string& home, RecorderOpts& opts) noexcept;
bool write_recorder_opts(const std::string& home, RecorderOpts opts, std::string& why) noexcept;

}  // namespace honeylink::telemetry::ring
