// metrics.db in trouble: damage, foreign and newer files, an engine that was stopped, a small cap (F08, F39, I-7, I-8).
// What traces.db shares with it is tried in store_fault_test.cc and store_space_test.cc.
#include <fstream>
#include <random>

#include "store/database.h"
#include "store/metric_codec.h"
#include "store/metric_store.h"
#include "store/test_support.h"

namespace honeylink::telemetry::store {
namespace {

namespace fs = std::filesystem;
constexpr int kSeries = 40;

struct OpenMetrics {
  explicit OpenMetrics(const StoreOptions& options) {
    store = MetricStore::open(options, said);
    if (store != nullptr) epoch = store->begin_epoch();
  }
  /// One tick in which every series gained 1.
  CommitResult tick(std::int64_t at) {
    std::vector<MetricDelta> deltas;
    for (int i = 0; i < kSeries; ++i) {
      SeriesInfo info;
      info.name = "metric_" + std::to_string(i), info.unit = "1", info.service_name = "svc";
      MetricDelta delta;
      delta.sid = store->series_id(info), delta.integer = 1;
      deltas.push_back(delta);
    }
    LedgerSnapshot ledger;
    ledger.metrics.totals = store->totals();
    ledger.metrics.totals.accepted += kSeries, ledger.metrics.totals.stored += kSeries;
    return store->commit_tick(at, deltas, static_cast<int>(at / 10 % 2), 7, stored(kSeries), ledger, false);
  }
  std::string said;
  std::unique_ptr<MetricStore> store;
  std::uint64_t epoch = 0;
};

std::vector<std::string> set_aside_in(const std::string& home) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(home + "/metrics")) {
    const std::string name = entry.path().string();
    if (name.find("metrics.db.corrupt-") != std::string::npos && !name.ends_with("-wal")) names.push_back(name);
  }
  return names;
}
std::int64_t asked(const std::string& path, const char* sql) {
  Connection reader;
  EXPECT_EQ(reader.open(path, Access::read_only, 1000), SQLITE_OK);
  return reader.integer(sql, -1);
}

class MetricsDatabase : public testing::Test {
 protected:
  void SetUp() override {
    OpenMetrics metrics(original_.options());
    ASSERT_NE(metrics.store, nullptr) << metrics.said;
    for (int i = 0; i < 60; ++i) ASSERT_EQ(metrics.tick(10'000 + i * 10), CommitResult::ok);
    metrics.store->checkpoint();
  }
  void copy_to(const TempHome& home) const {
    fs::copy(original_.path, home.path, fs::copy_options::recursive | fs::copy_options::overwrite_existing);
  }
  static std::string file(const TempHome& home) { return home.path + "/metrics/metrics.db"; }
  /// Opens the damaged copy and records on, as the engine does; true where the damage was noticed.
  static bool goes_on(const TempHome& home) {
    OpenMetrics metrics(home.options());
    EXPECT_NE(metrics.store, nullptr) << metrics.said;
    if (metrics.store == nullptr) return false;
    std::string said = metrics.said;
    CommitResult result = metrics.tick(20'000);
    if (result == CommitResult::damaged || result == CommitResult::failed) {
      EXPECT_TRUE(metrics.store->recover(said)) << said;
      result = metrics.tick(20'000);
    }
    EXPECT_EQ(result, CommitResult::ok) << metrics.store->why();
    const bool aside = !set_aside_in(home.path).empty();
    EXPECT_EQ(aside, said.find("set aside") != std::string::npos) << said;
    EXPECT_EQ(asked(metrics.store->path(), "SELECT count(*) FROM hot WHERE tick = 20000"), 1);
    return aside;
  }
  TempHome original_;
};

TEST_F(MetricsDatabase, DamagedAnywhereOpensGoesOnAndKeepsTheEvidence) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  int noticed = 0;
  for (int round = 0; round < 40; ++round) {
    SCOPED_TRACE(round);
    TempHome home;
    copy_to(home);
    const auto size = fs::file_size(file(home));
    const auto at = random() % size;
    if (round % 4 == 0) {
      fs::resize_file(file(home), at);
    } else {
      std::fstream bytes(file(home), std::ios::in | std::ios::out | std::ios::binary);
      bytes.seekp(static_cast<std::int64_t>(at / 512 * 512));
      if (round % 4 == 1) bytes << std::string(512, '\0');
      else
        for (int i = 0; i < 8; ++i)
          bytes.seekp(static_cast<std::int64_t>(random() % size)), bytes.put(static_cast<char>(random()));
    }
    noticed += goes_on(home) ? 1 : 0;
  }
  EXPECT_GT(noticed, 0);
}

TEST_F(MetricsDatabase, WithAnyPageZeroedOpensAndGoesOn) {
  const auto pages = fs::file_size(file(original_)) / 4096;
  ASSERT_GT(pages, 10U);
  int noticed = 0;
  for (std::uintmax_t page = 0; page < pages; page += 1 + pages / 40) {
    SCOPED_TRACE(page);
    TempHome home;
    copy_to(home);
    {
      std::fstream bytes(file(home), std::ios::in | std::ios::out | std::ios::binary);
      bytes.seekp(static_cast<std::int64_t>(page * 4096));
      bytes << std::string(4096, '\0');
    }
    noticed += goes_on(home) ? 1 : 0;
  }
  EXPECT_GT(noticed, 5);
}

TEST_F(MetricsDatabase, ADamagedLogOfWritesLosesNoMoreThanItself) {
  TempHome home;
  copy_to(home);
  {
    OpenMetrics metrics(home.options());
    for (int i = 0; i < 5; ++i) ASSERT_EQ(metrics.tick(15'000 + i * 10), CommitResult::ok);
    fs::copy_file(file(home) + "-wal", home.path + "/wal");
  }
  fs::copy_file(home.path + "/wal", file(home) + "-wal", fs::copy_options::overwrite_existing);
  std::fstream bytes(file(home) + "-wal", std::ios::in | std::ios::out | std::ios::binary);
  bytes.seekp(100);
  bytes << std::string(200, '\x5a');
  bytes.close();
  goes_on(home);
  EXPECT_GE(asked(file(home), "SELECT count(*) FROM hot WHERE tick < 15000"), 60);
}

TEST_F(MetricsDatabase, AForeignDatabaseIsSetAsideWhole) {
  TempHome home;
  fs::create_directories(home.path + "/metrics");
  {
    Connection foreign;
    std::ofstream(file(home)).close();
    ASSERT_EQ(foreign.open(file(home), Access::read_write, 100), SQLITE_OK);
    ASSERT_EQ(foreign.execute("CREATE TABLE theirs(a); INSERT INTO theirs VALUES('keep this');"
                              "PRAGMA application_id=42; PRAGMA user_version=7"),
              SQLITE_OK)
        << foreign.error();
  }
  OpenMetrics metrics(home.options());
  ASSERT_NE(metrics.store, nullptr) << metrics.said;
  EXPECT_NE(metrics.said.find("set aside"), std::string::npos) << metrics.said;
  EXPECT_EQ(metrics.tick(100), CommitResult::ok) << metrics.store->why();
  const auto aside = set_aside_in(home.path);
  ASSERT_EQ(aside.size(), 1U);
  EXPECT_EQ(asked(aside[0], "SELECT count(*) FROM theirs WHERE a = 'keep this'"), 1);
}

TEST_F(MetricsDatabase, OfANewerWriterIsLeftAlone) {
  TempHome home;
  copy_to(home);
  {
    Connection newer;
    ASSERT_EQ(newer.open(file(home), Access::read_write, 100), SQLITE_OK);
    ASSERT_EQ(newer.execute("UPDATE meta SET value = 99 WHERE key = 'min_writer'; PRAGMA user_version=99;"
                            "PRAGMA wal_checkpoint(TRUNCATE)"),
              SQLITE_OK);
  }
  OpenMetrics metrics(home.options());
  EXPECT_EQ(metrics.store, nullptr);
  EXPECT_NE(metrics.said.find("newer version"), std::string::npos) << metrics.said;
  EXPECT_TRUE(set_aside_in(home.path).empty());
  EXPECT_EQ(asked(file(home), "SELECT count(*) FROM hot"), 60);
  EXPECT_EQ(asked(file(home), "SELECT value FROM meta WHERE key = 'min_writer'"), 99);
  EXPECT_EQ(asked(file(home), "PRAGMA user_version"), 99);
}

TEST_F(MetricsDatabase, WithAddedTablesOfANewerVersionIsStillWritten) {
  TempHome home;
  copy_to(home);
  {
    Connection newer;
    ASSERT_EQ(newer.open(file(home), Access::read_write, 100), SQLITE_OK);
    ASSERT_EQ(newer.execute("CREATE TABLE added(a); PRAGMA user_version=2"), SQLITE_OK);
  }
  EXPECT_FALSE(goes_on(home)) << "changes are additive: min_writer says who may write";
}

TEST_F(MetricsDatabase, AnOlderEngineIsFencedOff) {
  TempHome home;
  OpenMetrics older(home.options()), newer(home.options());
  ASSERT_NE(older.store, nullptr);
  ASSERT_GT(newer.epoch, older.epoch);
  EXPECT_EQ(older.tick(100), CommitResult::fenced);
  EXPECT_EQ(newer.tick(100), CommitResult::ok);
  EXPECT_EQ(older.tick(110), CommitResult::fenced);
  EXPECT_EQ(asked(newer.store->path(), "SELECT count(*) FROM hot"), 1);
  EXPECT_EQ(newer.store->totals(), stored(kSeries));
  EXPECT_EQ(newer.store->base_slot().number, 0);
}

TEST_F(MetricsDatabase, StaysUnderItsCapAndTheOldestTicksGoFirst) {
  TempHome home;
  StoreOptions options = home.options();
  options.metrics_bytes_max = 5'000'000;
  OpenMetrics metrics(options);
  ASSERT_NE(metrics.store, nullptr) << metrics.said;
  std::vector<SeriesInfo> series(1'000);
  std::vector<MetricDelta> deltas(series.size());
  for (std::size_t i = 0; i < series.size(); ++i) {
    series[i].name = "wide_" + std::to_string(i), series[i].kind = MetricType::counter_real, series[i].unit = "1";
    deltas[i].sid = metrics.store->series_id(series[i]), deltas[i].kind = MetricType::counter_real;
  }
  std::mt19937_64 random(7);
  constexpr int kTicks = 650;
  for (int tick = 0; tick < kTicks; ++tick) {
    for (MetricDelta& delta : deltas) delta.real = static_cast<double>(random()) * 1e-9;
    ASSERT_EQ(metrics.store->commit_tick(tick * 10, deltas, tick % 2, 1, stored(deltas.size()), {}, false),
              CommitResult::ok)
        << metrics.store->why() << " at " << tick;
    ASSERT_LE(metrics.store->disk_bytes(), options.metrics_bytes_max) << tick;
    if (tick % 20 == 0) metrics.store->checkpoint();
    ASSERT_LE(metrics.store->disk_bytes(), options.metrics_bytes_max) << tick;
  }
  const std::int64_t oldest = asked(metrics.store->path(), "SELECT min(tick) FROM hot");
  EXPECT_GT(oldest, 0) << "nothing had to go: the test tests nothing";
  EXPECT_EQ(asked(metrics.store->path(), "SELECT max(tick) FROM hot"), (kTicks - 1) * 10);
  EXPECT_EQ(asked(metrics.store->path(), "SELECT count(*) * 10 = max(tick) - min(tick) + 10 FROM hot"), 1)
      << "a hole among the ticks that are left";
}

}  // namespace
}  // namespace honeylink::telemetry::store
