// See otlp_metrics.h. Points are sorted so that all of a metric stand in one Metric message.
#include "export/otlp_metrics.h"

#include <algorithm>
#include <protozero/pbf_builder.hpp>
#include <span>
#include <tuple>

#include "export/otlp_fields.h"

namespace honeylink::telemetry::exporting {
namespace {

using otlp::nanos;
using protozero::pbf_builder;

constexpr std::size_t kPointBytes = 64, kBucketBytes = 2;  // about

auto resource_of(const SeriesInfo& s) { return std::tie(s.service_name, s.module, s.environment); }
auto scope_of(const SeriesInfo& s) { return std::tie(s.scope_name, s.scope_version); }
auto metric_of(const SeriesInfo& s) { return std::tie(s.name, s.kind, s.unit); }
auto identity_of(const SeriesInfo& s) {
  return std::tuple_cat(resource_of(s), scope_of(s), metric_of(s), std::tie(s.labels));
}

template <class Point>
void put_labels(pbf_builder<Point>& to, const SeriesInfo& series) {
  for (const auto& [key, value] : series.labels) {
    pbf_builder<otlp::KeyValue> pair(to, Point::attributes);
    pair.add_string(otlp::KeyValue::key, key);
    pbf_builder<otlp::AnyValue> any(pair, otlp::KeyValue::value);
    any.add_string(otlp::AnyValue::string_value, value);
  }
}

template <class Point>
void put_exemplar(pbf_builder<Point>& to, const ExemplarInfo& from) {
  if (!from.present) return;
  pbf_builder<otlp::Exemplar> exemplar(to, Point::exemplars);
  exemplar.add_fixed64(otlp::Exemplar::time_unix_nano, nanos(from.time_unix_ns));
  exemplar.add_double(otlp::Exemplar::as_double, from.value);
  exemplar.add_bytes(otlp::Exemplar::span_id, reinterpret_cast<const char*>(from.span_id.data()), from.span_id.size());
  exemplar.add_bytes(otlp::Exemplar::trace_id, reinterpret_cast<const char*>(from.trace_id.data()),
                     from.trace_id.size());
}

template <class Field, class Data>
void put_number(pbf_builder<Data>& to, Field field, const CumulativePoint& point) {
  pbf_builder<otlp::NumberPoint> number(to, field);
  const MetricType kind = point.series->kind;
  if (kind != MetricType::gauge)
    number.add_fixed64(otlp::NumberPoint::start_time_unix_nano, nanos(point.start_unix_ns));
  number.add_fixed64(otlp::NumberPoint::time_unix_nano, nanos(point.time_unix_ns));
  if (kind == MetricType::counter || kind == MetricType::up_down)
    number.add_sfixed64(otlp::NumberPoint::as_int, static_cast<std::int64_t>(point.integer));
  else number.add_double(otlp::NumberPoint::as_double, point.real);
  put_exemplar(number, point.exemplar);
  put_labels(number, *point.series);
}

void put_histogram(pbf_builder<otlp::ExponentialHistogram>& to, const CumulativePoint& point) {
  static const Sketch kNone;
  const Sketch& sketch = point.sketch != nullptr ? *point.sketch : kNone;
  pbf_builder<otlp::HistogramPoint> histogram(to, otlp::ExponentialHistogram::data_points);
  put_labels(histogram, *point.series);
  histogram.add_fixed64(otlp::HistogramPoint::start_time_unix_nano, nanos(point.start_unix_ns));
  histogram.add_fixed64(otlp::HistogramPoint::time_unix_nano, nanos(point.time_unix_ns));
  histogram.add_fixed64(otlp::HistogramPoint::count, sketch.count);
  histogram.add_double(otlp::HistogramPoint::sum, sketch.sum);
  histogram.add_sint32(otlp::HistogramPoint::scale, sketch.scale);
  histogram.add_fixed64(otlp::HistogramPoint::zero_count, sketch.zeros);
  if (!sketch.buckets.empty()) {
    pbf_builder<otlp::Buckets> positive(histogram, otlp::HistogramPoint::positive);
    positive.add_sint32(otlp::Buckets::offset, sketch.offset);
    positive.add_packed_uint64(otlp::Buckets::bucket_counts, sketch.buckets.begin(), sketch.buckets.end());
  }
  put_exemplar(histogram, point.exemplar);
  if (sketch.count == 0) return;
  histogram.add_double(otlp::HistogramPoint::min, sketch.min);
  histogram.add_double(otlp::HistogramPoint::max, sketch.max);
}

using Points = std::span<const CumulativePoint>;

// All points of one metric, all of one resource and scope.
void put_metric(pbf_builder<otlp::ScopeItems>& to, Points points) {
  const SeriesInfo& series = *points.front().series;
  pbf_builder<otlp::Metric> metric(to, otlp::ScopeItems::items);
  metric.add_string(otlp::Metric::name, series.name);
  if (!series.description.empty()) metric.add_string(otlp::Metric::description, series.description);
  metric.add_string(otlp::Metric::unit, series.unit);
  if (series.kind == MetricType::gauge) {
    pbf_builder<otlp::Gauge> gauge(metric, otlp::Metric::gauge);
    for (const CumulativePoint& point : points) put_number(gauge, otlp::Gauge::data_points, point);
  } else if (series.kind == MetricType::histogram) {
    pbf_builder<otlp::ExponentialHistogram> histogram(metric, otlp::Metric::exponential_histogram);
    for (const CumulativePoint& point : points) put_histogram(histogram, point);
    histogram.add_enum(otlp::ExponentialHistogram::aggregation_temporality, otlp::kCumulative);
  } else {
    pbf_builder<otlp::Sum> sum(metric, otlp::Metric::sum);
    for (const CumulativePoint& point : points) put_number(sum, otlp::Sum::data_points, point);
    sum.add_enum(otlp::Sum::aggregation_temporality, otlp::kCumulative);
    sum.add_bool(otlp::Sum::is_monotonic, series.kind != MetricType::up_down);
  }
}

// Calls `put` for each run of neighbours that `key` does not tell apart.
template <class Key, class Put>
void each_run(Points points, Key key, Put put) {
  while (!points.empty()) {
    std::size_t n = 1;
    while (n < points.size() && key(*points[n].series) == key(*points.front().series)) ++n;
    put(points.first(n));
    points = points.subspan(n);
  }
}

}  // namespace

void MetricRequest::add(const CumulativePoint& point) {
  points_.push_back(point);
  bytes_ += kPointBytes + point.series->name.size();
  for (const auto& [key, value] : point.series->labels) bytes_ += key.size() + value.size() + 8;
  if (point.sketch != nullptr) bytes_ += point.sketch->buckets.size() * kBucketBytes + kPointBytes;
}

std::string MetricRequest::finish() {
  std::stable_sort(points_.begin(), points_.end(), [](const CumulativePoint& a, const CumulativePoint& b) {
    return identity_of(*a.series) < identity_of(*b.series);
  });
  RequestGroups groups;
  std::uint64_t resource_key = 0, scope_key = 0;
  each_run(points_, resource_of, [&](Points of_resource) {
    ++resource_key;
    const SeriesInfo& series = *of_resource.front().series;
    Recorder recorder;
    recorder.resource.service_name = series.service_name, recorder.resource.module = series.module;
    recorder.resource.environment = series.environment;
    each_run(of_resource, scope_of, [&](Points of_scope) {
      const SeriesInfo& its = *of_scope.front().series;
      const ScopeInfo scope{its.scope_name, its.scope_version, {}};
      std::string& bytes = groups.items_of(resource_key, ++scope_key, recorder, &scope);
      const std::size_t before = bytes.size();
      each_run(of_scope, metric_of, [&](Points of_metric) {
        pbf_builder<otlp::ScopeItems> items(bytes);
        put_metric(items, of_metric);
      });
      groups.added(bytes.size() - before);
    });
  });
  points_.clear();
  bytes_ = 0;
  return groups.finish();
}

}  // namespace honeylink::telemetry::exporting
