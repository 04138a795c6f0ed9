// honeytel db: what is stored, whether it is sound, and care for it.
#include <fstream>

#include "cli_db_home.h"

namespace honeylink::telemetry::test {
namespace {

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
