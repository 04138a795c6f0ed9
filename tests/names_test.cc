// Names, scopes and series beyond their bounds: they are recorded as "_other" or as overflow, counted and said once,
// and never shown as "_unknown". Applications are children of the test; their rings are read when they are dead.
#include <gtest/gtest.h>

#include <string>

#include "base/limits.h"
#include "forked_application.h"
#include "honeylink/telemetry.h"
#include "ring_contents.h"

namespace honeylink::telemetry::tests {
namespace {

void log_names(int n, const std::string& prefix) {
  for (int i = 0; i < n; ++i) log_info(EventName::runtime(prefix + std::to_string(i)));
}

TEST(Names, BeyondTheTableAreRecordedAsOtherCountedAndSaidOnce) {
  const TestHome home;
  constexpr int kNames = 6000;
  const Ended ended = run(home, [] {
    if (!start().ok()) return 1;
    log_names(kNames, "name.");
    log_names(1, "name.");  // the first still has its number
    return 0;
  });
  EXPECT_TRUE(ended.exited(0)) << ended.status;
  EXPECT_EQ(ended.lines(), 1) << ended.said;
  EXPECT_NE(ended.said.find("4,096 names"), std::string::npos) << ended.said;
  const auto rings = home.rings();
  expect_sound(rings);
  ASSERT_EQ(rings.size(), 1u);
  const std::size_t others = rings[0].count("_other");
  EXPECT_EQ(rings[0].records.size(), kNames + 1u);
  EXPECT_GE(others, kNames - kNamesMax);
  EXPECT_LE(others, kNames - kNamesMax + 50);  // the recorder's own texts have numbers too
  EXPECT_EQ(rings[0].counters.at("names_full"), others);
  EXPECT_EQ(rings[0].count("name.0"), 2u);
  EXPECT_EQ(rings[0].count("_unknown"), 0u);
}

TEST(Names, BeyondTheRingsDirectoryAreRecordedAsOtherAndCounted) {
  const TestHome home;
  constexpr int kNames = 1200;
  const Ended ended = run(home, [] {
    if (!start_small().ok()) return 1;
    log_names(kNames, "a.name.that.needs.some.room.in.the.directory.");
    return 0;
  });
  EXPECT_TRUE(ended.exited(0)) << ended.status;
  EXPECT_EQ(ended.lines(), 1) << ended.said;
  EXPECT_NE(ended.said.find("recorded as _other"), std::string::npos) << ended.said;
  const auto rings = home.rings();
  expect_sound(rings);
  ASSERT_EQ(rings.size(), 1u);
  EXPECT_EQ(rings[0].records.size(), std::size_t{kNames});
  EXPECT_GT(rings[0].count("_other"), 0u);
  EXPECT_LT(rings[0].count("_other"), std::size_t{kNames});
  EXPECT_EQ(rings[0].count("_unknown"), 0u);
  EXPECT_EQ(rings[0].counters.at("names_full"), rings[0].count("_other"));
}

TEST(Names, ManyBeforeStartHaveTheirNamesInTheRingOfStart) {
  const TestHome home;
  constexpr int kNames = 1200;
  const Ended ended = run(home, [] {
    log_names(kNames, "a.name.that.needs.some.room.in.the.directory.");
    if (!start().ok()) return 1;
    log_names(kNames, "a.name.that.needs.some.room.in.the.directory.");
    return 0;
  });
  EXPECT_TRUE(ended.exited(0)) << ended.status;
  const auto rings = home.rings();
  expect_sound(rings);
  for (const RingContents& ring : rings) {
    if (ring.records.size() != kNames || ring.count("_unknown") != 0) {  // the small one of before start()
      EXPECT_GT(ring.counters.at("names_full"), 0u);
      continue;
    }
    std::set<std::string> names;
    for (const Record& record : ring.records) names.insert(record.name);
    EXPECT_EQ(names.size(), std::size_t{kNames});
    EXPECT_EQ(ring.count("_other"), 0u);
  }
}

TEST(Series, BeyondTheRingsDirectoryAreCountedAsOverflowAndNothingIsLost) {
  const TestHome home;
  const Ended ended = run(home, [] {
    if (!start_small().ok()) return 1;
    for (int i = 0; i < 1000; ++i) hits.add(1, {{"a.label.that.needs.room", i}, {"another", "value"}});
    return 0;
  });
  EXPECT_TRUE(ended.exited(0)) << ended.status;
  EXPECT_EQ(ended.lines(), 1) << ended.said;
  const auto rings = home.rings();
  expect_sound(rings);
  ASSERT_EQ(rings.size(), 1u);
  EXPECT_EQ(rings[0].values.at("fault.hits"), 1000);
  EXPECT_GT(rings[0].counters.at("series_overflow"), 0u);
}

TEST(Scopes, BeyondTheirTableHaveNone) {
  const TestHome home;
  const Ended ended = run(home, [] {
    if (!start().ok()) return 1;
    static std::vector<std::string> names;
    names.reserve(1100);
    for (int i = 0; i < 1100; ++i) {
      names.push_back("scope." + std::to_string(i));
      const Scope scope{ScopeName::runtime(names.back())};
      const Logger logger{scope};
      logger.info("said");
    }
    return 0;
  });
  EXPECT_TRUE(ended.exited(0)) << ended.status;
  const auto rings = home.rings();
  expect_sound(rings);
  ASSERT_EQ(rings.size(), 1u);
  EXPECT_EQ(rings[0].count("said"), 1100u);
  EXPECT_EQ(rings[0].counters.at("names_full"), 1100u - 1024u);
}

}  // namespace
}  // namespace honeylink::telemetry::tests
