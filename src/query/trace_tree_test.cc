#include "query/trace_tree.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

namespace honeylink::telemetry::query {
namespace {

constexpr std::int64_t kMs = 1'000'000;

SpanIdBytes id(std::uint64_t n) {
  SpanIdBytes bytes{};
  std::memcpy(bytes.data(), &n, sizeof n);
  return bytes;
}

SpanView span(std::uint64_t n, std::uint64_t parent, std::int64_t start_ms, std::int64_t duration_ms,
              std::string name = {}) {
  SpanView view;
  view.span_id = id(n);
  view.has_parent = parent != 0;
  view.parent_span_id = id(parent);
  view.start_unix_ns = start_ms * kMs;
  view.duration_ns = duration_ms * kMs;
  view.name = std::move(name);
  return view;
}

TEST(TraceTree, ChildrenFollowTheirParentByStart) {
  const std::vector<SpanView> spans{span(4, 1, 50, 10, "late"), span(2, 1, 5, 10, "early"), span(3, 2, 6, 2, "inner"),
                                    span(1, 0, 0, 100, "root")};
  const TraceTree tree = build_trace_tree(spans);
  std::vector<std::string> names;
  for (const TreeNode& node : tree.nodes) names.push_back(spans[node.span].name);
  EXPECT_EQ(names, (std::vector<std::string>{"root", "early", "inner", "late"}));
  EXPECT_EQ(tree.nodes[2].depth, 2U);
  EXPECT_FALSE(tree.nodes[1].last_child);
  EXPECT_TRUE(tree.nodes[3].last_child);
  EXPECT_EQ(tree.duration_ns(), 100 * kMs);
}

TEST(TraceTree, SelfTimeIsWhatNoChildCovers) {
  // Children overlap each other and one outlives the parent.
  const std::vector<SpanView> spans{span(1, 0, 0, 100), span(2, 1, 10, 30), span(3, 1, 20, 30), span(4, 1, 90, 50)};
  EXPECT_EQ(build_trace_tree(spans).nodes[0].self_ns, (100 - 40 - 10) * kMs);
}

TEST(TraceTree, TheCriticalPathAccountsForTheWholeRoot) {
  const std::vector<SpanView> spans{span(1, 0, 0, 650, "session"), span(2, 1, 2, 12, "policy"),
                                    span(3, 1, 15, 31, "key"), span(4, 1, 50, 598, "send"),
                                    span(5, 4, 55, 590, "physical")};
  const TraceTree tree = build_trace_tree(spans);
  std::int64_t sum = 0;
  for (const TreeNode& node : tree.nodes) sum += node.critical_ns;
  EXPECT_EQ(sum, 650 * kMs);
  ASSERT_NE(tree.slowest, TreeNode::kNoParent);
  EXPECT_EQ(spans[tree.nodes[tree.slowest].span].name, "physical");
  EXPECT_EQ(tree.nodes[tree.slowest].critical_ns, 590 * kMs);
}

TEST(TraceTree, AMissingParentMakesAnOrphanAndLosesNothing) {
  const std::vector<SpanView> spans{span(2, 99, 0, 10, "orphan"), span(1, 0, 5, 10, "root")};
  const TraceTree tree = build_trace_tree(spans);
  ASSERT_EQ(tree.nodes.size(), 2U);
  EXPECT_EQ(spans[tree.nodes[0].span].name, "root");
  EXPECT_TRUE(tree.nodes[1].orphan);
}

TEST(TraceTree, CirclesAndSelfParentsEnd) {
  const std::vector<SpanView> spans{span(1, 2, 0, 10), span(2, 3, 0, 10), span(3, 1, 0, 10), span(4, 4, 0, 10),
                                    span(5, 3, 0, 10)};
  EXPECT_EQ(build_trace_tree(spans).nodes.size(), 5U);
}

TEST(TraceTree, RandomShapesKeepEverySpanOnce) {
  std::mt19937 random(23);
  for (int round = 0; round < 300; ++round) {
    std::vector<SpanView> spans;
    const auto n = 1 + random() % 60;
    for (unsigned i = 1; i <= n; ++i) {
      spans.push_back(span(i, random() % (n + 2), static_cast<std::int64_t>(random() % 100),
                           static_cast<std::int64_t>(random() % 100)));
    }
    const TraceTree tree = build_trace_tree(spans);
    std::vector<int> seen(spans.size());
    for (const TreeNode& node : tree.nodes) {
      ++seen[node.span];
      ASSERT_GE(node.self_ns, 0);
      ASSERT_GE(node.critical_ns, 0);
      ASSERT_LE(node.critical_ns, tree.duration_ns());
    }
    for (const int times : seen) ASSERT_EQ(times, 1);
  }
}

TEST(TraceTree, AChainOfAHundredThousandIsSafe) {
  std::vector<SpanView> spans;
  for (std::uint64_t i = 1; i <= 100'000; ++i)
    spans.push_back(span(i, i - 1, static_cast<std::int64_t>(i), 200'000 - 2 * static_cast<std::int64_t>(i)));
  const TraceTree tree = build_trace_tree(spans);
  ASSERT_EQ(tree.nodes.size(), 100'000U);
  EXPECT_EQ(tree.nodes.back().depth, 99'999U);
}

}  // namespace
}  // namespace honeylink::telemetry::query
