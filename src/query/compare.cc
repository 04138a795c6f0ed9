// See compare.h.
#include "query/compare.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "base/text.h"
#include "query/json.h"
#include "query/metric_reader.h"
#include "query/time_text.h"

namespace honeylink::telemetry::query {
namespace {

constexpr double kSecond = 1e9;
constexpr std::size_t kExemplarsAsked = 8;  // traces that are opened to learn the span's name
constexpr std::size_t kPairsMax = 20'000;   // of key and value: beyond, new ones are not counted
constexpr double kDifferenceLeast = 0.02;
constexpr double kTimeMax = 9e9;  // seconds: nanoseconds still fit

struct Box {
  std::int64_t since, until, shortest, longest;  // ns
  [[nodiscard]] bool holds(std::int64_t duration_ns) const noexcept {
    return duration_ns >= shortest && duration_ns <= longest;
  }
};

struct Counted {
  std::uint64_t inside = 0, outside = 0;
};

/// Exemplars of the metric, those in the box first.
Answer<std::vector<ExemplarInfo>> exemplars_of(const std::string& home, const CompareQuestion& question,
                                               std::string& unit) {
  auto reader = MetricReader::open(home);
  if (!reader.ok()) return reader.problem();
  SeriesFilter filter;
  filter.name = question.metric;
  const auto found = reader.value()->find(filter);
  if (found.empty() || !found.front()->is_histogram())
    return Problem{ProblemKind::not_found, "no histogram '" + question.metric + "'", "nothing was recorded in it yet",
                   ""};
  unit = found.front()->unit;
  const auto points = reader.value()->points(
      found, {static_cast<std::int64_t>(question.t0) - 10, static_cast<std::int64_t>(question.t1) + 10, 10});
  if (!points.ok()) return points.problem();
  std::vector<ExemplarInfo> exemplars;
  for (const MetricPoint& point : points.value()) {
    if (point.exemplar().present) exemplars.push_back(point.exemplar());
  }
  std::stable_partition(exemplars.begin(), exemplars.end(),
                        [&](const ExemplarInfo& e) { return e.value >= question.v0 && e.value <= question.v1; });
  return exemplars;
}

/// The name of the span in which an exemplar was recorded; empty: none of their traces is kept.
std::string span_name_of(TraceReader& reader, const std::vector<ExemplarInfo>& exemplars) {
  for (std::size_t i = 0; i < std::min(exemplars.size(), kExemplarsAsked); ++i) {
    const auto spans = reader.trace(hex(exemplars[i].trace_id));
    if (!spans.ok()) continue;
    for (const SpanView& span : spans.value()) {
      if (span.span_id == exemplars[i].span_id) return span.name;
    }
  }
  return {};
}

std::string value_text(const std::string& json) { return json_text_of(json); }

/// Counts what each span says of itself, module and status included.
class Shares {
 public:
  void add(const SpanView& span, bool inside) {
    count("status", std::string(status_name(span.status)), inside);
    if (!span.module.empty()) count("module", span.module, inside);
    if (!span.service.empty()) count("service.name", span.service, inside);
    for (const auto& [key, value] : span.attributes) count(key, value_text(value), inside);
  }
  [[nodiscard]] std::vector<Comparison::Attribute> differing(std::uint64_t inside, std::uint64_t outside) const {
    std::vector<Comparison::Attribute> all;
    for (const auto& [pair, counted] : pairs_) {
      const double in = inside == 0 ? 0 : static_cast<double>(counted.inside) / static_cast<double>(inside);
      const double out = outside == 0 ? 0 : static_cast<double>(counted.outside) / static_cast<double>(outside);
      if (std::fabs(in - out) >= kDifferenceLeast) all.push_back({pair.first, pair.second, in, out});
    }
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
      const double of_a = std::fabs(a.inside - a.outside), of_b = std::fabs(b.inside - b.outside);
      return of_a != of_b ? of_a > of_b : std::tie(a.key, a.value) < std::tie(b.key, b.value);
    });
    if (all.size() > kComparedAttributesMax) all.resize(kComparedAttributesMax);
    return all;
  }

 private:
  void count(const std::string& key, const std::string& value, bool inside) {
    auto found = pairs_.find({key, value});
    if (found == pairs_.end()) {
      if (pairs_.size() >= kPairsMax) return;
      found = pairs_.try_emplace({key, value}).first;
    }
    ++(inside ? found->second.inside : found->second.outside);
  }
  std::map<std::pair<std::string, std::string>, Counted> pairs_;
};

void keep_slowest(std::vector<Comparison::Slow>& traces) {
  std::sort(traces.begin(), traces.end(), [](const auto& a, const auto& b) { return a.duration_ns > b.duration_ns; });
  std::set<TraceIdBytes> seen;
  std::erase_if(traces, [&](const Comparison::Slow& slow) { return !seen.insert(slow.trace_id).second; });
  if (traces.size() > kComparedTracesMax) traces.resize(kComparedTracesMax);
}

}  // namespace

double nanoseconds_of(std::string_view unit) noexcept {
  return unit == "s" ? 1e9 : unit == "ms" ? 1e6 : unit == "us" ? 1e3 : unit == "ns" ? 1 : 0;
}

Answer<Comparison> compare_box(const std::string& home, const CompareQuestion& question) {
  if (!(question.t0 >= 0 && question.t0 <= question.t1 && question.t1 < kTimeMax && question.v0 <= question.v1))
    return Problem{ProblemKind::usage, "this is no box", "t0 is before t1, v0 below v1", ""};
  Comparison comparison;
  std::string unit;
  const auto exemplars = exemplars_of(home, question, unit);
  if (!exemplars.ok()) return exemplars.problem();
  auto reader = TraceReader::open(home);
  if (!reader.ok() && reader.problem().kind == ProblemKind::not_found) return comparison;
  if (!reader.ok()) return reader.problem();
  TraceReader& traces = *reader.value();
  comparison.span_name = span_name_of(traces, exemplars.value());
  const auto name = comparison.span_name.empty() ? std::nullopt : traces.name_id(comparison.span_name);
  const double ns = nanoseconds_of(unit);
  if (!name || ns == 0) return comparison;
  const auto bound = [&](double value) { return static_cast<std::int64_t>(std::clamp(value * ns, 0.0, 9e18)); };
  const Box box{static_cast<std::int64_t>(question.t0 * kSecond), static_cast<std::int64_t>(question.t1 * kSecond),
                bound(question.v0), bound(question.v1)};
  Shares shares;
  TraceReader::Walk walk = traces.walk(box.since, box.until, name);
  store::StoredSpan stored;
  const TraceSource* source = nullptr;
  while (walk.next(stored, source)) {
    if (stored.name != *name) continue;
    if (comparison.inside + comparison.outside >= kComparedSpansMax) {
      comparison.truncated = true;
      break;
    }
    const SpanView span = traces.view(stored, *source);
    const bool inside = box.holds(span.duration_ns);
    ++(inside ? comparison.inside : comparison.outside);
    shares.add(span, inside);
    if (inside) comparison.traces.push_back({span.trace_id, span.duration_ns, span.start_unix_ns});
  }
  if (walk.failed()) return traces.problem();
  comparison.attributes = shares.differing(comparison.inside, comparison.outside);
  keep_slowest(comparison.traces);
  return comparison;
}

std::string comparison_json(const Comparison& comparison) {
  JsonWriter json;
  json.begin_object().key("schema").integer(1).key("span_name").text(comparison.span_name);
  json.key("inside").count(comparison.inside).key("outside").count(comparison.outside).key("attributes").begin_array();
  for (const Comparison::Attribute& attribute : comparison.attributes)
    json.begin_object()
        .key("key")
        .text(attribute.key)
        .key("value")
        .text(attribute.value)
        .key("inside")
        .real(attribute.inside)
        .key("outside")
        .real(attribute.outside)
        .end_object();
  json.end_array().key("traces").begin_array();
  for (const Comparison::Slow& slow : comparison.traces)
    json.begin_object()
        .key("trace_id")
        .text(hex(slow.trace_id))
        .key("duration_ns")
        .integer(slow.duration_ns)
        .key("start")
        .text(format_utc(slow.start_unix_ns))
        .end_object();
  return json.end_array().key("truncated").boolean(comparison.truncated).end_object().str();
}

}  // namespace honeylink::telemetry::query
