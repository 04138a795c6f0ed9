// honeytel forget of a part: what is older is gone, byte for byte; what is younger stays as it was.
#include "cli_db_home.h"

namespace honeylink::telemetry::test {
namespace {

TEST_F(CliDb, WhatIsForgottenLeavesNoValueBehind) {
  {
    std::string said;
    auto traces = store::TraceStore::open(options_, said);
    ASSERT_TRUE(traces && traces->begin_epoch() != 0) << said;
    for (const bool early : {true, false}) {
      for (std::uint64_t i = 0; i < 8'192; ++i) {
        store::Items items;
        items.text(4, early ? "value-of-two-hours-ago" : "value-of-now");
        SpanEvent span = store::make_span(source_, (early ? 1'000 : 10'000) + i, items.view());
        span.start_unix_ns = now_ - (early ? 120 : 5) * kMinute;
        traces->add(span);
      }
      ASSERT_EQ(traces->commit({}, store::stored(8'192), false), store::CommitResult::ok);
      while (traces->maintain(now_, 1'000'000'000).more) {}
    }
  }
  ASSERT_GT(asked(home_, "SELECT count(*) FROM traces.blk"), 2);
  ASSERT_EQ(asked(home_, "SELECT count(*) FROM traces.val"), 2);
  ASSERT_EQ(honeytel({"forget", "--before", "1h", "--yes"}).exit, 0);
  // The 50 of fill() are in the block of those of two hours ago, and stay.
  EXPECT_EQ(asked(home_, "SELECT count(*) FROM spans WHERE attributes LIKE '%value-of-now%'"), 8'192 + 50);
  EXPECT_EQ(asked(home_, "SELECT count(*) FROM spans WHERE attributes LIKE '%two-hours%'"), 0);
  EXPECT_EQ(bytes_of(traces_db()).find("value-of-two-hours-ago"), std::string::npos);
  EXPECT_EQ(asked(home_, "SELECT count(*) FROM traces.trace_range WHERE blk NOT IN (SELECT id FROM traces.blk)"), 0);
  EXPECT_EQ(honeytel({"db", "check"}).exit, 0);
}

TEST_F(CliDb, OfABlockAndADrainThatReachOverTheMomentTheYoungerSpansStayAsTheyWere) {
  const auto record = [&](std::uint64_t first, std::uint64_t number, bool pack) {
    std::string said;
    auto traces = store::TraceStore::open(options_, said);
    ASSERT_TRUE(traces && traces->begin_epoch() != 0) << said;
    for (std::uint64_t i = 0; i < number; ++i) {
      const bool early = i % 3 == 0;
      store::Items items;
      items.text(4, (early ? "gone-for-good-" : "stays-") + std::to_string(i % 7));
      SpanEvent span = store::make_span(source_, first + i, items.view());
      span.start_unix_ns = now_ - (early ? 120 : 5) * kMinute + static_cast<std::int64_t>(i) * 1'000;
      if (i % 2 == 1) span.parent = {true, false, first + i - 1};
      traces->add(span);
    }
    ASSERT_EQ(traces->commit({}, store::stored(number), false), store::CommitResult::ok);
    while (pack && traces->maintain(now_, 1'000'000'000).more) {}
  };
  record(10'000, 6'000, true);
  record(50'000, 900, false);
  const std::vector<std::string> question{
      "sql",
      "SELECT * FROM spans WHERE start_unix_nano >= " + std::to_string(now_ - 60 * kMinute) + " ORDER BY span_id",
      "--json", "--limit", "0"};
  const Said before = honeytel(question);
  const std::int64_t all = asked(home_, "SELECT count(*) FROM spans");
  ASSERT_EQ(all, 100 + 6'900);
  ASSERT_GT(asked(home_, "SELECT count(*) FROM traces.blk"), 0);
  ASSERT_EQ(honeytel({"forget", "--before", "1h", "--yes"}).exit, 0);
  EXPECT_EQ(honeytel(question).out, before.out);
  EXPECT_EQ(asked(home_, "SELECT count(*) FROM spans"), 50 + 4'600);
  EXPECT_EQ(asked(home_, "SELECT count(*) FROM traces.blk WHERE last <= first"), 0) << "delivery tells blocks by these";
  EXPECT_EQ(asked(home_, "SELECT n FROM traces.counts WHERE name = 'expired'"), all - 50 - 4'600);
  EXPECT_EQ(bytes_of(traces_db()).find("gone-for-good"), std::string::npos);
  EXPECT_EQ(asked(home_, "SELECT count(*) FROM traces.trace_range WHERE blk NOT IN (SELECT id FROM traces.blk)"), 0);
  EXPECT_EQ(honeytel({"db", "check"}).exit, 0);
  const std::string id = before.json()["rows"].at(700)["trace_id"];
  EXPECT_EQ(honeytel({"traces", id, "--json"}).exit, 0);
}

TEST_F(CliDb, ForgettingBesideAReaderSaysThatTheBytesAreStillThere) {
  store::Connection reader;
  ASSERT_EQ(reader.open(traces_db(), store::Access::read_only, 0), SQLITE_OK);
  ASSERT_EQ(reader.execute("BEGIN; SELECT count(*) FROM hot"), SQLITE_OK);
  const Said held = honeytel({"forget", "--before", "1h", "--yes"});
  EXPECT_EQ(held.exit, 7) << held.err;
  EXPECT_NE(held.err.find("their bytes are still in"), std::string::npos) << held.err;
  ASSERT_EQ(reader.execute("COMMIT"), SQLITE_OK);
  reader.close();
  EXPECT_EQ(honeytel({"forget", "--before", "1h", "--yes"}).exit, 0);
  for (const char* end : {"", "-wal"})
    EXPECT_EQ(bytes_of(traces_db() + end).find("value-of-two-hours-ago"), std::string::npos) << end;
}

}  // namespace
}  // namespace honeylink::telemetry::test
