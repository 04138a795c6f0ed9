// honeytel bundle, honeytel db backup, and homes in one file.
#include <atomic>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "cli_db_home.h"

namespace honeylink::telemetry::test {
namespace {

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

std::set<std::string> workshops(const std::string& directory) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    std::string name = entry.path().filename();
    // One that has its lock: what another command would remove before is empty.
    if (name.starts_with(".honeytel-archive-") && std::filesystem::exists(entry.path() / "lock")) names.insert(name);
  }
  return names;
}

TEST_F(CliDb, WhatAKilledBackupLeavesGoesWithTheNextAndALivingOnesDoesNot) {
  execute(traces_db(), "CREATE TABLE junk(data); INSERT INTO junk VALUES(zeroblob(100000000))");  // takes a while
  const std::string target = home_ + "/there";
  std::filesystem::create_directory(target);
  const auto changed = [&](const std::set<std::string>& before) {
    for (int i = 0; i < 20'000 && (workshops(target) == before || workshops(target).size() != 1); ++i) ::usleep(500);
    return workshops(target);
  };
  const pid_t killed = in_background({"db", "backup", target + "/one"});
  const auto left = changed({});
  ASSERT_EQ(end(killed, SIGKILL), 128 + SIGKILL) << "it was done too soon";
  ASSERT_EQ(workshops(target), left);
  ASSERT_EQ(left.size(), 1U);
  const pid_t stopped = in_background({"db", "backup", target + "/two"});
  const auto living = changed(left);
  ::kill(stopped, SIGSTOP);
  ASSERT_FALSE(std::filesystem::exists(target + "/two")) << "it was done too soon";
  ASSERT_EQ(living.size(), 1U) << "the killed one's is still there";
  EXPECT_EQ(honeytel({"db", "backup", target + "/three"}).exit, 0);
  EXPECT_EQ(workshops(target), living) << "the living one's is left alone";
  ::kill(stopped, SIGCONT);
  EXPECT_EQ(waited(stopped), 0);
  EXPECT_EQ(workshops(target).size(), 0U);
  EXPECT_TRUE(std::filesystem::exists(target + "/two") && std::filesystem::exists(target + "/three"));
}

TEST_F(CliDb, ABackupHasEveryLineThoughTheLogIsRotatedMeanwhile) {
  options_.logs_bytes_max = 4'000'000;  // rotates often
  std::atomic<std::uint64_t> written{0};
  std::jthread writer([&](const std::stop_token& done) {
    std::string said;
    auto logs = store::LogFiles::open(options_, said);
    if (logs == nullptr || logs->begin_epoch() == 0) return;
    while (!done.stop_requested()) {
      for (int i = 0; i < 200; ++i) {
        store::Items items;
        items.text(3, std::string(400, 'x')).integer(1, static_cast<std::int64_t>(written + static_cast<unsigned>(i)));
        LogEvent line;
        line.source = &source_, line.time_unix_ns = now_, line.name = 1, line.level = 9, line.items = items.view();
        logs->add(line);
      }
      if (logs->commit({}, store::stored(200), false) != store::CommitResult::ok) return;
      written += 200;
      ::usleep(1'000);
    }
  });
  for (int round = 0; round < 5; ++round) {
    const std::uint64_t before = written;
    const std::string backup = home_ + "/backup" + std::to_string(round);
    const Said made = honeytel({"db", "backup", backup});
    EXPECT_EQ(made.exit, 0) << made.err;
    if (made.exit != 0 || before == 0) continue;
    // Whatever the cap has thrown away, it is the oldest: no line is missing between the first and the last.
    const std::string lines = "FROM logs WHERE fields->>'late' IS NOT NULL";
    const std::int64_t last = asked(backup, "SELECT max(CAST(fields->>'late' AS INTEGER)) " + lines);
    EXPECT_EQ(asked(backup, "SELECT count(*) " + lines),
              last - asked(backup, "SELECT min(CAST(fields->>'late' AS INTEGER)) " + lines) + 1);
    EXPECT_GE(last, static_cast<std::int64_t>(before) - 1);
  }
  writer.request_stop();
  writer.join();
  EXPECT_GT(std::distance(std::filesystem::directory_iterator(home_ + "/logs"), {}), 2) << "nothing was rotated";
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

}  // namespace
}  // namespace honeylink::telemetry::test
