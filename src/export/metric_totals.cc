// See metric_totals.h.
#include "export/metric_totals.h"

#include <bit>
#include <cstring>

#include "base/crc32c.h"
#include "base/sketch.h"

namespace honeylink::telemetry::exporting {
namespace {

constexpr std::uint32_t kMagic = 0x3154'4548U;  // "HET1"
constexpr std::int64_t kTickSeconds = 10;
constexpr std::size_t kSketchBucketsMax = 4096;

void add_sketch(Sketch& to, const Sketch& from) {
  Sketch coarse = from;
  downscale(coarse, store::kStoredScaleMax);
  if (to.count == 0) to = std::move(coarse);
  else merge(to, coarse, kSketchBucketsMax);
}

double as_real(std::uint64_t bits) noexcept { return std::bit_cast<double>(bits); }

// The kind of a series never changes; a database that was made anew gives its number to another.
Total& of_kind(Total& total, MetricType kind) {
  if (total.kind != kind) total = Total{};
  total.kind = kind;
  return total;
}

}  // namespace

std::int64_t moment_of(const store::MetricPart& part, std::size_t i) noexcept {
  return part.time_unix_s(i) + part.grid.step_s - kTickSeconds;
}

Total& MetricTotals::add(const MetricDelta& delta, std::int64_t tick_unix_s) {
  Total& total = of_kind(totals_[delta.sid], delta.kind);
  switch (delta.kind) {
    case MetricType::counter:
    case MetricType::up_down:
      total.integer += delta.integer;
      break;
    case MetricType::counter_real:
      total.real += delta.real;
      break;
    case MetricType::gauge:
      if (tick_unix_s >= total.newest_unix_s) total.real = delta.real, total.newest_unix_s = tick_unix_s;
      break;
    case MetricType::histogram:
      if (delta.sketch != nullptr) add_sketch(total.sketch, *delta.sketch);
  }
  total.exemplar = delta.exemplar;
  return total;
}

Total& MetricTotals::add(const store::MetricPart& part, std::size_t i) {
  const store::SeriesPoints& from = *part.points;
  Total& total = of_kind(totals_[from.sid], from.kind);
  total.exemplar = {};
  const bool rolled_up = !from.count.empty();
  switch (from.kind) {
    case MetricType::counter:
    case MetricType::up_down:
      total.integer += rolled_up ? from.sum[i] : from.last[i];
      break;
    case MetricType::counter_real:
      total.real += as_real(rolled_up ? from.sum[i] : from.last[i]);
      break;
    case MetricType::gauge:
      if (moment_of(part, i) >= total.newest_unix_s)
        total.real = as_real(from.last[i]), total.newest_unix_s = moment_of(part, i);
      break;
    case MetricType::histogram:
      add_sketch(total.sketch, from.sketches[i]);
  }
  for (const store::TickExemplar& its : from.exemplars)
    if (its.tick == from.ticks[i]) total.exemplar = its.exemplar;
  return total;
}

const Total* MetricTotals::find(std::uint32_t sid) const {
  const auto at = totals_.find(sid);
  return at == totals_.end() ? nullptr : &at->second;
}

CumulativePoint point_of(const SeriesInfo& series, const Total& total, std::int64_t start_unix_ns,
                         std::int64_t time_unix_ns) {
  CumulativePoint point;
  point.series = &series;
  point.start_unix_ns = start_unix_ns, point.time_unix_ns = time_unix_ns;
  point.integer = total.integer, point.real = total.real;
  point.sketch = &total.sketch;
  point.exemplar = total.exemplar;
  return point;
}

std::string MetricTotals::bytes(std::uint64_t position) const {
  std::string out;
  const auto put = [&out](const auto& value) { out.append(reinterpret_cast<const char*>(&value), sizeof value); };
  put(kMagic), put(std::uint32_t{0}), put(position), put(static_cast<std::uint32_t>(totals_.size()));
  for (const auto& [sid, total] : totals_) {
    put(sid), put(static_cast<std::uint32_t>(total.kind)), put(total.integer), put(total.real),
        put(total.newest_unix_s);
    if (total.kind != MetricType::histogram) continue;
    const Sketch& s = total.sketch;
    put(s.scale), put(s.offset), put(s.zeros), put(s.count), put(s.sum), put(s.min), put(s.max);
    put(static_cast<std::uint32_t>(s.buckets.size()));
    for (const std::uint64_t n : s.buckets) put(n);
  }
  const std::uint32_t crc = crc32c(reinterpret_cast<const std::uint8_t*>(out.data()) + 8, out.size() - 8);
  std::memcpy(out.data() + 4, &crc, sizeof crc);
  return out;
}

bool MetricTotals::read(std::string_view bytes, std::uint64_t& position) {
  totals_.clear();
  const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  std::size_t at = 0;
  bool whole = true;
  const auto get = [&](auto& value) {
    if (bytes.size() - at < sizeof value) return whole = false;
    std::memcpy(&value, bytes.data() + at, sizeof value);
    at += sizeof value;
    return true;
  };
  std::uint32_t magic = 0, crc = 0, n = 0;
  if (!get(magic) || !get(crc) || magic != kMagic || crc != crc32c(data + 8, bytes.size() - 8)) return false;
  get(position), get(n);
  for (std::uint32_t i = 0; i < n && whole; ++i) {
    std::uint32_t sid = 0, kind = 0, buckets = 0;
    Total total;
    get(sid), get(kind), get(total.integer), get(total.real), get(total.newest_unix_s);
    total.kind = static_cast<MetricType>(kind);
    if (kind > static_cast<std::uint32_t>(MetricType::histogram)) whole = false;
    if (whole && total.kind == MetricType::histogram) {
      Sketch& s = total.sketch;
      get(s.scale), get(s.offset), get(s.zeros), get(s.count), get(s.sum), get(s.min), get(s.max), get(buckets);
      if (buckets > kSketchBucketsMax) whole = false;
      if (whole) s.buckets.resize(buckets);
      for (std::uint64_t& count : s.buckets) get(count);
    }
    if (whole) totals_.emplace(sid, std::move(total));
  }
  if (!whole || at != bytes.size()) totals_.clear();
  return whole && at == bytes.size();
}

}  // namespace honeylink::telemetry::exporting
