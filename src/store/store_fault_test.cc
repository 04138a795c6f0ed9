// What the world does to a home: damage, symbolic links, foreign modes, full disks, readers that stay, files that vanish
// (FAULTS F04, F05, F08, F31, F32, F40). Real files; full disks are a 2 MB tmpfs where the tests may mount one, else a limit on file size.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <random>

#include "store/database.h"
#include "store/log_files.h"
#include "store/metric_store.h"
#include "store/test_support.h"
#include "store/trace_codec.h"
#include "store/trace_store.h"

namespace honeylink::telemetry::store {
namespace {

namespace fs = std::filesystem;

std::unique_ptr<TraceStore> open_traces(const StoreOptions& options, std::string& said) {
  auto store = TraceStore::open(options, said);
  EXPECT_NE(store, nullptr) << said;
  if (store != nullptr && store->begin_epoch() == 0) ADD_FAILURE() << store->why();
  return store;
}

CommitResult commit_spans(TraceStore& store, const Source& source, std::uint64_t first, std::uint64_t n, std::span<const std::uint8_t> items = {}) {
  for (std::uint64_t i = 0; i < n; ++i) store.add(make_span(source, first + i, items));
  const SlotCursor cursor{source.ring_id, 0, first + n};
  return store.commit({&cursor, 1}, stored(n), false);
}

std::int64_t count_spans(const std::string& path) {
  Connection connection;
  EXPECT_EQ(connection.open(path, Access::read_only, 1000), SQLITE_OK) << connection.error();
  return connection.integer("SELECT coalesce(sum(n), 0) FROM hot", -1);
}

int quarantined(const std::string& directory) {
  int n = 0;
  for (const auto& entry : fs::directory_iterator(directory)) n += entry.path().string().find(".corrupt-") != std::string::npos && !entry.path().string().ends_with("-wal");
  return n;
}

void damage(const std::string& path, std::mt19937_64& random) {
  const auto size = static_cast<std::int64_t>(fs::file_size(path));
  const auto at = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(size));
  switch (random() % 4) {
    case 0: return fs::resize_file(path, static_cast<std::uintmax_t>(at));
    case 1: {
      std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
      file.seekp(at / 512 * 512);
      file.write(std::string(512, '\0').data(), 512);
      return;
    }
    default: {
      std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
      for (int i = 0; i < 8; ++i) {
        const auto where = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(i < 4 ? std::min<std::int64_t>(size, 4096) : size));
        file.seekp(where);
        file.put(static_cast<char>(random()));
      }
    }
  }
}

TEST(DamagedDatabase, OpensWithinTwoSecondsAndKeepsTheEvidence) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  TempHome original;
  const Source source = make_source(1, {"_other", "a", "b"});
  Items items;
  items.text(2, "some text").integer(2, 5);
  {
    std::string said;
    auto store = open_traces(original.options(), said);
    for (std::uint64_t i = 0; i < 40; ++i) ASSERT_EQ(commit_spans(*store, source, i * 200, 200, items.view()), CommitResult::ok);
  }
  int set_aside_count = 0, carried_over = 0;
  for (int round = 0; round < 60; ++round) {
    SCOPED_TRACE(round);
    TempHome home;
    fs::copy(original.path, home.path, fs::copy_options::recursive | fs::copy_options::overwrite_existing);
    damage(home.path + "/metrics/traces.db", random);
    const auto begun = std::chrono::steady_clock::now();
    std::string said;
    auto store = open_traces(home.options(), said);
    ASSERT_NE(store, nullptr);
    CommitResult result = commit_spans(*store, source, 8000, 10);
    if (result == CommitResult::damaged || result == CommitResult::failed) {
      ASSERT_TRUE(store->recover(said)) << said;
      result = commit_spans(*store, source, 8000, 10);
    }
    EXPECT_EQ(result, CommitResult::ok) << store->why();
    EXPECT_LE(std::chrono::steady_clock::now() - begun, std::chrono::seconds(8));  // the promise is 2 s; the machine is shared
    const int aside = quarantined(home.path + "/metrics");
    EXPECT_EQ(aside > 0, said.find("set aside") != std::string::npos) << said;
    set_aside_count += aside;
    carried_over += said.find("carried over") != std::string::npos;
    EXPECT_GE(count_spans(store->path()), 10);
  }
  EXPECT_GT(set_aside_count, 0);
  EXPECT_GT(carried_over, 0);
}

TEST(DamagedDatabase, WhatIsNotADatabaseIsSetAsideWhole) {
  TempHome home;
  fs::create_directories(home.path + "/metrics");
  const std::string content(100'000, 'x');
  for (const char* name : {"traces.db", "metrics.db"}) std::ofstream(home.path + "/metrics/" + name) << content;
  std::string said;
  EXPECT_NE(TraceStore::open(home.options(), said), nullptr) << said;
  EXPECT_NE(MetricStore::open(home.options(), said), nullptr) << said;
  int found = 0;
  for (const auto& entry : fs::directory_iterator(home.path + "/metrics")) {
    if (entry.path().string().find(".corrupt-") == std::string::npos) continue;
    std::ifstream file(entry.path());
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), content);
    ++found;
  }
  EXPECT_EQ(found, 2);
}

TEST(DamagedDatabase, AQuarantineCarriesPositionsEpochAndCountsOver) {
  TempHome home;
  const Source source = make_source(1, {"_other", "a"});
  std::string said;
  auto store = open_traces(home.options(), said);
  ASSERT_EQ(commit_spans(*store, source, 0, 50), CommitResult::ok);
  const std::uint64_t epoch = store->begin_epoch();
  ASSERT_TRUE(store->recover(said)) << said;  // as after a commit that said damaged
  EXPECT_EQ(quarantined(home.path + "/metrics"), 1);
  EXPECT_EQ(store->cursors(), std::vector<SlotCursor>({{source.ring_id, 0, 50}}));
  EXPECT_EQ(store->totals(), stored(50));
  EXPECT_FALSE(store->began_anew());
  EXPECT_GT(store->begin_epoch(), epoch);
  EXPECT_EQ(count_spans(store->path()), 50);
  ASSERT_EQ(commit_spans(*store, source, 50, 5), CommitResult::ok) << store->why();
  EXPECT_EQ(count_spans(store->path()), 55);
}

TEST(VanishedFile, ADeletedDatabaseIsMadeAnew) {
  TempHome home;
  const Source source = make_source(1, {"_other", "a"});
  std::string said;
  auto store = open_traces(home.options(), said);
  ASSERT_EQ(commit_spans(*store, source, 0, 5), CommitResult::ok);
  for (const char* suffix : {"", "-wal", "-shm"}) fs::remove(store->path() + suffix);
  EXPECT_EQ(commit_spans(*store, source, 5, 5), CommitResult::damaged);
  ASSERT_TRUE(store->recover(said)) << said;
  EXPECT_TRUE(store->began_anew());
  EXPECT_EQ(commit_spans(*store, source, 5, 5), CommitResult::ok);
}

TEST(VanishedFile, ADeletedOrEmptiedLogGoesOn) {
  TempHome home;
  const Source source = make_source(1, {"_other", "a"});
  std::string said;
  auto store = LogFiles::open(home.options(), said);
  ASSERT_NE(store->begin_epoch(), 0U);
  const auto write = [&](std::uint64_t n) {
    store->add(make_log(source, n));
    return store->commit({}, stored(1), false);
  };
  ASSERT_EQ(write(0), CommitResult::ok);
  fs::remove(store->path());
  ASSERT_EQ(write(1), CommitResult::ok) << store->why();
  const auto one_line = fs::file_size(store->path());
  ASSERT_EQ(write(2), CommitResult::ok);
  fs::resize_file(store->path(), 0);
  ASSERT_EQ(write(3), CommitResult::ok);
  EXPECT_EQ(fs::file_size(store->path()), one_line);  // no hole of zeros
  EXPECT_EQ(store->totals().stored, 4U);
}

TEST(ForeignFiles, SymbolicLinksAreRefusedAndTheirTargetsUntouched) {
  for (const char* link : {"metrics/traces.db", "metrics/metrics.db", "logs/honeylink.log", "logs/state"}) {
    SCOPED_TRACE(link);
    TempHome home, victim;
    std::ofstream(victim.path + "/file") << "precious";
    fs::create_directories(fs::path(home.path + "/" + link).parent_path());
    fs::create_symlink(victim.path + "/file", home.path + "/" + link);
    std::string said;
    const bool log = std::string_view(link).starts_with("logs");
    if (log) {
      EXPECT_EQ(LogFiles::open(home.options(), said), nullptr);
    } else if (std::string_view(link).ends_with("traces.db")) {
      EXPECT_EQ(TraceStore::open(home.options(), said), nullptr);
    } else {
      EXPECT_EQ(MetricStore::open(home.options(), said), nullptr);
    }
    EXPECT_NE(said.find("symbolic link"), std::string::npos) << said;
    std::ifstream file(victim.path + "/file");
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), "precious");
  }
  for (const char* directory : {"metrics", "logs"}) {
    TempHome home, victim;
    fs::create_directory_symlink(victim.path, home.path + "/" + directory);
    std::string said;
    if (std::string_view(directory) == "logs") {
      EXPECT_EQ(LogFiles::open(home.options(), said), nullptr);
    } else {
      EXPECT_EQ(TraceStore::open(home.options(), said), nullptr);
    }
    EXPECT_TRUE(fs::is_empty(victim.path));
  }
}

TEST(ForeignFiles, ModesAreWhatTheyMustBeWhateverTheUmask) {
  for (const mode_t mask : {0000, 0077, 0777}) {
    TempHome home;
    EXPECT_EQ(in_child([&] {
                ::umask(mask);
                std::string said;
                const Source source = make_source(1, {"_other", "a"});
                auto traces = TraceStore::open(home.options(), said);
                auto logs = LogFiles::open(home.options(), said);
                if (traces == nullptr || logs == nullptr || traces->begin_epoch() == 0 || logs->begin_epoch() == 0) return 1;
                if (commit_spans(*traces, source, 0, 1) != CommitResult::ok) return 2;
                struct stat info {};
                for (const char* file : {"metrics/traces.db", "metrics/traces.db-wal", "logs/honeylink.log", "logs/state"}) {
                  if (::stat((home.path + "/" + file).c_str(), &info) != 0 || (info.st_mode & 07777) != 0644) return 3;
                }
                for (const char* directory : {"", "/metrics", "/logs"}) {
                  if (::stat((home.path + directory).c_str(), &info) != 0 || (info.st_mode & 07777) != 0700) return 4;
                }
                return 0;
              }),
              0)
        << std::oct << mask;
  }
}

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
    if (s == CommitResult::ok) spans += 200; else traces->discard_pending();
    for (int i = 0; i < 200; ++i) logs->add(make_log(source, lines + static_cast<std::uint64_t>(i), items.view()));
    const SlotCursor log_cursor{source.ring_id, 0, lines + 200};
    l = logs->commit({&log_cursor, 1}, stored(200), false);
    if (l == CommitResult::ok) lines += 200; else logs->discard_pending();
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
      std::fprintf(stderr, "spans %s, logs %s, metrics %s\n", traces->why().c_str(), logs->why().c_str(), metrics->why().c_str());
      return 3;
    }
    all_full = s == CommitResult::no_space && l == CommitResult::no_space && m == CommitResult::no_space;
  }
  if (!all_full) return 4;
  free();
  more(s, l, m);
  if (s != CommitResult::ok || l != CommitResult::ok || m != CommitResult::ok) return 5;
  traces.reset(), metrics.reset(), logs.reset();
  traces = TraceStore::open(options, said), metrics = MetricStore::open(options, said), logs = LogFiles::open(options, said);
  if (!said.empty() || traces == nullptr || metrics == nullptr || logs == nullptr) return 6;
  if (traces->totals() != stored(spans) || logs->totals() != stored(lines) || metrics->totals() != stored(ticks)) return 7;
  return count_spans(traces->path()) == static_cast<std::int64_t>(spans) ? 0 : 8;
}

TEST(Space, AFileSizeLimitIsAFullDiskAndHealsWhenItIsLifted) {
  TempHome home;
  EXPECT_EQ(in_child([&] {
              ::signal(SIGXFSZ, SIG_IGN);
              const rlimit full{500'000, RLIM_INFINITY}, enough{RLIM_INFINITY, RLIM_INFINITY};
              return fill_and_free(home.path, [&] { ::setrlimit(RLIMIT_FSIZE, &full); }, [&] { ::setrlimit(RLIMIT_FSIZE, &enough); });
            }),
            0);
}

TEST(Space, AFullFileSystemHealsWhenSpaceReturns) {
  TempHome mount_point;
  if (::mount("none", mount_point.path.c_str(), "tmpfs", 0, "size=2m") != 0) GTEST_SKIP() << "may not mount a tmpfs here";
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
  if (::mount("none", mount_point.path.c_str(), "tmpfs", 0, "size=1m") != 0) GTEST_SKIP() << "may not mount a tmpfs here";
  {
    std::ofstream file(mount_point.path + "/filler");
    while (file.write(std::string(4096, 'x').data(), 4096) && file.flush()) {
    }
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
