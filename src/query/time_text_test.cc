#include "query/time_text.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

namespace honeylink::telemetry::query {
namespace {

constexpr std::int64_t kNow = 1'790'000'000'123'456'789;  // 2026-09-21T14:13:20.123456789Z

TEST(TimeText, EveryNanosecondSurvivesTheRoundTrip) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 10'000; ++i) {
    const auto ns = static_cast<std::int64_t>(random() % 9'000'000'000'000'000'000ULL);
    ASSERT_EQ(parse_moment(format_utc(ns), kNow), ns) << format_utc(ns);
  }
}

TEST(TimeText, KnownMoments) {
  EXPECT_EQ(format_utc(0), "1970-01-01T00:00:00.000000000Z");
  EXPECT_EQ(format_utc(kNow), "2026-09-21T14:13:20.123456789Z");
  EXPECT_EQ(format_utc(-1), "1969-12-31T23:59:59.999999999Z");
}

TEST(TimeText, AMomentMayBeAgoOrADateOrUnixSeconds) {
  EXPECT_EQ(parse_moment("now", kNow), kNow);
  EXPECT_EQ(parse_moment("1h30m", kNow), kNow - 5'400'000'000'000);
  EXPECT_EQ(parse_moment("2026-09-21", kNow), 1'789'948'800'000'000'000);
  EXPECT_EQ(parse_moment("2026-09-21T14:13:20Z", kNow), 1'790'000'000'000'000'000);
  EXPECT_EQ(parse_moment("2026-09-21T15:13:20+01:00", kNow), 1'790'000'000'000'000'000);
  EXPECT_EQ(parse_moment("2026-09-21 14:13", kNow), 1'789'999'980'000'000'000);
  EXPECT_EQ(parse_moment("@1790000000.5", kNow), 1'790'000'000'500'000'000);
}

TEST(TimeText, NonsenseIsNoMoment) {
  for (const char* text :
       {"", "yesterday", "1", "-1h", "1x", "2026-13-01", "2026-02-30", "2026-09-21T25:00", "2026-09-21T14:13:20+25:00",
        "@", "@-5", "2026-09-21T14:13:20.Z", "9999-01-01", "1e9h", "h", "1h-1m", "2026-09-21T14:13:20Zjunk"}) {
    EXPECT_EQ(parse_moment(text, kNow), std::nullopt) << text;
  }
}

TEST(TimeText, DurationsForPeople) {
  EXPECT_EQ(format_duration(0), "0 ns");
  EXPECT_EQ(format_duration(650'500'000), "650.5 ms");
  EXPECT_EQ(format_duration(12'100), "12.1 µs");
  EXPECT_EQ(format_duration(1'204'000'000), "1.20 s");
  EXPECT_EQ(format_duration(3 * 3'600'000'000'000 + 20 * 60'000'000'000), "3 h 20 min");
  EXPECT_EQ(format_duration(10'000'000'000), "10 s");
  EXPECT_EQ(format_duration(300'000'000'000), "5 min");
  EXPECT_EQ(format_duration(312'500'000'000), "5 min 12 s");
  EXPECT_EQ(format_duration(3'600'000'000'000), "1 h");
  EXPECT_EQ(format_duration(30 * std::int64_t{86'400'000'000'000}), "30 d");
  EXPECT_EQ(format_duration(-5), "-5 ns");
  EXPECT_FALSE(format_duration(INT64_MIN).empty());
}

TEST(TimeText, CountsAndBytesForPeople) {
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(999), "999");
  EXPECT_EQ(format_count(1'204), "1,204");
  EXPECT_EQ(format_count(18'446'744'073'709'551'615ULL), "18,446,744,073,709,551,615");
  EXPECT_EQ(format_bytes(512), "512 B");
  EXPECT_EQ(format_bytes(9'800'000), "9.8 MB");
  EXPECT_EQ(format_bytes(999'999), "1.0 MB");
}

}  // namespace
}  // namespace honeylink::telemetry::query
