// honeytel db, honeytel bundle, and homes in one file: written through the stores' own classes, looked at through the
// tool.
#include <algorithm>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "cli_support.h"
#include "store/log_files.h"
#include "store/metric_store.h"
#include "store/sqlite.h"
#include "store/test_support.h"
#include "store/trace_store.h"

namespace honeylink::telemetry::test {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000, kMinute = 60 * kSecond;

class CliDb : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    now_ = std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
               .count();
    source_ = store::make_source(1, {"_other", "late", "early", "peer", "early.only"});
    options_.home = home_;
    fill();
  }
  /// Of each signal: 50 records of two hours ago, 50 of the last minutes.
  void fill() {
    std::string said;
    auto traces = store::TraceStore::open(options_, said);
    auto metrics = store::MetricStore::open(options_, said);
    auto logs = store::LogFiles::open(options_, said);
    ASSERT_TRUE(traces && metrics && logs) << said;
    ASSERT_TRUE(traces->begin_epoch() != 0 && metrics->begin_epoch() != 0 && logs->begin_epoch() != 0);
    for (const bool early : {true, false}) {
      for (std::uint64_t i = 0; i < 50; ++i) {
        const std::int64_t at = now_ - (early ? 120 * kMinute : 5 * kMinute) + static_cast<std::int64_t>(i) * kSecond;
        store::Items items;
        items.text(early ? 4 : 3, early ? "value-of-two-hours-ago" : "value-of-now");
        SpanEvent span = store::make_span(source_, (early ? 0 : 100) + i, items.view());
        span.start_unix_ns = at, span.name = early ? 2 : 1;
        traces->add(span);
        LogEvent line;
        line.source = &source_, line.time_unix_ns = at, line.name = early ? 2 : 1, line.level = 9;
        logs->add(line);
        MetricDelta delta;
        SeriesInfo info;
        info.name = "a_total", info.unit = "1", info.service_name = "svc";
        delta.sid = metrics->series_id(info), delta.integer = 1;
        ASSERT_EQ(metrics->commit_tick(at / kSecond, {&delta, 1}, 0, 0, store::stored(1), {}, false),
                  store::CommitResult::ok);
      }
      ASSERT_EQ(traces->commit({}, store::stored(50), false), store::CommitResult::ok);
      ASSERT_EQ(logs->commit({}, store::stored(50), true), store::CommitResult::ok);
    }
  }
  void execute(const std::string& path, const std::string& sql) {
    store::Connection connection;
    ASSERT_EQ(connection.open(path, store::Access::read_write, 1000), SQLITE_OK) << connection.error();
    ASSERT_EQ(connection.execute(sql.c_str()), SQLITE_OK) << connection.error();
    ASSERT_EQ(connection.execute("PRAGMA wal_checkpoint(TRUNCATE)"), SQLITE_OK);
  }
  [[nodiscard]] std::string traces_db() const { return home_ + "/metrics/traces.db"; }
  [[nodiscard]] std::string metrics_db() const { return home_ + "/metrics/metrics.db"; }
  static std::string bytes_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  std::int64_t asked(const std::string& home, const std::string& sql) {
    const Said said = honeytel({"sql", sql, "--json", "--home", home});
    EXPECT_EQ(said.exit, 0) << said.err;
    return said.exit == 0 ? said.json()["rows"].at(0).begin()->get<std::int64_t>() : -1;
  }
  std::size_t left_in_tmp() {
    std::size_t n = 0;
    for (const auto& entry : std::filesystem::directory_iterator(home_ + "/tmp"))
      n += entry.path().filename().string().starts_with("honeytel-home-") ? 1 : 0;
    return n;
  }
  std::int64_t now_ = 0;
  Source source_;
  store::StoreOptions options_;
};

TEST_F(CliDb, StatsAddUpToWhatIsStored) {
  const Said said = honeytel({"db", "stats", "--json"});
  ASSERT_EQ(said.exit, 0) << said.err;
  std::map<std::string, nlohmann::json> rows;
  const nlohmann::json answer = said.json();
  for (const auto& row : answer["tables"])
    rows[row["store"].get<std::string>() + ' ' + row["table"].get<std::string>() + ' ' +
         (row["tier"].is_null() ? std::string() : row["tier"].get<std::string>())] = row;
  EXPECT_EQ(rows.at("metrics hot 10 s")["items"], 100);
  EXPECT_EQ(rows.at("traces hot ")["items"], 100);
  EXPECT_EQ(rows.at("traces hot ")["rows"], 2);
  EXPECT_NEAR(rows.at("traces hot ")["bytes_each"].get<double>(), rows.at("traces hot ")["bytes"].get<double>() / 100,
              1e-9);
  EXPECT_EQ(rows.at("metrics file ")["bytes"].get<std::uint64_t>(),
            std::filesystem::file_size(metrics_db()) + std::filesystem::file_size(metrics_db() + "-wal") +
                std::filesystem::file_size(metrics_db() + "-shm"));
  EXPECT_EQ(honeytel({"db", "stats"}).exit, 0);
}

TEST_F(CliDb, CheckNamesWhatIsDamagedAndNothingElse) {
  const Said sound = honeytel({"db", "check", "--json"});
  EXPECT_EQ(sound.exit, 0) << sound.out << sound.err;
  EXPECT_EQ(sound.json()["total"], 0);
  EXPECT_NE(sound.err.find("2 databases, 100 points, 100 spans, 100 log lines looked at: sound"), std::string::npos)
      << sound.err;
  execute(traces_db(),
          "UPDATE hot SET data = CAST(substr(data, 1, 60) || x'ff' || substr(data, 62) AS BLOB) WHERE id = 2");
  execute(metrics_db(),
          "UPDATE hot SET data = CAST(substr(data, 1, 24) || x'ff' || substr(data, 26) AS BLOB) WHERE commit_no = 7;"
          "INSERT INTO seg VALUES(9, 0, 0, 0, 14400, 5, x'00112233')");
  std::ofstream(home_ + "/logs/honeylink.log", std::ios::app) << "half a li\n";
  const Said said = honeytel({"db", "check", "--json"});
  EXPECT_EQ(said.exit, 7) << said.err;
  std::vector<std::string> where;
  const nlohmann::json answer = said.json();
  for (const auto& damage : answer["damages"])
    where.push_back(damage["store"].get<std::string>() + ' ' + damage["where"].get<std::string>());
  EXPECT_EQ(where, (std::vector<std::string>{"metrics seg 9", "metrics hot 7", "traces hot 2",
                                             "logs honeylink.log, line 101"}));
  std::ofstream(metrics_db(), std::ios::trunc) << std::string(8'192, 'x');
  const Said broken = honeytel({"db", "check"});
  EXPECT_EQ(broken.exit, 7);
  EXPECT_NE(broken.out.find("not a database"), std::string::npos) << broken.out;
}

// Read on from the last key, rows that go down again would be read for ever.
TEST_F(CliDb, CheckEndsWhereRowsAreOutOfOrder) {
  execute(metrics_db(),
          "INSERT INTO series SELECT 98, 'x', kind, unit, labels, resource, scope, '' FROM series LIMIT 1;"
          "INSERT INTO series SELECT 99, 'y', kind, unit, labels, resource, scope, '' FROM series LIMIT 1");
  store::Connection reader;
  ASSERT_EQ(reader.open(metrics_db(), store::Access::read_only, 0), SQLITE_OK);
  const auto root = reader.integer("SELECT rootpage FROM sqlite_schema WHERE name = 'series' AND type = 'table'", 0);
  reader.close();
  std::string bytes = bytes_of(metrics_db());
  char* const leaf = bytes.data() + (root - 1) * 4096;
  ASSERT_EQ(leaf[0], 13);
  ASSERT_EQ(leaf[4], 3);
  std::swap_ranges(leaf + 10, leaf + 12, leaf + 12);
  std::ofstream(metrics_db(), std::ios::binary | std::ios::trunc) << bytes;
  const Said said = run("/usr/bin/timeout", {"timeout", "60", HONEYTEL_PATH, "db", "check", "--home", home_});
  EXPECT_EQ(said.exit, 7) << said.err;
  EXPECT_NE(said.out.find("out of order"), std::string::npos) << said.out;
}

TEST_F(CliDb, VacuumGivesBackWhatHoldsNothing) {
  execute(traces_db(),
          "CREATE TABLE junk(data); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)"
          "INSERT INTO junk SELECT zeroblob(20000) FROM n; DROP TABLE junk");
  const auto before = std::filesystem::file_size(traces_db());
  ASSERT_GT(before, 10'000'000U);
  const Said said = honeytel({"db", "vacuum", "--json"});
  ASSERT_EQ(said.exit, 0) << said.err;
  EXPECT_LT(std::filesystem::file_size(traces_db()), 1'000'000U);
  EXPECT_LT(said.json()["vacuumed"].at(1)["bytes_after"].get<std::uint64_t>(), 1'000'000U);
  EXPECT_EQ(honeytel({"db", "check"}).exit, 0);
}

TEST_F(CliDb, ABackupAnswersAsItsHomeDoes) {
  const std::string backup = home_ + "/all.backup";
  std::filesystem::create_directory(home_ + "/tmp");
  const Said made = honeytel({"db", "backup", backup, "--json"});
  ASSERT_EQ(made.exit, 0) << made.err;
  EXPECT_EQ(honeytel({"db", "backup", backup}).exit, 2) << "nothing is written over";
  for (const std::vector<std::string>& words : {std::vector<std::string>{"traces", "--json", "--since", "3h"},
                                                {"logs", "--json", "--since", "3h"},
                                                {"metrics", "--json", "--since", "3h"},
                                                {"metrics", "a_total", "--json", "--since", "3h", "--step", "10s"},
                                                {"sql", "SELECT * FROM spans ORDER BY span_id", "--json"},
                                                {"sql", "SELECT * FROM ledger", "--json"},
                                                {"health", "--json"},
                                                {"last-words", "--list", "--json"},
                                                {"config", "show", "--json"},
                                                {"db", "check", "--json"}}) {
    std::vector<std::string> there = words;
    there.insert(there.end(), {"--home", backup});
    const Said ours = honeytel(words), theirs = honeytel(there, {"TMPDIR=" + home_ + "/tmp"});
    EXPECT_EQ(ours.exit, theirs.exit) << words[0] << ": " << theirs.err;
    EXPECT_EQ(ours.out, theirs.out) << words[0];
    EXPECT_EQ(left_in_tmp(), 0U) << words[0];
  }
  for (const char* command : {"status", "doctor"})
    EXPECT_LE(honeytel({command, "--home", backup, "--json"}).exit, 1) << command;
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"agent"}, {"forget", "--all", "--yes"}, {"db", "vacuum"}, {"db", "upgrade"}}) {
    std::vector<std::string> there = words;
    there.insert(there.end(), {"--home", backup});
    EXPECT_EQ(honeytel(there).exit, 2) << words[0];
  }
  EXPECT_EQ(run("/usr/bin/env", {"env", "sqlite3", "-A", "-x", "-f", backup, "-C", home_ + "/tmp"}).exit, 0);
  EXPECT_EQ(asked(home_ + "/tmp", "SELECT count(*) FROM spans"), 100);
  for (const char* file : {"/metrics/metrics.db", "/metrics/traces.db", "/logs/honeylink.log"})
    EXPECT_EQ(std::filesystem::status(home_ + "/tmp" + file).permissions(), std::filesystem::perms(0600)) << file;
}

TEST_F(CliDb, ABundleHoldsItsPeriodAndNothingElse) {
  const std::string bundle = home_ + "/report.db";
  const Said made = honeytel({"bundle", "--since", "10m", "-o", bundle, "--json"});
  ASSERT_EQ(made.exit, 0) << made.err;
  EXPECT_EQ(made.json()["spans"], 50);
  EXPECT_EQ(made.json()["points"], 50);
  EXPECT_EQ(made.json()["lines"], 50);
  EXPECT_EQ(asked(bundle, "SELECT count(*) FROM spans"), 50);
  EXPECT_EQ(asked(bundle, "SELECT count(*) FROM spans WHERE attributes->>'peer' = 'value-of-now'"), 50);
  EXPECT_EQ(asked(bundle, "SELECT count(*) FROM logs"), 50);
  EXPECT_EQ(asked(bundle, "SELECT sum(value) FROM points"), 50);
  EXPECT_EQ(honeytel({"db", "check", "--home", bundle}).exit, 0);
  const std::string id = honeytel({"traces", "--json", "--home", bundle}).json()["traces"].at(0)["trace_id"];
  EXPECT_EQ(honeytel({"traces", id, "--json", "--home", bundle}).out, honeytel({"traces", id, "--json"}).out);
  // Unpacked and expanded, nothing of what lies outside is in it.
  std::filesystem::create_directory(home_ + "/tmp");
  ASSERT_EQ(run("/usr/bin/env", {"env", "sqlite3", "-A", "-x", "-f", bundle, "-C", home_ + "/tmp"}).exit, 0);
  for (const char* file : {"/metrics/metrics.db", "/metrics/traces.db", "/logs/honeylink.log"}) {
    const std::string bytes = bytes_of(home_ + "/tmp" + file);
    for (const char* outside : {"value-of-two-hours-ago", "early.only", "\"early\""})
      EXPECT_EQ(bytes.find(outside), std::string::npos) << outside << " in " << file;
  }
  EXPECT_EQ(asked(bundle, "SELECT count(*) FROM traces.str WHERE text LIKE 'early%'"), 0);
  EXPECT_FALSE(std::filesystem::exists(home_ + "/tmp/keys"));
  EXPECT_EQ(honeytel({"bundle", "--since", "10m", "-o", bundle}).exit, 2) << "nothing is written over";
  EXPECT_EQ(honeytel({"bundle", "--since", "10m"}).exit, 2);
}

TEST_F(CliDb, AHostileFileIsNoHome) {
  const std::string outside = home_ + "/outside";
  const auto crafted = [&](const std::string& name, const std::string& sql) {
    const std::string path = home_ + '/' + name;
    sqlite3* db = nullptr;
    EXPECT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
    const std::string all = "PRAGMA application_id=" + std::to_string(0x484c5442) + "; PRAGMA user_version=1;" + sql;
    EXPECT_EQ(sqlite3_exec(db, all.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
    sqlite3_close(db);
    return path;
  };
  const std::string table = "CREATE TABLE sqlar(name TEXT PRIMARY KEY, mode INT, mtime INT, sz INT, data BLOB);";
  const std::vector<std::string> hostile{
      crafted("up.db", table + "INSERT INTO sqlar VALUES('../../outside', 0, 0, 1, 'x')"),
      crafted("absolute.db", table + "INSERT INTO sqlar VALUES('" + outside + "', 0, 0, 1, 'x')"),
      crafted("keys.db", table + "INSERT INTO sqlar VALUES('keys/pseudonym.key', 0, 0, 1, 'x')"),
      crafted("log.db", table + "INSERT INTO sqlar VALUES('logs/honeylink.log.1/../../x', 0, 0, 1, 'x')"),
      crafted("size.db", table + "INSERT INTO sqlar VALUES('config.toml', 0, 0, 999999999999, 'x')"),
      crafted("negative.db", table + "INSERT INTO sqlar VALUES('config.toml', 0, 0, -1, 'x')"),
      crafted("twice.db",
              "CREATE TABLE sqlar(name, mode, mtime, sz, data); INSERT INTO sqlar VALUES('config.toml', 0, 0, 1, 'x'), "
              "('config.toml', 0, 0, 1, 'x')"),
      crafted("view.db",
              "CREATE VIEW sqlar AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS name, "
              "0 AS sz, '' AS data FROM n"),
      crafted("none.db", "CREATE TABLE other(a)"),
      metrics_db()};
  for (const std::string& path : hostile) {
    const Said said = honeytel({"traces", "--home", path});
    EXPECT_EQ(said.exit, 7) << path << ": " << said.err;
    EXPECT_NE(said.err.find("no home and no bundle"), std::string::npos) << path << ": " << said.err;
  }
  EXPECT_FALSE(std::filesystem::exists(outside));
  std::ofstream(home_ + "/text") << "not a database at all, but long enough to look like one or not\n";
  EXPECT_EQ(honeytel({"traces", "--home", home_ + "/text"}).exit, 7);
}

// One chain of pages is told to be three files: what it says it holds is more than it is.
TEST_F(CliDb, AnArchiveUnpacksToNoMoreThanItIs) {
  const std::string path = home_ + "/overlapping.db";
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
  const std::string sql = "PRAGMA page_size=4096; PRAGMA application_id=" + std::to_string(0x484c5442) +
                          "; PRAGMA user_version=1;"
                          "CREATE TABLE sqlar(name TEXT PRIMARY KEY, mode INT, mtime INT, sz INT, data BLOB);"
                          "INSERT INTO sqlar SELECT 'logs/honeylink.log.' || value, 0, 0, 98690, zeroblob(98690) FROM "
                          "(SELECT 1 AS value UNION ALL SELECT 2 UNION ALL SELECT 3)";
  ASSERT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
  sqlite3_close(db);
  std::string bytes = bytes_of(path);
  char* const leaf = bytes.data() + 4096;  // the table's only leaf: cells lie from its end downwards
  ASSERT_EQ(leaf[0], 13);
  for (std::size_t cell = 0; cell < 2; ++cell) {
    const auto* at = reinterpret_cast<const unsigned char*>(leaf + 8 + 2 * cell);
    std::memcpy(leaf + (at[0] << 8 | at[1]) - 4, leaf + 4096 - 4, 4);
  }
  constexpr char kPages = 30;
  bytes.resize(std::size_t{kPages} * 4096);
  std::memcpy(bytes.data() + 28, "\0\0\0", 3);
  bytes[31] = kPages;
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  const Said said = honeytel({"logs", "--home", path});
  EXPECT_EQ(said.exit, 7) << said.err;
  EXPECT_NE(said.err.find("the size of a file in it does not fit"), std::string::npos) << said.err;
}

TEST_F(CliDb, AHostileSchemaIsNotRunByABundle) {
  const std::string outside = home_ + "/outside";
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(metrics_db().c_str(), &db), SQLITE_OK);
  const std::string sql = "PRAGMA writable_schema=ON; UPDATE sqlite_schema SET sql = sql || '; COMMIT; VACUUM INTO ''" +
                          outside + "''; BEGIN' WHERE name = 'slis'";
  ASSERT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
  sqlite3_close(db);
  const Said said = honeytel({"bundle", "--since", "10m", "-o", home_ + "/report.db"});
  EXPECT_EQ(said.exit, 0) << said.err;
  EXPECT_FALSE(std::filesystem::exists(outside));
}

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
  // The 50 of fill() went with those of two hours ago, whose block they are in.
  EXPECT_EQ(asked(home_, "SELECT count(*) FROM spans WHERE attributes LIKE '%value-of-now%'"), 8'192);
  EXPECT_EQ(asked(home_, "SELECT count(*) FROM spans WHERE attributes LIKE '%two-hours%'"), 0);
  EXPECT_EQ(bytes_of(traces_db()).find("value-of-two-hours-ago"), std::string::npos);
  EXPECT_EQ(asked(home_, "SELECT count(*) FROM traces.trace_range WHERE blk NOT IN (SELECT id FROM traces.blk)"), 0);
  EXPECT_EQ(honeytel({"db", "check"}).exit, 0);
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

// F53, the other half: Upgrade*.
TEST_F(CliDb, AFileThatNeedsANewerVersionIsLeftAloneAndNothingIsLost) {
  for (const std::string& path : {metrics_db(), traces_db()})
    execute(path, "UPDATE meta SET value = 99 WHERE key = 'min_writer'");
  const std::string metrics = bytes_of(metrics_db()), traces = bytes_of(traces_db());
  ASSERT_EQ(honeytel({"record", "log", "while.newer", "told"}).exit, 0);
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"db", "upgrade"}, {"db", "vacuum"}, {"agent"}}) {
    const Said said = honeytel(words);
    EXPECT_EQ(said.exit, 3) << words.back() << ": " << said.err;
    EXPECT_NE(said.err.find("min_writer 99"), std::string::npos) << words.back() << ": " << said.err;
  }
  EXPECT_EQ(bytes_of(metrics_db()), metrics);
  EXPECT_EQ(bytes_of(traces_db()), traces);
  for (const std::string& path : {metrics_db(), traces_db()})
    execute(path, "UPDATE meta SET value = 1 WHERE key = 'min_writer'");
  const pid_t agent = in_background({"agent"});
  std::int64_t found = 0;
  for (int i = 0; i < 200 && found == 0; ++i) {
    ::usleep(100'000);
    found = asked(home_, "SELECT count(*) FROM logs WHERE event = 'while.newer' AND message = 'told'");
  }
  EXPECT_EQ(found, 1);
  EXPECT_EQ(end(agent, SIGTERM), 0);
  EXPECT_EQ(honeytel({"db", "upgrade"}).exit, 0);
}

TEST_F(CliDb, ItsPartsAreNamed) {
  EXPECT_EQ(honeytel({"db"}).exit, 2);
  const Said near = honeytel({"db", "stat"});
  EXPECT_EQ(near.exit, 2);
  EXPECT_NE(near.err.find("did you mean 'stats'?"), std::string::npos) << near.err;
  EXPECT_EQ(honeytel({"db", "backup"}).exit, 2);
  EXPECT_EQ(honeytel({"db", "check", "more"}).exit, 2);
  EXPECT_EQ(honeytel({"db", "upgrade"}).exit, 0);
  EXPECT_EQ(honeytel({"db", "stats", "--home", "/nowhere"}).exit, 3);
}

}  // namespace
}  // namespace honeylink::telemetry::test
