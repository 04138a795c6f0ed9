// TraceStore on real files: what a commit promises, and what it does when it cannot.
#include "store/trace_store.h"

#include <fstream>
#include <map>
#include <random>

#include "store/database.h"
#include "store/test_support.h"
#include "store/trace_codec.h"

namespace honeylink::telemetry::store {
namespace {

std::unique_ptr<TraceStore> open_traces(const StoreOptions& options) {
  std::string said;
  auto store = TraceStore::open(options, said);
  EXPECT_NE(store, nullptr) << said;
  if (store != nullptr && store->begin_epoch() == 0) ADD_FAILURE() << store->why();
  return store;
}

/// Everything in table hot: ordinal (from the span counter) → how often.
std::map<std::uint64_t, int> read_spans(const std::string& path) {
  std::map<std::uint64_t, int> seen;
  Connection connection;
  EXPECT_EQ(connection.open(path, Access::read_only, 1000), SQLITE_OK) << connection.error();
  Statement rows = connection.prepare("SELECT data, n FROM hot ORDER BY id");
  while (rows.step() == SQLITE_ROW) {
    TraceBlob blob(rows.blob(0));
    EXPECT_TRUE(blob.sound());
    EXPECT_EQ(blob.count(), static_cast<std::uint32_t>(rows.integer(1)));
    StoredSpan span;
    while (blob.next(span)) ++seen[span.span - 1];
    EXPECT_FALSE(blob.damaged());
  }
  return seen;
}

TEST(TraceStore, KeepsSpansCursorsAndCountsTogether) {
  TempHome home;
  const Source source = make_source(1, {"_other", "session.establish", "peer"});
  {
    auto store = open_traces(home.options());
    for (std::uint64_t i = 0; i < 100; ++i) store->add(make_span(source, i));
    EXPECT_EQ(store->pending_spans(), 100U);
    const SlotCursor cursor{source.ring_id, 0, 100};
    ASSERT_EQ(store->commit({&cursor, 1}, stored(100), true), CommitResult::ok) << store->why();
    EXPECT_EQ(store->pending_spans(), 0U);
  }
  auto store = open_traces(home.options());
  EXPECT_EQ(store->cursors(), std::vector<SlotCursor>({{source.ring_id, 0, 100}}));
  EXPECT_EQ(store->totals(), stored(100));
  EXPECT_EQ(read_spans(store->path()).size(), 100U);
}

TEST(TraceStore, AnOlderEngineIsFencedOff) {
  TempHome home;
  const Source source = make_source(1, {"_other", "a"});
  auto older = open_traces(home.options());
  auto newer = open_traces(home.options());
  older->add(make_span(source, 0));
  EXPECT_EQ(older->commit({}, stored(1), false), CommitResult::fenced);
  EXPECT_EQ(older->pending_spans(), 1U);
  newer->add(make_span(source, 0));
  EXPECT_EQ(newer->commit({}, stored(1), false), CommitResult::ok);
  EXPECT_EQ(read_spans(newer->path()).size(), 1U);
}

TEST(TraceStore, KeepsARecordOnceOverRestarts) {
  TempHome home;
  {
    auto store = open_traces(home.options());
    EXPECT_TRUE(store->keep_once(ring_id(1), 2, 7));
    EXPECT_FALSE(store->keep_once(ring_id(1), 2, 7));
    EXPECT_TRUE(store->keep_once(ring_id(1), 2, 8));
    ASSERT_EQ(store->commit({}, {}, false), CommitResult::ok);
    EXPECT_FALSE(store->keep_once(ring_id(1), 2, 8));
    EXPECT_TRUE(store->keep_once(ring_id(1), 2, 9));
    store->discard_pending();
  }
  auto store = open_traces(home.options());
  EXPECT_FALSE(store->keep_once(ring_id(1), 2, 7));
  EXPECT_TRUE(store->keep_once(ring_id(1), 2, 9));
  store->forget_kept_below(ring_id(1), 2, 8);
  ASSERT_EQ(store->commit({}, {}, false), CommitResult::ok);
  EXPECT_TRUE(store->keep_once(ring_id(1), 2, 7));
  EXPECT_FALSE(store->keep_once(ring_id(1), 2, 8));
}

TEST(TraceStore, ForgetsARingWithItsCursorsAndKeptRows) {
  TempHome home;
  auto store = open_traces(home.options());
  const SlotCursor cursors[] = {{ring_id(1), 0, 5}, {ring_id(2), 3, 6}};
  EXPECT_TRUE(store->keep_once(ring_id(1), 0, 1));
  ASSERT_EQ(store->commit(cursors, {}, false), CommitResult::ok);
  store->forget_ring(ring_id(1));
  ASSERT_EQ(store->commit({}, {}, false), CommitResult::ok);
  EXPECT_EQ(store->cursors(), std::vector<SlotCursor>({{ring_id(2), 3, 6}}));
  EXPECT_TRUE(store->keep_once(ring_id(1), 0, 1));
}

TEST(TraceStore, AForeignExclusiveLockIsAnsweredBusyAndLosesNothing) {
  TempHome home;
  const Source source = make_source(1, {"_other", "a"});
  auto store = open_traces(home.options());
  Connection other;
  ASSERT_EQ(other.open(store->path(), Access::read_write, 0), SQLITE_OK);
  ASSERT_EQ(other.execute("BEGIN EXCLUSIVE"), SQLITE_OK);
  store->add(make_span(source, 0));
  EXPECT_EQ(store->commit({}, stored(1), false), CommitResult::busy);
  EXPECT_EQ(store->pending_spans(), 1U);
  ASSERT_EQ(other.execute("COMMIT"), SQLITE_OK);
  EXPECT_EQ(store->commit({}, stored(1), false), CommitResult::ok);
  EXPECT_EQ(read_spans(store->path()).size(), 1U);
}

TEST(TraceStore, MarksAndCrashesSurviveARestart) {
  TempHome home;
  {
    auto store = open_traces(home.options());
    store->mark_trace({ring_id(1), {false, 0, 77}, 5000, "error"});
    store->add_crash({ring_id(1), 42, "svc", 10, 20, 3, 1});
    ASSERT_EQ(store->commit({}, {}, true), CommitResult::ok);
  }
  auto store = open_traces(home.options());
  ASSERT_EQ(store->marks().size(), 1U);
  EXPECT_EQ(store->marks()[0].trace.lo, 77U);
  ASSERT_EQ(store->crashes().size(), 1U);
  EXPECT_EQ(store->crashes()[0].pid, 42U);
  store->forget_marks_before(5001);
  ASSERT_EQ(store->commit({}, {}, true), CommitResult::ok);
  EXPECT_TRUE(store->marks().empty());
}

TEST(TraceStore, HandsOverEachSpanOnceUnderTheNumberThatTheDatabaseWillGiveIt) {
  TempHome home;
  const Source source = make_source(1, {"_other", "session.establish", "peer"});
  auto store = open_traces(home.options());
  store->tell_names(true);
  std::vector<std::uint64_t> numbers;
  const auto look = [&] {
    SpanHandOver over;
    if (!store->hand_over(over)) return;
    TraceBlob blob(over.bytes, over.base_unix_ns, over.count);
    StoredSpan span;
    for (std::uint64_t i = 0; i < over.count; ++i) {
      ASSERT_TRUE(blob.next(span));
      EXPECT_EQ(span.span - 1, over.first + i);
      numbers.push_back(over.first + i);
    }
    EXPECT_FALSE(blob.next(span));
  };
  for (std::uint64_t i = 0; i < 300; ++i) {
    store->add(make_span(source, i));
    if (i % 7 == 0) look();
    if (i % 100 == 99) {
      look();
      ASSERT_EQ(store->commit({}, stored(100), false), CommitResult::ok) << store->why();
      EXPECT_EQ(store->spans_stored(), i + 1);
    }
  }
  look();
  ASSERT_EQ(numbers.size(), 300U);
  for (std::uint64_t i = 0; i < 300; ++i) EXPECT_EQ(numbers[i], i);
  Connection connection;
  ASSERT_EQ(connection.open(store->path(), Access::read_only, 1000), SQLITE_OK);
  EXPECT_EQ(connection.integer("SELECT sum(first) FROM hot", -1), 0 + 100 + 200);
}

TEST(TraceStore, TellsTheNamesOfSpansThatNobodyCanReadYet) {
  TempHome home;
  const Source source = make_source(1, {"_other", "session.establish", "peer"});
  auto store = open_traces(home.options());
  store->add(make_span(source, 0));  // named before anybody asked
  store->tell_names(true);
  SpanHandOver over;
  ASSERT_TRUE(store->hand_over(over));
  ASSERT_EQ(over.names.sources.size(), 1U);
  EXPECT_EQ(over.names.sources[0].second.ring_id, source.ring_id);
  EXPECT_FALSE(over.names.texts.empty());
  store->add(make_span(source, 1));
  ASSERT_TRUE(store->hand_over(over));
  EXPECT_TRUE(over.names.sources.empty()) << "told once";
}

TEST(TraceStore, DiscardedSpansComeAgainUnderTheSameNumbers) {
  TempHome home;
  const Source source = make_source(1, {"_other", "a"});
  auto store = open_traces(home.options());
  SpanHandOver over;
  store->add(make_span(source, 0));
  ASSERT_TRUE(store->hand_over(over));
  store->discard_pending();
  EXPECT_FALSE(store->hand_over(over));
  store->add(make_span(source, 0));
  ASSERT_TRUE(store->hand_over(over));
  EXPECT_EQ(over.first, 0U);
}

}  // namespace
}  // namespace honeylink::telemetry::store
