// Counters that are an SLI's numerator remember a span in which they counted (DESIGN 5), so that an alert about a ratio
// has a trace to show. Such a series has a number of its own kind, beyond every thread's cells: its increments take the
// slow path of cells.cc (≈ 20 ns), and all others pay nothing, not even a branch.
#pragma once
#include <cstdint>

#include "base/limits.h"
#include "honeylink/internal/cells.h"
#include "ring/recorder_opts.h"

namespace honeylink::telemetry::internal {

// kKeepsExemplar | number of the counter's name among those that the engine asks for:7 << 16 | number of the series:16
inline constexpr std::uint32_t kKeepsExemplar = 0x8000'0000U;
static_assert(kSeriesMax <= 0x1'0000U && ring::kSlowLimitsMax <= 0x80U);

[[nodiscard]] constexpr bool keeps_exemplar(std::uint32_t series) noexcept {
  return (series & kKeepsExemplar) != 0 && series != kNoSeries;
}
/// The number that the ring knows.
[[nodiscard]] constexpr std::uint32_t plain_series(std::uint32_t series) noexcept {
  return keeps_exemplar(series) ? series & 0xffffU : series;
}
[[nodiscard]] constexpr std::uint32_t with_exemplar(std::uint32_t series, std::uint32_t name) noexcept {
  return kKeepsExemplar | name << 16 | series;
}

/// This increment happened now, in the current span if there is one. Any thread: who comes while another writes leaves
/// it at that. The first in an interval and larger ones are kept.
void keep_exemplar(std::uint32_t series, double value) noexcept;

}  // namespace honeylink::telemetry::internal
