// A writer is killed at every named point of the three sinks, at several passes; whoever comes next finds every record
// exactly once and counts that agree (I-3, F02). The child is a fork that dies by SIGKILL; the parent reopens the same
// files.
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "base/killpoint.h"
#include "store/database.h"
#include "store/log_archive.h"
#include "store/log_files.h"
#include "store/metric_codec.h"
#include "store/metric_store.h"
#include "store/test_support.h"
#include "store/trace_codec.h"
#include "store/trace_store.h"

#ifdef HONEYLINK_KILLPOINTS
namespace honeylink::telemetry::store {
namespace {

constexpr std::uint64_t kRecords = 400, kBatch = 20;

std::vector<std::string> points(std::string_view prefix) {
  std::vector<std::string> found;
  for (const std::string_view name : kKillpoints) {
    if (name.starts_with(prefix)) found.emplace_back(name);
  }
  return found;
}

std::uint64_t next_of(const std::vector<SlotCursor>& cursors) { return cursors.empty() ? 0 : cursors[0].next_ordinal; }

// What an engine does: from the cursor on, in batches, until everything is stored. 0 where it got to the end.
int store_traces(const StoreOptions& options) {
  std::string said;
  const Source source = make_source(1, {"_other", "a", "b"});
  auto store = TraceStore::open(options, said);
  if (store == nullptr || store->begin_epoch() == 0) return 2;
  for (std::uint64_t n = next_of(store->cursors()); n < kRecords;) {
    for (const std::uint64_t end = n + kBatch; n < end; ++n) store->add(make_span(source, n));
    const SlotCursor cursor{source.ring_id, 0, n};
    if (store->commit({&cursor, 1}, stored(kBatch), n % 80 == 0) != CommitResult::ok) return 3;
    store->checkpoint();
  }
  return 0;
}

void check_traces(const StoreOptions& options) {
  std::string said;
  auto store = TraceStore::open(options, said);
  ASSERT_NE(store, nullptr) << said;
  EXPECT_EQ(said, "");
  Connection connection;
  ASSERT_EQ(connection.open(store->path(), Access::read_only, 1000), SQLITE_OK);
  std::map<std::uint64_t, int> seen;
  Statement rows = connection.prepare("SELECT data FROM hot");
  while (rows.step() == SQLITE_ROW) {
    TraceBlob blob(rows.blob(0));
    StoredSpan span;
    while (blob.next(span)) ++seen[span.span - 1];
  }
  const std::uint64_t next = next_of(store->cursors());
  EXPECT_EQ(seen.size(), next);
  for (const auto& [ordinal, times] : seen) {
    EXPECT_LT(ordinal, next);
    EXPECT_EQ(times, 1);
  }
  EXPECT_EQ(store->totals(), next == 0 ? Counts() : stored(next));
}

int store_logs(const StoreOptions& options) {
  std::string said;
  const Source source = make_source(1, {"_other", "a", "text"});
  auto store = LogFiles::open(options, said);
  if (store == nullptr || store->begin_epoch() == 0) return 2;
  Items items;
  items.text(2, std::string(150, 'x'));
  for (std::uint64_t n = next_of(store->cursors()); n < kRecords;) {
    for (const std::uint64_t end = n + kBatch; n < end; ++n) store->add(make_log(source, n, items.view()));
    const SlotCursor cursor{source.ring_id, 0, n};
    if (store->commit({&cursor, 1}, stored(kBatch), n % 80 == 0) != CommitResult::ok) return 3;
  }
  return 0;
}

void count_lines(const std::string& text, std::map<std::uint64_t, int>& seen) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const auto json = nlohmann::json::parse(line, nullptr, false);
    ASSERT_FALSE(json.is_discarded()) << line;
    ++seen[std::stoull(json["time_unix_nano"].get<std::string>()) - 1'700'000'000'123'456'789ULL];
  }
}

std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void check_logs(const StoreOptions& options) {
  std::string said;
  auto store = LogFiles::open(options, said);
  ASSERT_NE(store, nullptr) << said;
  EXPECT_EQ(said, "");
  std::map<std::uint64_t, int> seen;
  count_lines(read_text(store->path()), seen);
  for (const RotatedLog& log : rotated_logs(options.home + "/logs"))
    count_lines(log.compressed ? read_compressed_log(log.path) : read_text(log.path), seen);
  const std::uint64_t next = next_of(store->cursors());
  EXPECT_EQ(seen.size(), next);
  for (const auto& [ordinal, times] : seen) {
    EXPECT_LT(ordinal, next);
    EXPECT_EQ(times, 1);
  }
  EXPECT_EQ(store->totals(), next == 0 ? Counts() : stored(next));
}

int store_metrics(const StoreOptions& options) {
  std::string said;
  auto store = MetricStore::open(options, said);
  if (store == nullptr || store->begin_epoch() == 0) return 2;
  SeriesInfo info;
  info.name = "a_total";
  // The base of an engine: which value was stored last is what base_slot says.
  for (std::uint64_t n = store->base_slot().crc; n < kRecords / kBatch;) {
    MetricDelta delta;
    delta.sid = store->series_id(info), delta.integer = 1;
    ++n;
    if (store->commit_tick(static_cast<std::int64_t>(n) * 10, {&delta, 1}, static_cast<int>(n & 1), n, stored(1), {},
                           n % 4 == 0) != CommitResult::ok)
      return 3;
  }
  return 0;
}

void check_metrics(const StoreOptions& options) {
  std::string said;
  auto store = MetricStore::open(options, said);
  ASSERT_NE(store, nullptr) << said;
  EXPECT_EQ(said, "");
  Connection connection;
  ASSERT_EQ(connection.open(store->path(), Access::read_only, 1000), SQLITE_OK);
  std::uint64_t sum = 0;
  Statement rows = connection.prepare("SELECT data FROM hot");
  while (rows.step() == SQLITE_ROW) {
    MetricBlob blob(rows.blob(0));
    StoredPoint point;
    while (blob.next(point)) sum += point.integer;
  }
  EXPECT_EQ(sum, store->base_slot().crc);
  EXPECT_EQ(store->totals().stored, sum);
  EXPECT_EQ(store->base_slot().number, sum == 0 ? -1 : static_cast<int>(sum & 1));
}

struct Sink {
  const char* prefix;
  int (*work)(const StoreOptions&);
  void (*check)(const StoreOptions&);
};

void kill_everywhere(const Sink& sink, const StoreOptions& base, std::initializer_list<int> passes) {
  for (const std::string& point : points(sink.prefix)) {
    bool died = false;
    for (const int pass : passes) {
      TempHome home;
      StoreOptions options = base;
      options.home = home.path;
      const int code = in_child([&] {
        arm_killpoint(point, pass);
        return sink.work(options);
      });
      died = died || code == -SIGKILL;
      SCOPED_TRACE(point + " pass " + std::to_string(pass) + " ended " + std::to_string(code));
      ASSERT_TRUE(code == -SIGKILL || code == 0);
      sink.check(options);
      EXPECT_EQ(in_child([&] { return sink.work(options); }), 0);
      sink.check(options);
    }
    EXPECT_TRUE(died) << point << " was never passed";
  }
}

TEST(KilledAtAnyPoint, TracesAreStoredExactlyOnce) {
  kill_everywhere({"trace.", store_traces, check_traces}, {}, {1, 2, 7});
}

TEST(KilledAtAnyPoint, LogsAreStoredExactlyOnce) {
  StoreOptions options;
  options.logs_bytes_max = 150'000;  // a rotation each 30,000 bytes, and none is deleted
  kill_everywhere({"log.", store_logs, check_logs}, options, {1, 2, 5});
}

TEST(KilledAtAnyPoint, MetricTicksAreStoredExactlyOnce) {
  for (const char* name : {"metric.before_begin", "metric.after_row", "metric.before_commit", "metric.after_commit"}) {
    kill_everywhere({name, store_metrics, check_metrics}, {}, {1, 2, 9});
  }
}

}  // namespace
}  // namespace honeylink::telemetry::store
#endif
