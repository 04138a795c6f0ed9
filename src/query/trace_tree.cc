// The shape of a trace: see trace_tree.h.
#include "query/trace_tree.h"

#include <algorithm>
#include <cstring>
#include <unordered_map>

namespace honeylink::telemetry::query {
namespace {

constexpr std::uint32_t kNone = TreeNode::kNoParent;

std::uint64_t key_of(const SpanIdBytes& id) noexcept {
  std::uint64_t key = 0;
  std::memcpy(&key, id.data(), sizeof key);
  return key;
}

/// Children of every span, as one list sorted by (parent, start); a span's are [first[i], first[i + 1]).
struct Family {
  std::vector<std::uint32_t> parent, children, first;

  explicit Family(const std::vector<SpanView>& spans) : parent(spans.size(), kNone), first(spans.size() + 1, 0) {
    const auto n = static_cast<std::uint32_t>(spans.size());
    std::unordered_map<std::uint64_t, std::uint32_t> by_id;
    by_id.reserve(n);
    for (std::uint32_t i = 0; i < n; ++i) by_id.emplace(key_of(spans[i].span_id), i);
    for (std::uint32_t i = 0; i < n; ++i) {
      if (!spans[i].has_parent) continue;
      const auto found = by_id.find(key_of(spans[i].parent_span_id));
      if (found != by_id.end() && found->second != i) parent[i] = found->second;
    }
    break_circles();
    for (std::uint32_t i = 0; i < n; ++i) {
      if (parent[i] != kNone) ++first[parent[i] + 1], children.push_back(i);
    }
    for (std::uint32_t i = 0; i < n; ++i) first[i + 1] += first[i];
    std::sort(children.begin(), children.end(), [&](std::uint32_t a, std::uint32_t b) {
      if (parent[a] != parent[b]) return parent[a] < parent[b];
      if (spans[a].start_unix_ns != spans[b].start_unix_ns) return spans[a].start_unix_ns < spans[b].start_unix_ns;
      return a < b;
    });
  }

 private:
  void break_circles() {
    std::vector<std::uint8_t> state(parent.size(),
                                    0);  // 1: on the way up from the span at hand, 2: known to reach a root
    std::vector<std::uint32_t> way;
    for (std::uint32_t i = 0; i < parent.size(); ++i) {
      std::uint32_t at = i;
      way.clear();
      while (at != kNone && state[at] == 0) state[at] = 1, way.push_back(at), at = parent[at];
      if (at != kNone && state[at] == 1) parent[at] = kNone;
      for (const std::uint32_t passed : way) state[passed] = 2;
    }
  }
};

/// Time of [start, end) that no child covers. The children are sorted by start.
std::int64_t self_time(const std::vector<SpanView>& spans, const Family& family, std::uint32_t span) {
  const std::int64_t start = spans[span].start_unix_ns, end = spans[span].end_unix_ns();
  std::int64_t covered = 0, reached = start;
  for (std::uint32_t c = family.first[span]; c < family.first[span + 1]; ++c) {
    const SpanView& child = spans[family.children[c]];
    const std::int64_t from = std::max(child.start_unix_ns, reached), to = std::min(child.end_unix_ns(), end);
    if (to > from) covered += to - from, reached = to;
  }
  return spans[span].duration_ns - covered;
}

/// Adds to critical[i] what the interval up to `until` of each span on the path spent in the span itself.
void walk_critical_path(const std::vector<SpanView>& spans, const Family& family, std::uint32_t root,
                        std::vector<std::int64_t>& critical) {
  struct Step {
    std::uint32_t span;
    std::int64_t until;
  };
  std::vector<Step> steps{{root, spans[root].end_unix_ns()}};
  std::vector<std::uint32_t> by_end;
  while (!steps.empty()) {
    const Step step = steps.back();
    steps.pop_back();
    const std::int64_t start = spans[step.span].start_unix_ns;
    std::int64_t cursor = step.until;
    by_end.assign(family.children.begin() + family.first[step.span],
                  family.children.begin() + family.first[step.span + 1]);
    std::sort(by_end.begin(), by_end.end(),
              [&](std::uint32_t a, std::uint32_t b) { return spans[a].end_unix_ns() > spans[b].end_unix_ns(); });
    for (const std::uint32_t child : by_end) {
      const std::int64_t child_start = std::max(spans[child].start_unix_ns, start);
      const std::int64_t child_end = spans[child].end_unix_ns();
      if (child_end > cursor || child_end <= child_start) continue;
      critical[step.span] += cursor - child_end;
      steps.push_back({child, child_end});
      cursor = child_start;
    }
    if (cursor > start) critical[step.span] += cursor - start;
  }
}

void place(const std::vector<SpanView>& spans, const Family& family, std::uint32_t root, TraceTree& tree) {
  struct Waiting {
    std::uint32_t span, parent_node, depth;
    bool last;
  };
  std::vector<Waiting> waiting{{root, kNone, 0, true}};
  while (!waiting.empty()) {
    const Waiting at = waiting.back();
    waiting.pop_back();
    const auto node = static_cast<std::uint32_t>(tree.nodes.size());
    TreeNode& placed = tree.nodes.emplace_back();
    placed.span = at.span, placed.depth = at.depth, placed.parent = at.parent_node, placed.last_child = at.last;
    placed.orphan = at.parent_node == kNone && spans[at.span].has_parent;
    placed.self_ns = self_time(spans, family, at.span);
    for (std::uint32_t c = family.first[at.span + 1]; c-- > family.first[at.span];) {
      waiting.push_back({family.children[c], node, at.depth + 1, c + 1 == family.first[at.span + 1]});
    }
  }
}

}  // namespace

TraceTree build_trace_tree(const std::vector<SpanView>& spans) {
  TraceTree tree;
  if (spans.empty()) return tree;
  const Family family(spans);
  std::vector<std::uint32_t> roots;
  tree.start_unix_ns = INT64_MAX, tree.end_unix_ns = INT64_MIN;
  for (std::uint32_t i = 0; i < spans.size(); ++i) {
    if (family.parent[i] == kNone) roots.push_back(i);
    tree.start_unix_ns = std::min(tree.start_unix_ns, spans[i].start_unix_ns);
    tree.end_unix_ns = std::max(tree.end_unix_ns, spans[i].end_unix_ns());
  }
  // A root without a parent is the trace's own; among orphans and several roots, the earliest.
  std::stable_sort(roots.begin(), roots.end(), [&](std::uint32_t a, std::uint32_t b) {
    if (spans[a].has_parent != spans[b].has_parent) return !spans[a].has_parent;
    return spans[a].start_unix_ns < spans[b].start_unix_ns;
  });
  tree.nodes.reserve(spans.size());
  for (const std::uint32_t root : roots) place(spans, family, root, tree);
  std::vector<std::int64_t> critical(spans.size(), 0);
  walk_critical_path(spans, family, roots.front(), critical);
  for (std::uint32_t n = 0; n < tree.nodes.size(); ++n) {
    tree.nodes[n].critical_ns = critical[tree.nodes[n].span];
    const bool slower = tree.slowest == kNone || tree.nodes[n].critical_ns > tree.nodes[tree.slowest].critical_ns;
    if (tree.nodes[n].critical_ns > 0 && slower) tree.slowest = n;
  }
  return tree;
}

}  // namespace honeylink::telemetry::query
