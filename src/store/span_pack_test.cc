// Spans on their way from hot rows into blocks, in real files: none lost, none twice, none changed; space is given back
// and the cap holds.
#include "store/span_pack.h"

#include "store/test_packed.h"

namespace honeylink::telemetry::store {
namespace {

constexpr std::int64_t kStart = 1'700'000'000'000'000'000, kMinute = 60'000'000'000, kHour = 60 * kMinute;
constexpr std::int64_t kNoLimit = kHour;

std::unique_ptr<TraceStore> open_store(const StoreOptions& options) {
  std::string said;
  return open_traces(options, said);
}

std::vector<std::string> ten_texts() { return {"_other", "a", "b", "c", "d", "e", "f", "g", "h", "i"}; }

/// Random spans of two processes, that know some of each other's traces; texts within ten_texts().
void commit_random(TraceStore& store, std::mt19937_64& random, const Source& one, const Source& two,
                   std::uint64_t first, std::uint64_t n) {
  const IdCipher ids(one.trace_key, one.span_key);
  for (std::uint64_t i = first; i < first + n; ++i) {
    const Items items = random_items(random);
    SpanEvent event = make_span(random() % 3 == 0 ? two : one, i, items.view());
    event.name = static_cast<std::uint32_t>(random() % 6), event.status = static_cast<std::uint8_t>(random() % 3);
    event.kept = static_cast<Kept>(random() % 4);
    if (event.source == &two) event.trace = foreign_trace(ids.trace_id(event.trace.lo));
    if (random() % 10 == 0) event.trace = {true, random() % 7, 1};
    event.parent = {i % 4 != 0, event.trace.foreign, event.span - 1};
    if (event.parent.foreign) event.parent.value = span_value(ids.span_id(event.parent.value));
    if (!event.parent.present) event.parent = {};
    store.add(event);
  }
  const SlotCursor cursor{one.ring_id, 0, first + n};
  ASSERT_EQ(store.commit({&cursor, 1}, stored(n), false), CommitResult::ok) << store.why();
}

TEST(SpanPack, PackedSpansAreTheSameSpans) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  TempHome home;
  const Source one = make_source(1, ten_texts()), two = make_source(2, ten_texts());
  auto store = open_store(home.options());
  for (std::uint64_t n = 0; n < 20'000;) {
    const std::uint64_t batch = 1 + random() % 1500;
    commit_random(*store, random, one, two, n, batch);
    n += batch;
  }
  const Contents before = contents_of(store->path());
  const Upkeep done = store->maintain(kStart + kHour, kNoLimit);
  ASSERT_EQ(done.result, CommitResult::ok) << store->why();
  EXPECT_FALSE(done.more);
  const Contents after = contents_of(store->path());
  EXPECT_EQ(after.spans, before.spans);
  EXPECT_EQ(after.packed, done.spans_packed);
  EXPECT_EQ(after.blocks, done.blocks);
  EXPECT_GE(after.packed, before.hot - 4096);
  EXPECT_LE(after.blocks, 2 + after.packed / 3000);
  EXPECT_EQ(after.damaged, 0U);
  EXPECT_EQ(store->totals().stored, before.hot);
}

TEST(SpanPack, YoungSpansAndTooFewStayHot) {
  TempHome home;
  const Source source = make_source(1, ten_texts());
  auto store = open_store(home.options());
  ASSERT_EQ(commit_spans(*store, source, 0, 4000), CommitResult::ok);
  EXPECT_EQ(store->maintain(kStart + kHour, kNoLimit).spans_packed, 0U);
  ASSERT_EQ(commit_spans(*store, source, 4000, 4000), CommitResult::ok);
  EXPECT_EQ(store->maintain(kStart + kMinute / 2, kNoLimit).spans_packed, 0U);
  EXPECT_EQ(store->maintain(kStart + 2 * kMinute, kNoLimit).spans_packed, 8000U);
}

TEST(SpanPack, AClockThatWentBackHoldsNothingUp) {
  TempHome home;
  const Source source = make_source(1, ten_texts());
  auto store = open_store(home.options());
  ASSERT_EQ(commit_spans(*store, source, 0, 5000), CommitResult::ok);
  EXPECT_EQ(store->maintain(kStart - 40 * 24 * kHour, kNoLimit).spans_packed, 5000U);
  EXPECT_EQ(contents_of(store->path()).counters.size(), 5000U);
}

TEST(SpanPack, WorksInSlicesAndSaysThatThereIsMore) {
  TempHome home;
  const Source source = make_source(1, ten_texts());
  auto store = open_store(home.options());
  for (std::uint64_t n = 0; n < 40'000; n += 1000) ASSERT_EQ(commit_spans(*store, source, n, 1000), CommitResult::ok);
  int calls = 0;
  std::uint64_t packed = 0;
  for (bool more = true; more && calls < 100; ++calls) {
    const Upkeep done = store->maintain(kStart + kHour, 0);
    ASSERT_EQ(done.result, CommitResult::ok) << store->why();
    EXPECT_LE(done.spans_packed, 9192U);
    packed += done.spans_packed;
    more = done.more;
    EXPECT_EQ(more || packed > 40'000 - 4096, true) << calls;
  }
  EXPECT_GE(calls, 4);
  EXPECT_EQ(contents_of(store->path()).counters.size(), 40'000U);
}

TEST(SpanPack, ADamagedRowStaysWhereItIsAndCostsNoOther) {
  TempHome home;
  const Source source = make_source(1, ten_texts());
  auto store = open_store(home.options());
  for (std::uint64_t n = 0; n < 10'000; n += 1000) ASSERT_EQ(commit_spans(*store, source, n, 1000), CommitResult::ok);
  {
    Connection other;
    ASSERT_EQ(other.open(store->path(), Access::read_write, 1000), SQLITE_OK);
    ASSERT_EQ(other.execute("UPDATE hot SET data = CAST(substr(data, 1, 100) || X'5a5a' || substr(data, 103) AS BLOB) "
                            "WHERE id = 2"),
              SQLITE_OK);
  }
  const Upkeep done = store->maintain(kStart + kHour, kNoLimit);
  EXPECT_EQ(done.result, CommitResult::ok);
  EXPECT_EQ(done.damaged_rows, 1U);
  EXPECT_EQ(done.spans_packed, 8000U);  // a slice of nine rows without one; the tenth alone is too few
  const Contents after = contents_of(store->path());
  EXPECT_EQ(after.damaged, 1U);
  EXPECT_EQ(after.counters.size(), 9000U);
}

TEST(SpanPack, AnOlderEngineIsFencedOffAndChangesNothing) {
  TempHome home;
  const Source source = make_source(1, ten_texts());
  auto older = open_store(home.options());
  ASSERT_EQ(commit_spans(*older, source, 0, 5000), CommitResult::ok);
  auto newer = open_store(home.options());
  EXPECT_EQ(older->maintain(kStart + kHour, kNoLimit).result, CommitResult::fenced);
  EXPECT_EQ(contents_of(newer->path()).hot, 5000U);
  EXPECT_EQ(newer->maintain(kStart + kHour, kNoLimit).spans_packed, 5000U);
}

TEST(SpanPack, AFileFromBeforeThereWereBlocksGetsItsTables) {
  TempHome home;
  const Source source = make_source(1, ten_texts());
  auto store = open_store(home.options());
  ASSERT_EQ(commit_spans(*store, source, 0, 5000), CommitResult::ok);
  store.reset();
  {
    Connection other;
    ASSERT_EQ(other.open(home.path + "/metrics/traces.db", Access::read_write, 1000), SQLITE_OK);
    ASSERT_EQ(other.execute("DROP INDEX blk_zone; DROP TABLE trace_range; DROP TABLE foreign_ids; DROP TABLE val"),
              SQLITE_OK);
  }
  store = open_store(home.options());
  EXPECT_EQ(store->maintain(kStart + kHour, kNoLimit).spans_packed, 5000U);
  EXPECT_EQ(contents_of(store->path()).counters.size(), 5000U);
}

TEST(SpanPack, TheCapHoldsWhilePackingAndTheOldestBlocksGoFirst) {
  TempHome home;
  StoreOptions options = home.options();
  options.traces_bytes_max = 6'000'000;
  const Source source = make_source(1, ten_texts());
  std::mt19937_64 random(1);
  auto store = open_store(options);
  std::uint64_t n = 0;
  for (int commit = 0; commit < 150; ++commit, n += 1000) {
    for (std::uint64_t i = n; i < n + 1000; ++i) {
      Items items;
      std::string noise(60, 'x');
      for (char& c : noise) c = static_cast<char>('a' + random() % 26);
      items.text(2, noise);
      store->add(make_span(source, i, items.view()));
    }
    ASSERT_EQ(store->commit({}, stored(1000), false), CommitResult::ok) << store->why() << " at " << commit;
    ASSERT_LE(store->disk_bytes(), options.traces_bytes_max) << commit;
    const Upkeep done = store->maintain(kStart + kHour, kNoLimit);
    ASSERT_EQ(done.result, CommitResult::ok) << store->why() << " at " << commit;
    ASSERT_LE(store->disk_bytes(), options.traces_bytes_max) << commit;
  }
  const Contents after = contents_of(store->path());
  EXPECT_EQ(after.damaged, 0U);
  EXPECT_GT(after.blocks, 5U);
  EXPECT_LT(after.counters.size(), n);
  // What is left is the newest: a block may hold spans of neighbouring rows only.
  EXPECT_EQ(after.counters.rbegin()->first, n);
  EXPECT_GE(after.counters.begin()->first + after.counters.size() + 2, n);
  Connection connection;
  ASSERT_EQ(connection.open(store->path(), Access::read_only, 0), SQLITE_OK);
  EXPECT_EQ(connection.integer("SELECT n FROM counts WHERE name='expired'", 0),
            static_cast<std::int64_t>(n - after.counters.size()));
  EXPECT_EQ(connection.integer("SELECT count(*) FROM trace_range WHERE blk < (SELECT min(id) FROM blk)", -1), 0);
}

TEST(SpanPack, PagesOfPackedRowsAreGivenBack) {
  TempHome home;
  const Source source = make_source(1, ten_texts());
  Items items;
  items.text(2, std::string(200, 'x'));
  auto store = open_store(home.options());
  for (std::uint64_t n = 0; n < 40'000; n += 2000)
    ASSERT_EQ(commit_spans(*store, source, n, 2000, items.view()), CommitResult::ok);
  const auto pages = [&](const char* pragma) {
    Connection connection;
    EXPECT_EQ(connection.open(store->path(), Access::read_only, 0), SQLITE_OK);
    return connection.integer(pragma, -1);
  };
  const std::int64_t before = pages("PRAGMA page_count");
  ASSERT_EQ(store->maintain(kStart + kHour, kNoLimit).result, CommitResult::ok);
  EXPECT_LT(pages("PRAGMA page_count"), before / 2);
  EXPECT_LT(pages("PRAGMA freelist_count"), 128);
}

TEST(SpanPack, OneDamagedBlockCostsThatBlock) {
  TempHome home;
  const Source source = make_source(1, ten_texts());
  auto store = open_store(home.options());
  for (std::uint64_t n = 0; n < 20'000; n += 1000) ASSERT_EQ(commit_spans(*store, source, n, 1000), CommitResult::ok);
  ASSERT_EQ(store->maintain(kStart + kHour, kNoLimit).spans_packed, 18'000U);
  Connection other;
  ASSERT_EQ(other.open(store->path(), Access::read_write, 1000), SQLITE_OK);
  ASSERT_EQ(other.execute("UPDATE blk SET data = CAST(substr(data, 1, 100) || X'5a5a' || substr(data, 103) AS BLOB) "
                          "WHERE id = 2"),
            SQLITE_OK);
  const std::int64_t lost = other.integer("SELECT n FROM blk WHERE id = 2", 0);
  const Contents after = contents_of(store->path());
  EXPECT_EQ(after.damaged, 1U);
  EXPECT_EQ(after.counters.size(), 20'000U - static_cast<std::size_t>(lost));
}

TEST(SpanPack, AQuarantinedFileGivesItsSoundBlocksBack) {
  for (const bool ranges_too : {true, false}) {
    TempHome home;
    const Source source = make_source(1, ten_texts());
    auto store = open_store(home.options());
    for (std::uint64_t n = 0; n < 20'000; n += 1000) ASSERT_EQ(commit_spans(*store, source, n, 1000), CommitResult::ok);
    ASSERT_EQ(store->maintain(kStart + kHour, kNoLimit).spans_packed, 18'000U);
    std::int64_t ranges = 0, lost = 0;
    {
      Connection other;
      ASSERT_EQ(other.open(store->path(), Access::read_write, 1000), SQLITE_OK);
      ranges = other.integer("SELECT count(*) FROM trace_range WHERE blk != 2", 0);
      lost = other.integer("SELECT n FROM blk WHERE id = 2", 0);
      ASSERT_EQ(other.execute("UPDATE blk SET data = zeroblob(100) WHERE id = 2"), SQLITE_OK);
      const char* const damage = ranges_too ? "SELECT 1" : "DROP TABLE trace_range";
      ASSERT_EQ(other.execute(damage), SQLITE_OK);
    }
    std::string said;
    ASSERT_TRUE(store->recover(said)) << said;
    const Contents after = contents_of(store->path());
    EXPECT_EQ(after.counters.size(), 20'000U - static_cast<std::size_t>(lost));
    EXPECT_EQ(after.damaged, 0U);
    Connection fresh;
    ASSERT_EQ(fresh.open(store->path(), Access::read_only, 0), SQLITE_OK);
    EXPECT_EQ(fresh.integer("SELECT count(*) FROM trace_range WHERE blk != 2", 0), ranges);
    EXPECT_EQ(store->maintain(kStart + kHour, kNoLimit).result, CommitResult::ok) << store->why();
  }
}

// Every 700 spans another group, and rows of 500: some rows are of two groups and wait.
TEST(SpanPack, SpansOfTwoGroupsNeverShareABlock) {
  TempHome home;
  const Source source = make_source(1, ten_texts());
  auto store = open_store(home.options());
  for (std::uint64_t n = 0; n < 14'000; n += 500)
    ASSERT_EQ(commit_spans(*store, source, n, 500), CommitResult::ok) << store->why();
  const auto group_of = [](std::uint64_t first, std::uint64_t last) {
    const auto of = [](std::uint64_t at) { return static_cast<int>(at / 700 % 2); };
    return of(first) == of(last - 1) ? of(first) : kSpansOfTwoGroups;
  };
  store->set_span_groups(group_of);
  ASSERT_EQ(store->maintain(kStart + kHour, kNoLimit).result, CommitResult::ok) << store->why();
  Connection connection;
  ASSERT_EQ(connection.open(store->path(), Access::read_only, 1000), SQLITE_OK);
  EXPECT_GT(connection.integer("SELECT count(*) FROM blk", 0), 0);
  Statement blocks = connection.prepare("SELECT first, last FROM blk");
  while (blocks.step() == SQLITE_ROW) {
    EXPECT_NE(group_of(blocks.number(0), blocks.number(1)), kSpansOfTwoGroups)
        << blocks.number(0) << " to " << blocks.number(1);
  }
  EXPECT_EQ(connection.integer("SELECT (SELECT sum(n) FROM blk) + (SELECT sum(n) FROM hot)", 0), 14'000);
  // Once all of them are of one group, nothing waits any more.
  store->set_span_groups({});
  ASSERT_EQ(store->maintain(kStart + kHour, kNoLimit).result, CommitResult::ok) << store->why();
  EXPECT_LT(connection.integer("SELECT coalesce(sum(n), 0) FROM hot", 0), 4096);
}

}  // namespace
}  // namespace honeylink::telemetry::store
