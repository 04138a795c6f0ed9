// Too little space, of every kind: caps, full disks before and during a run, a reader that keeps the -wal (FAULTS F04,
// F05, F40; I-8). Full disks are a small tmpfs where the tests may mount one, and a limit on file size everywhere.
#include <sys/mount.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>
#include <functional>

#include "store/log_files.h"
#include "store/metric_store.h"
#include "store/test_traces.h"

namespace honeylink::telemetry::store {
namespace {

namespace fs = std::filesystem;

TEST(Space, TheCapHoldsAtEveryMomentAndTheOldestGoFirst) {
  TempHome home;
  StoreOptions options = home.options();
  options.traces_bytes_max = 6'000'000;
  const Source source = make_source(1, {"_other", "a", "b"});
  Items items;
  items.text(2, std::string(200, 'x'));
  std::string said;
  auto store = open_traces(options, said);
  std::uint64_t n = 0;
  for (int commit = 0; commit < 250; ++commit, n += 400) {
    ASSERT_EQ(commit_spans(*store, source, n, 400, items.view()), CommitResult::ok) << store->why() << " at " << commit;
    ASSERT_LE(store->disk_bytes(), options.traces_bytes_max) << commit;
    if (commit % 7 == 0) store->checkpoint();
    ASSERT_LE(store->disk_bytes(), options.traces_bytes_max) << commit;
  }
  EXPECT_EQ(store->totals().stored, n);
  Connection connection;
  ASSERT_EQ(connection.open(store->path(), Access::read_only, 0), SQLITE_OK);
  const std::int64_t left = connection.integer("SELECT sum(n) FROM hot", 0);
  EXPECT_EQ(connection.integer("SELECT n FROM counts WHERE name='expired'", 0) + left, static_cast<std::int64_t>(n));
  EXPECT_GT(left, 400 * 10);
  EXPECT_EQ(connection.integer("SELECT count(*) = max(id) - min(id) + 1 FROM hot", 0), 1);
}

TEST(Space, AReaderThatStaysStopsCommitsAtTheBoundOfTheWal) {
  TempHome home;
  StoreOptions options = home.options();
  options.wal_bytes_max = 2'000'000;
  const Source source = make_source(1, {"_other", "a", "b"});
  Items items;
  items.text(2, std::string(200, 'x'));
  std::string said;
  auto store = open_traces(options, said);
  ASSERT_EQ(commit_spans(*store, source, 0, 1), CommitResult::ok);
  int ready[2], leave[2];
  ASSERT_EQ(::pipe(ready), 0);
  ASSERT_EQ(::pipe(leave), 0);
  const pid_t reader = ::fork();
  if (reader == 0) {
    Connection connection;
    char byte = 0;
    if (connection.open(options.home + "/metrics/traces.db", Access::read_only, 1000) != SQLITE_OK) ::_exit(1);
    connection.execute("BEGIN; SELECT count(*) FROM hot");
    (void)!::write(ready[1], &byte, 1);
    (void)!::read(leave[0], &byte, 1);
    connection.execute("COMMIT");
    ::_exit(0);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  CommitResult result = CommitResult::ok;
  std::uint64_t n = 1;
  for (int i = 0; i < 200 && result == CommitResult::ok; ++i) {
    result = commit_spans(*store, source, n, 200, items.view());
    if (result == CommitResult::ok) n += 200;
    ASSERT_LE(file_bytes(store->path() + "-wal"), options.wal_bytes_max);
  }
  EXPECT_EQ(result, CommitResult::reader_holds_wal);
  EXPECT_EQ(store->holders(), std::vector<int>({reader}));
  EXPECT_EQ(store->pending_spans(), 200U);
  ASSERT_EQ(::write(leave[1], &byte, 1), 1);
  ASSERT_EQ(::waitpid(reader, nullptr, 0), reader);
  EXPECT_EQ(store->commit({}, stored(200), false), CommitResult::ok) << store->why();
  EXPECT_EQ(count_spans(store->path()), static_cast<std::int64_t>(n + 200));
  for (const int fd : {ready[0], ready[1], leave[0], leave[1]}) ::close(fd);
}

// The disk of the child is full at `bytes`; afterwards it is not.
int fill_and_free(const std::string& home, const std::function<void()>& fill, const std::function<void()>& free) {
  StoreOptions options;
  options.home = home;
  std::string said;
  const Source source = make_source(1, {"_other", "a", "b"});
  auto traces = TraceStore::open(options, said);
  auto metrics = MetricStore::open(options, said);
  auto logs = LogFiles::open(options, said);
  if (traces == nullptr || metrics == nullptr || logs == nullptr) return 1;
  if (traces->begin_epoch() == 0 || metrics->begin_epoch() == 0 || logs->begin_epoch() == 0) return 2;
  Items items;
  items.text(2, std::string(200, 'x'));
  std::uint64_t spans = 0, lines = 0, ticks = 0;
  SeriesInfo series;
  series.name = "a_total";
  const auto more = [&](CommitResult& s, CommitResult& l, CommitResult& m) {
    for (int i = 0; i < 200; ++i) traces->add(make_span(source, spans + static_cast<std::uint64_t>(i), items.view()));
    const SlotCursor span_cursor{source.ring_id, 0, spans + 200};
    s = traces->commit({&span_cursor, 1}, stored(200), false);
    if (s == CommitResult::ok) spans += 200;
    else traces->discard_pending();
    for (int i = 0; i < 200; ++i) logs->add(make_log(source, lines + static_cast<std::uint64_t>(i), items.view()));
    const SlotCursor log_cursor{source.ring_id, 0, lines + 200};
    l = logs->commit({&log_cursor, 1}, stored(200), false);
    if (l == CommitResult::ok) lines += 200;
    else logs->discard_pending();
    std::vector<MetricDelta> deltas(2000);
    for (std::uint32_t i = 0; i < deltas.size(); ++i) {
      series.labels = {{"n", std::to_string(i)}};
      deltas[i].sid = metrics->series_id(series), deltas[i].integer = 1;
    }
    m = metrics->commit_tick(static_cast<std::int64_t>(ticks) * 10, deltas, 0, 0, stored(1), {}, false);
    ticks += m == CommitResult::ok;
  };
  fill();
  CommitResult s = CommitResult::ok, l = s, m = s;
  bool all_full = false;
  for (int i = 0; i < 60 && !all_full; ++i) {
    more(s, l, m);
    for (const CommitResult r : {s, l, m}) {
      if (r == CommitResult::ok || r == CommitResult::no_space) continue;
      std::fprintf(stderr, "spans %s, logs %s, metrics %s\n", traces->why().c_str(), logs->why().c_str(),
                   metrics->why().c_str());
      return 3;
    }
    all_full = s == CommitResult::no_space && l == CommitResult::no_space && m == CommitResult::no_space;
  }
  if (!all_full) return 4;
  free();
  more(s, l, m);
  if (s != CommitResult::ok || l != CommitResult::ok || m != CommitResult::ok) return 5;
  traces.reset(), metrics.reset(), logs.reset();
  traces = TraceStore::open(options, said), metrics = MetricStore::open(options, said),
  logs = LogFiles::open(options, said);
  if (!said.empty() || traces == nullptr || metrics == nullptr || logs == nullptr) return 6;
  if (traces->totals() != stored(spans) || logs->totals() != stored(lines) || metrics->totals() != stored(ticks))
    return 7;
  return count_spans(traces->path()) == static_cast<std::int64_t>(spans) ? 0 : 8;
}

TEST(Space, AFileSizeLimitIsAFullDiskAndHealsWhenItIsLifted) {
  TempHome home;
  EXPECT_EQ(in_child([&] {
              ::signal(SIGXFSZ, SIG_IGN);
              const rlimit full{500'000, RLIM_INFINITY}, enough{RLIM_INFINITY, RLIM_INFINITY};
              return fill_and_free(
                  home.path, [&] { ::setrlimit(RLIMIT_FSIZE, &full); }, [&] { ::setrlimit(RLIMIT_FSIZE, &enough); });
            }),
            0);
}

TEST(Space, AFullFileSystemHealsWhenSpaceReturns) {
  TempHome mount_point;
  if (::mount("none", mount_point.path.c_str(), "tmpfs", 0, "size=2m") != 0)
    GTEST_SKIP() << "may not mount a tmpfs here";
  const std::string filler = mount_point.path + "/filler", home = mount_point.path + "/home";
  EXPECT_EQ(in_child([&] {
              return fill_and_free(
                  home,
                  [&] {
                    std::ofstream file(filler);
                    for (int i = 0; i < 300 && file; ++i) file.write(std::string(4096, 'x').data(), 4096);
                  },
                  [&] { fs::remove(filler); });
            }),
            0);
  ::umount(mount_point.path.c_str());
}

TEST(Space, AFullDiskBeforeTheStartIsSaidAndTriedAgain) {
  TempHome mount_point;
  if (::mount("none", mount_point.path.c_str(), "tmpfs", 0, "size=1m") != 0)
    GTEST_SKIP() << "may not mount a tmpfs here";
  {
    std::ofstream file(mount_point.path + "/filler");
    while (file.write(std::string(4096, 'x').data(), 4096) && file.flush()) {}
  }
  StoreOptions options;
  options.home = mount_point.path + "/home";
  std::string said;
  EXPECT_EQ(TraceStore::open(options, said), nullptr);
  EXPECT_NE(said, "");
  EXPECT_EQ(MetricStore::open(options, said), nullptr);
  fs::remove(mount_point.path + "/filler");
  said.clear();
  EXPECT_NE(TraceStore::open(options, said), nullptr) << said;
  EXPECT_EQ(said, "");
  EXPECT_NE(MetricStore::open(options, said), nullptr) << said;
  ::umount(mount_point.path.c_str());
}

}  // namespace
}  // namespace honeylink::telemetry::store
