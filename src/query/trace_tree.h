// The shape of a trace: who called whom, in which order, where the time went, and what the whole waited for. Pure; any
// thread. 100,000 spans take some tens of milliseconds; nothing recurses, so that a chain of any depth is safe.
#pragma once
#include <cstdint>
#include <vector>

#include "query/span_view.h"

namespace honeylink::telemetry::query {

struct TreeNode {
  std::uint32_t span = 0;  // index into the spans
  std::uint32_t depth = 0;
  std::uint32_t parent = kNoParent;  // index into nodes
  bool last_child = false;           // of its parent
  bool orphan = false;               // has a parent that is not here
  std::int64_t self_ns = 0;          // its time without that of its children
  std::int64_t critical_ns = 0;      // how much of the whole waited for this span itself; 0: not on the critical path
  static constexpr std::uint32_t kNoParent = 0xffff'ffffU;
};

struct TraceTree {
  std::vector<TreeNode> nodes;  // depth first; siblings by start
  std::int64_t start_unix_ns = 0, end_unix_ns = 0;
  /// The node in which most of the critical path was spent, or kNoParent.
  std::uint32_t slowest = TreeNode::kNoParent;
  [[nodiscard]] std::int64_t duration_ns() const noexcept { return end_unix_ns - start_unix_ns; }
};

/// Spans of one trace. Parents that are missing or turn in a circle make their children roots.
/// Critical path: walked backwards from the end of the first root; at each moment the child that ended last is what was
/// waited for.
[[nodiscard]] TraceTree build_trace_tree(const std::vector<SpanView>& spans);

}  // namespace honeylink::telemetry::query
