// `honeytel sql`, stock sqlite3 and Python with honeytel_sql.so answer the same question alike; what the extension
// brings along and what it asks of the system.
#include <filesystem>
#include <fstream>

#include "cli_support.h"

namespace honeylink::telemetry::test {
namespace {

using nlohmann::json;

std::string extension_path() {
  return (std::filesystem::path(HONEYTEL_PATH).parent_path() / "honeytel_sql.so").string();
}

class SqlExtension : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    if (!std::filesystem::exists(extension_path())) GTEST_SKIP() << "a sanitized build has no extension";
    const Said demo = honeytel({"demo", "--duration", "2s", "--headless"});
    ASSERT_EQ(demo.exit, 0) << demo.err;
  }
  [[nodiscard]] std::string metrics() const { return home_ + "/metrics/metrics.db"; }
  /// Another program, with words of its own; PATH as everywhere.
  Said other(const std::string& program, std::vector<std::string> words) {
    words.insert(words.begin(), {"env", program});
    return run("/usr/bin/env", words);
  }
};

/// Rows alike: names, types and values; reals as far as 15 digits tell.
void expect_alike(const json& ours, const json& theirs, const std::string& sql) {
  ASSERT_EQ(ours.size(), theirs.size()) << sql;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    ASSERT_EQ(ours[i].size(), theirs[i].size()) << sql;
    for (const auto& [name, value] : ours[i].items()) {
      const json& other = theirs[i].value(name, json("missing"));
      if (value.is_number_float() || other.is_number_float())
        EXPECT_NEAR(value.get<double>(), other.get<double>(), std::abs(value.get<double>()) * 1e-12) << sql;
      else EXPECT_EQ(value, other) << sql << ": " << name;
    }
  }
}

const std::vector<std::string> kQuestions{
    "SELECT count(*) AS n, sum(duration_ns) AS d FROM spans",
    "SELECT name, service, count(*) AS n, max(duration_ns) AS longest FROM spans GROUP BY 1, 2 ORDER BY 1, 2",
    "SELECT * FROM spans WHERE trace_id = (SELECT min(trace_id) FROM spans) ORDER BY span_id",
    "SELECT trace_id, span_id, attributes, events FROM spans WHERE name = 'packet.send' ORDER BY 1, 2 LIMIT 50",
    "SELECT event, level, count(*) AS n FROM logs GROUP BY 1, 2 ORDER BY 1, 2",
    "SELECT line FROM logs WHERE trace_id IS NOT NULL ORDER BY time_unix_nano, line LIMIT 20",
    "SELECT metric, labels, kind, count(*) AS n, sum(value) AS v, sum(count) AS c, min(p95) AS p FROM points GROUP BY "
    "1, 2, 3 "
    "ORDER BY 1, 2",
    "SELECT metric, rate(sum(value), 10) AS r FROM points WHERE kind = 'counter' GROUP BY 1 ORDER BY 1",
    "SELECT metric, quantile(merge_sketch(sketch), 0.95) AS p95, lower(hex(merge_sketch(sketch))) AS merged FROM "
    "points WHERE kind = "
    "'histogram' GROUP BY 1 ORDER BY 1",
    "SELECT name, kind, unit FROM series ORDER BY sid",
    "SELECT signal, max(accepted) AS a FROM ledger GROUP BY 1 ORDER BY 1",
    "SELECT id_text(id_blob(trace_id)) = trace_id AS same, count(*) AS n FROM spans GROUP BY 1",
    "SELECT count(*) AS n FROM alerts",
    "SELECT count(*) AS n FROM slis",
    "SELECT honeytel_home() AS home"};

TEST_F(SqlExtension, StockSqliteAnswersAsHoneytelDoes) {
  for (const std::string& sql : kQuestions) {
    const Said ours = honeytel({"sql", sql, "--json", "--limit", "0"});
    ASSERT_EQ(ours.exit, 0) << ours.err;
    const Said theirs = other("sqlite3", {"-readonly", "-json", metrics(), "-cmd", ".load " + extension_path(), sql});
    ASSERT_EQ(theirs.exit, 0) << theirs.err;
    ASSERT_FALSE(ours.json()["rows"].empty()) << sql;
    expect_alike(ours.json()["rows"], theirs.json(), sql);
  }
}

TEST_F(SqlExtension, PythonAnswersAsHoneytelDoes) {
  const std::string script = home_ + "/ask.py";
  std::ofstream(script) << R"(import json, sqlite3, sys
connection = sqlite3.connect("file:" + sys.argv[1] + "?mode=ro", uri=True)
connection.row_factory = sqlite3.Row
connection.enable_load_extension(True)
connection.load_extension(sys.argv[2])
print(json.dumps([[dict(row) for row in connection.execute(sql)] for sql in sys.argv[3:]]))
)";
  if (other("/usr/bin/python3", {"-c", "import sqlite3; sqlite3.Connection.enable_load_extension"}).exit != 0)
    GTEST_SKIP() << "this Python loads no extensions";
  std::vector<std::string> words{script, metrics(), extension_path()};
  words.insert(words.end(), kQuestions.begin(), kQuestions.end());
  const Said theirs = other("/usr/bin/python3", words);
  ASSERT_EQ(theirs.exit, 0) << theirs.err;
  const json answers = theirs.json();
  for (std::size_t i = 0; i < kQuestions.size(); ++i) {
    const Said ours = honeytel({"sql", kQuestions[i], "--json", "--limit", "0"});
    expect_alike(ours.json()["rows"], answers[i], kQuestions[i]);
  }
}

TEST_F(SqlExtension, TheHomeIsThatOfTheOpenedDatabaseElseTheUsersElseTheOneThatIsNamed) {
  const std::string load = ".load " + extension_path();
  const auto ask = [&](const std::string& database, const std::string& sql) {
    const Said said = other("sqlite3", {database, "-cmd", load, sql});
    return said.exit == 0 ? said.out : said.err;
  };
  EXPECT_EQ(ask(home_ + "/metrics/traces.db", "SELECT honeytel_home()"), home_ + "\n");
  EXPECT_EQ(ask(":memory:", "SELECT honeytel_home()"), home_ + "\n") << "of HONEYLINK_HOME";
  EXPECT_EQ(ask(":memory:", "SELECT honeytel_home('/nowhere'); SELECT count(*) FROM spans"), "/nowhere\n0\n");
  EXPECT_EQ(
      ask(metrics(), "SELECT count(*) > 0 FROM spans; SELECT honeytel_home('/nowhere'); SELECT count(*) FROM spans"),
      "1\n/nowhere\n0\n");
  EXPECT_NE(ask(":memory:", "SELECT honeytel_home('')").find("path of a home"), std::string::npos);
  EXPECT_NE(ask(":memory:", "SELECT quantile(x'00', 0.5)").find("this is no sketch"), std::string::npos);
  EXPECT_EQ(ask(metrics(), "CREATE TEMP VIEW v AS SELECT count(*) > 0 FROM spans; SELECT * FROM v"), "1\n");
}

TEST_F(SqlExtension, BringsWhatItNeedsAndExportsItsEntryOnly) {
  const Said needed = other("readelf", {"-d", extension_path()});
  ASSERT_EQ(needed.exit, 0) << needed.err;
  for (const char* library : {"sqlite", "zstd", "sodium", "stdc++", "gcc_s"})
    EXPECT_EQ(needed.out.find(std::string("lib") + library), std::string::npos) << library;
  const Said exported = other("nm", {"-D", "--defined-only", extension_path()});
  EXPECT_EQ(std::count(exported.out.begin(), exported.out.end(), '\n'), 2) << exported.out;
  EXPECT_NE(exported.out.find("sqlite3_honeytelsql_init"), std::string::npos);
  EXPECT_NE(exported.out.find("sqlite3_extension_init"), std::string::npos);
}

}  // namespace
}  // namespace honeylink::telemetry::test
