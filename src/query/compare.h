// A box on a heatmap: which spans lie in it, and what they have in common that the others of their time have not. Which
// spans: those of the name in which the box's exemplars were recorded. Reads only; one thread.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "query/problem.h"
#include "query/trace_reader.h"

namespace honeylink::telemetry::query {

struct CompareQuestion {
  std::string metric;     // a histogram
  double t0 = 0, t1 = 0;  // Unix seconds
  double v0 = 0, v1 = 0;  // in the metric's unit
};
struct Comparison {
  std::string span_name;
  std::uint64_t inside = 0, outside = 0;  // spans
  struct Attribute {
    std::string key, value;          // value: JSON
    double inside = 0, outside = 0;  // shares
  };
  std::vector<Attribute> attributes;  // those that differ most first
  struct Slow {
    TraceIdBytes trace_id{};
    std::int64_t duration_ns = 0, start_unix_ns = 0;
  };
  std::vector<Slow> traces;  // of the spans inside, slowest first, each trace once
  bool truncated = false;    // there were more spans than are looked at
};
inline constexpr std::size_t kComparedSpansMax = 200'000;
inline constexpr std::size_t kComparedAttributesMax = 20, kComparedTracesMax = 20;

[[nodiscard]] Answer<Comparison> compare_box(const std::string& home, const CompareQuestion& question);
[[nodiscard]] std::string comparison_json(const Comparison& comparison);

/// Nanoseconds in one unit of a duration ("s", "ms", "us", "ns"); 0: it is none.
[[nodiscard]] double nanoseconds_of(std::string_view unit) noexcept;

}  // namespace honeylink::telemetry::query
