// See history_data.h.
#include "cli/history_data.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>
#include <string>

namespace honeylink::telemetry::cli {
namespace {

constexpr std::int64_t kHourTicks = 360;
constexpr std::int64_t kRegimeTicks = 17 * HistoryData::kDayTicks, kRestartTicks = 9 * HistoryData::kDayTicks + 77,
                       kGapTicks = 23 * HistoryData::kDayTicks + 1'234;
constexpr std::int64_t kLongGapBegin = 200 * HistoryData::kDayTicks + 4'000, kLongGap = 3 * HistoryData::kDayTicks;
constexpr std::int64_t kRestartSilence = 12;
constexpr std::size_t kPatterns = 16, kWholeDoubleEvery = 500;
constexpr double kObservationsMax = 100;

// SplitMix64's finisher: as good as random for neighbouring inputs.
constexpr std::uint64_t mixed(std::uint64_t a, std::uint64_t b) noexcept {
  std::uint64_t z = a * 0x9e37'79b9'7f4a'7c15ULL + b * 0xd1b5'4a32'd192'ed03ULL;
  z = (z ^ (z >> 30)) * 0xbf58'476d'1ce4'e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d0'49bb'1331'11ebULL;
  return z ^ (z >> 31);
}
double share(std::uint64_t bits) noexcept { return static_cast<double>(bits >> 11) * 0x1p-53; }
// About normal: four uniform numbers added, of mean 0 and deviation 1.
double noise(std::uint64_t bits) noexcept {
  const double sum =
      static_cast<double>((bits & 0xffff) + ((bits >> 16) & 0xffff) + ((bits >> 32) & 0xffff) + (bits >> 48));
  return (sum - 2 * 65'535.0) / 37'837.0;
}
std::uint64_t counted(double mean, std::uint64_t bits) noexcept {
  return static_cast<std::uint64_t>(std::max(0.0, std::nearbyint(mean + std::sqrt(mean) * noise(bits))));
}
std::uint64_t decimal(double value, double scale) noexcept {
  return std::bit_cast<std::uint64_t>(std::nearbyint(value * scale) / scale);
}

}  // namespace

HistoryData::HistoryData(std::size_t scalars, std::size_t histograms) : scalars_(scalars), histograms_(histograms) {
  day_.resize(kDayTicks);
  for (std::size_t i = 0; i < day_.size(); ++i) {
    const double turn = static_cast<double>(i) / static_cast<double>(kDayTicks) * 2 * std::numbers::pi;
    day_[i] = static_cast<float>(0.5 - 0.4 * std::cos(turn) - 0.1 * std::cos(2 * turn));
  }
}

MetricType HistoryData::kind(std::size_t series) const noexcept {
  if (series >= scalars_) return MetricType::histogram;
  if (series % kWholeDoubleEvery == kWholeDoubleEvery - 1) return MetricType::gauge;
  using enum MetricType;
  constexpr MetricType kKinds[kPatterns] = {counter, counter, counter, gauge, gauge,   gauge, up_down, counter_real,
                                            counter, gauge,   gauge,   gauge, counter, gauge, counter, gauge};
  return kKinds[series % kPatterns];
}

SeriesInfo HistoryData::info(std::size_t series) const {
  constexpr const char* kNames[kPatterns] = {"packets_total",    "io_bytes_total", "errors_total", "temperature",
                                             "queue_length",     "memory_bytes",   "sessions",     "busy_seconds",
                                             "heartbeats",       "cpu_percent",    "buffers_max",  "link_up",
                                             "reconnects_total", "disk_free",      "evictions",    "battery_percent"};
  SeriesInfo info;
  info.kind = kind(series);
  info.name = info.kind == MetricType::histogram                    ? "request_duration_seconds"
              : series % kWholeDoubleEvery == kWholeDoubleEvery - 1 ? "ratio"
                                                                    : kNames[series % kPatterns];
  info.unit = info.kind == MetricType::histogram ? "s" : "1";
  info.labels = {{"instance", std::to_string(series / kPatterns)}};
  if (info.kind == MetricType::histogram) info.labels = {{"route", std::to_string(series - scalars_)}};
  info.service_name = "history", info.module = "bench", info.environment = "development";
  return info;
}

bool HistoryData::is_silent(std::int64_t tick) const noexcept {
  if (tick >= kLongGapBegin && tick < kLongGapBegin + kLongGap) return true;
  if (tick >= kRestartTicks && tick % kRestartTicks < kRestartSilence) return true;
  if (tick < kGapTicks) return false;
  const auto hours = 2 + static_cast<std::int64_t>(mixed(static_cast<std::uint64_t>(tick / kGapTicks), 1) % 5);
  return tick % kGapTicks < hours * kHourTicks;
}

bool HistoryData::restarts_at(std::int64_t tick) const noexcept {
  return tick >= kRestartTicks && tick % kRestartTicks == 0;
}

// How busy: the hour of the day, the day of the week, and a regime that holds for weeks.
double HistoryData::level(std::size_t series, std::int64_t tick) const noexcept {
  const auto shifted = tick + static_cast<std::int64_t>(series % 97) * 1'531;
  const double regime =
      0.4 + 1.2 * share(mixed(series + 1'000'003, static_cast<std::uint64_t>(shifted / kRegimeTicks)));
  const double weekend = (tick / kDayTicks) % 7 >= 5 ? 0.5 : 1;
  return regime * (0.2 + weekend * static_cast<double>(day_[static_cast<std::size_t>(tick % kDayTicks)]));
}

bool HistoryData::scalar(std::size_t series, std::int64_t tick, std::uint64_t& value) const noexcept {
  const std::uint64_t bits = mixed(series, static_cast<std::uint64_t>(tick));
  if (series % kWholeDoubleEvery == kWholeDoubleEvery - 1) {
    value = std::bit_cast<std::uint64_t>(1 / (1 + share(bits)));
    return true;
  }
  switch (series % kPatterns) {
    case 0:
      value = counted(40 * level(series, tick), bits);
      return value != 0;
    case 1:
      value = counted(15 * level(series, tick), bits) * 1'200 + (bits >> 40) % 600;
      return value != 0;
    case 2:
      value = 1 + (bits >> 32) % 2;
      return bits % 30 == 0;
    case 3:
      value = decimal(40 + 10 * level(series, tick) + 0.3 * noise(bits), 10);
      return true;
    case 4:
      value =
          std::bit_cast<std::uint64_t>(static_cast<double>(mixed(series, static_cast<std::uint64_t>(tick / 5)) % 8));
      return true;
    case 5:
      value = std::bit_cast<std::uint64_t>(4'096 * std::nearbyint(25'000 * level(series, tick) + 4 * noise(bits)));
      return true;
    case 6:
      value = static_cast<std::uint64_t>(static_cast<std::int64_t>(bits % 7) - 3);
      return value != 0 && (bits >> 20) % 2 == 0;
    case 7:
      value = decimal(1.7 * level(series, tick) * (1 + 0.1 * noise(bits)), 1'000);
      return value != 0;
    case 8:
      value = 10;
      return true;
    case 10:  // a limit
      value = std::bit_cast<std::uint64_t>(512.0);
      return true;
    case 11:  // up, but for minutes now and then
      value = std::bit_cast<std::uint64_t>(mixed(series, static_cast<std::uint64_t>(tick / 60)) % 500 == 0 ? 0.0 : 1.0);
      return true;
    case 12:
      value = 1;
      return bits % 2'000 == 0;
    case 13: {  // files come and go every few minutes
      const auto files = mixed(series, static_cast<std::uint64_t>(tick / 40)) % 5'000;
      value = std::bit_cast<std::uint64_t>(
          4'096.0 * static_cast<double>(20'000'000 - tick / 30 - static_cast<std::int64_t>(files)));
      return true;
    }
    case 14:
      value = counted(0.6 * level(series, tick), bits);
      return value != 0;
    case 15:  // falls over hours, charged at night
      value = decimal(20 + 80 * std::fabs(static_cast<double>(tick % kDayTicks) / kDayTicks - 0.5) * 2, 1);
      return true;
    default:
      value = decimal(std::clamp(60 * level(series, tick) + 3 * noise(bits), 0.0, 100.0), 100);
      return true;
  }
}

void HistoryData::observations(std::size_t series, std::int64_t tick, std::vector<double>& values) const {
  const std::uint64_t bits = mixed(series, static_cast<std::uint64_t>(tick));
  const double busy = level(series, tick);
  const auto count =
      static_cast<std::uint64_t>(std::min(static_cast<double>(counted(40 * busy, bits)), kObservationsMax));
  values.resize(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    const double seconds = 0.02 * (1 + busy) * std::exp(0.6 * noise(mixed(bits, i)));
    values[i] = std::nearbyint(seconds * 1e9) / 1e9;  // clocks tell nanoseconds
  }
}

}  // namespace honeylink::telemetry::cli
