// See log_histogram.h.
#include "query/log_histogram.h"

#include <algorithm>

#include "query/json.h"
#include "query/log_reader.h"

namespace honeylink::telemetry::query {
namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;

std::size_t band_of(int level) noexcept { return level >= 17 ? 3 : level >= 13 ? 2 : level >= 9 ? 1 : 0; }

}  // namespace

LogHistogram count_logs(const std::string& home, const LogColumns& wanted) {
  LogHistogram histogram;
  const auto asked = static_cast<std::int64_t>(std::max<std::size_t>(1, wanted.columns));
  std::int64_t length = 0;
  if (__builtin_sub_overflow(wanted.until_unix_ns, wanted.since_unix_ns, &length)) length = INT64_MAX;
  histogram.step_ns = std::max<std::int64_t>(1, length / asked);
  // Columns of whole seconds that begin at whole steps stay where they are while time goes on.
  if (histogram.step_ns > kSecondNs) histogram.step_ns = (histogram.step_ns + kSecondNs - 1) / kSecondNs * kSecondNs;
  const std::int64_t into = ((wanted.since_unix_ns % histogram.step_ns) + histogram.step_ns) % histogram.step_ns;
  if (__builtin_sub_overflow(wanted.since_unix_ns, into, &histogram.since_unix_ns))
    histogram.since_unix_ns = wanted.since_unix_ns;
  const std::int64_t columns = std::clamp<std::int64_t>(
      wanted.until_unix_ns / histogram.step_ns - histogram.since_unix_ns / histogram.step_ns + 1, 1, asked + 2);
  for (auto& band : histogram.counts) band.resize(static_cast<std::size_t>(columns));
  LogFilter filter;
  filter.since_unix_ns = wanted.since_unix_ns, filter.until_unix_ns = wanted.until_unix_ns;
  LogLine line;
  for (const LogFile& file : list_log_files(home)) {
    if (file.modified_unix_ns < wanted.since_unix_ns) continue;
    static_cast<void>(read_log_file(file, [&](std::string_view raw) {
      if (!passes(raw, filter, line) || !line.sound) return true;
      const std::int64_t column = (line.time_unix_ns - histogram.since_unix_ns) / histogram.step_ns;
      auto& band = histogram.counts[band_of(level_number(line.level))];
      ++band[static_cast<std::size_t>(std::clamp<std::int64_t>(column, 0, columns - 1))];
      return true;
    }));
  }
  return histogram;
}

std::string log_histogram_json(const LogHistogram& histogram) {
  constexpr double kSecond = 1e9;
  JsonWriter json;
  json.begin_object().key("schema").integer(1).key("t").begin_array();
  for (std::size_t i = 0; i < histogram.counts[0].size(); ++i)
    json.real(static_cast<double>(histogram.since_unix_ns) / kSecond +
              static_cast<double>(i) * static_cast<double>(histogram.step_ns) / kSecond);
  json.end_array().key("step_s").real(static_cast<double>(histogram.step_ns) / kSecond).key("levels").begin_object();
  for (std::size_t band = 0; band < kLogBands.size(); ++band) {
    json.key(kLogBands[band]).begin_array();
    for (const std::uint64_t n : histogram.counts[band]) json.count(n);
    json.end_array();
  }
  return json.end_object().end_object().str();
}

}  // namespace honeylink::telemetry::query
