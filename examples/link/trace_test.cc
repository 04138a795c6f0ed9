// What a session records, read back: the tree across both sides, the errors, the logs. Needs the telemetry library's
// test reader.
#include <honeylink/testing.h>

#include <algorithm>

#include "test_world.h"

namespace honeylink::link {
namespace {

using namespace std::chrono_literals;
using tel::testing::Capture;
using tel::testing::SpanRecord;

const SpanRecord* find(const std::vector<SpanRecord>& spans, std::string_view name) {
  const auto found = std::ranges::find_if(spans, [&](const SpanRecord& span) { return span.name == name; });
  return found == spans.end() ? nullptr : &*found;
}

TEST(Recorded, OneTreeReachesAcrossBothSides) {
  const Capture capture;
  World world({});
  Session session = world.session();
  ASSERT_TRUE(session.establish());
  world.halt();
  world.policy_server.reset();
  const auto spans = capture.spans();
  for (const auto& [child, parent] : {std::pair{"policy.fetch", "session.establish"},
                                      {"GET /policy", "policy.fetch"},
                                      {"key.exchange", "session.establish"},
                                      {"key.exchange.respond", "key.exchange"},
                                      {"packet.send", "session.establish"},
                                      {"physical.transmit", "packet.send"},
                                      {"packet.receive", "physical.transmit"}}) {
    const SpanRecord *inner = find(spans, child), *outer = find(spans, parent);
    ASSERT_TRUE(inner && outer) << child << " under " << parent;
    EXPECT_EQ(inner->parent_span_id, outer->span_id) << child << " under " << parent;
    EXPECT_EQ(inner->trace_id, outer->trace_id);
    EXPECT_EQ(inner->status, tel::SpanStatus::unset) << child;
  }
  EXPECT_EQ(find(spans, "session.establish")->attributes.at("peer"), "device:peer-1")
      << "marked for hashing, not plain text";
  const auto logs = capture.logs();
  const auto established =
      std::ranges::find_if(logs, [](const auto& log) { return log.event == "session.established"; });
  ASSERT_NE(established, logs.end());
  EXPECT_EQ(established->span_id, find(spans, "session.establish")->span_id);
  EXPECT_EQ(capture.refused(), 0U);
}

TEST(Recorded, MetricsAreWhatTheLinkCounted) {
  const Capture capture;
  World world({0.1, 0, 0});
  Session session = world.session({.transfer = 500ms, .silence_max = 5s, .step_max = 10s, .loss_timeout = 300ms});
  ASSERT_TRUE(session.establish());
  ASSERT_TRUE(session.transfer());
  EXPECT_EQ(capture.value("packets_sent_total", {{"module", "transport"}}),
            static_cast<double>(world.stats.packets_sent.load()));
  EXPECT_EQ(capture.value("qos_packets_total", {{"module", "qos-scheduler"}}),
            static_cast<double>(world.stats.qos_offered.load()));
  EXPECT_EQ(capture.value("packets_lost_total", {{"module", "transport"}}).value_or(0),
            static_cast<double>(world.stats.packets_lost.load()));
}

TEST(Recorded, FailureIsAnErrorOfTheStepAndOfTheSession) {
  const Capture capture;
  World world({1, 0, 0});
  Session session = world.session({.step_max = 200ms});
  ASSERT_FALSE(session.establish());
  const auto spans = capture.spans();
  for (const std::string_view name : {"key.exchange", "session.establish"}) {
    const SpanRecord* span = find(spans, name);
    ASSERT_TRUE(span) << name;
    EXPECT_EQ(span->status, tel::SpanStatus::error);
    EXPECT_EQ(span->status_description, "no answer to the key exchange");
  }
  EXPECT_EQ(find(spans, "policy.fetch")->status, tel::SpanStatus::unset);
  const auto logs = capture.logs();
  const auto failed = std::ranges::find_if(logs, [](const auto& log) { return log.event == "session.failed"; });
  ASSERT_NE(failed, logs.end());
  EXPECT_EQ(failed->level, tel::LogLevel::error);
  EXPECT_EQ(failed->trace_id, find(spans, "session.establish")->trace_id);
}

}  // namespace
}  // namespace honeylink::link
