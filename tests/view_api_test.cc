// What the API answers is what the command line answers, over a real home; SQL reads and nothing else; hostile text
// comes as JSON strings only (F29).
#include <chrono>
#include <cmath>

#include "view_support.h"

namespace honeylink::telemetry::test {
namespace {

class ViewApi : public ViewTest {
 protected:
  /// The shell's own signals: two traces, a counter, a histogram, three lines.
  void fill() {
    ASSERT_EQ(honeytel({"run", "--service", "outer", "--", HONEYTEL_PATH, "run", "--", "/bin/true"}).exit, 0);
    ASSERT_EQ(honeytel({"run", "--", "/bin/false"}).exit, 1);
    ASSERT_EQ(honeytel({"record", "counter", "backup.files", "1200", "--label", "host=nas", "--unit", "{file}"}).exit,
              0);
    ASSERT_EQ(honeytel({"record", "histogram", "backup.duration", "42.5", "--unit", "s"}).exit, 0);
    for (const char* level : {"info", "warn", "error"})
      ASSERT_EQ(honeytel({"record", "log", "backup." + std::string(level), "a line", "--level", level}).exit, 0);
    store_all();
  }
};

TEST_F(ViewApi, AnswersAsTheCommandLineDoes) {
  fill();
  view();
  const std::string trace = honeytel({"traces", "--name", "false", "--json"}).json()["traces"][0]["trace_id"];
  const std::vector<std::pair<std::string, std::vector<std::string>>> same{
      {"/api/traces", {"traces", "--json"}},
      {"/api/traces?errors=1&limit=1", {"traces", "--errors", "--limit", "1", "--json"}},
      {"/api/traces?name=honeytel&since=1h", {"traces", "--name", "honeytel", "--since", "1h", "--json"}},
      {"/api/traces?min_duration=1h", {"traces", "--min-duration", "1h", "--json"}},
      {"/api/traces/" + trace, {"traces", trace, "--json"}},
      {"/api/traces/" + trace.substr(0, 12), {"traces", trace, "--json"}},
      {"/api/logs", {"logs", "--json"}},
      {"/api/logs?level=warn&limit=1", {"logs", "--level", "warn", "--limit", "1", "--json"}},
      {"/api/logs?grep=backup%5C.(info%7Cwarn)", {"logs", "--grep", "backup\\.(info|warn)", "--json"}},
      {"/api/metrics?label=service=shell", {"metrics", "--label", "service=shell", "--json"}},
      {"/api/metrics/backup.files", {"metrics", "backup.files", "--json"}},
      {"/api/metrics/backup.duration?quantile=0.5&step=1m",
       {"metrics", "backup.duration", "--quantile", "0.5", "--step", "1m", "--json"}},
  };
  for (const auto& [target, words] : same) {
    const HttpAnswer answer = get(target);
    ASSERT_EQ(answer.status, 200) << target << " " << answer.body;
    EXPECT_EQ(answer.header("content-type"), "application/json");
    EXPECT_EQ(answer.body + "\n", honeytel(words).out) << target;
  }
  const auto status = get("/api/status").json(), said = honeytel({"status", "--json"}).json();
  EXPECT_EQ(status["ledger"], said["ledger"]);
  EXPECT_EQ(status["stores"].size(), 3U);
}

TEST_F(ViewApi, OneSpanIsAskedForByItsId) {
  fill();
  view();
  const std::string trace = get("/api/traces?name=false").json()["traces"][0]["trace_id"];
  const auto whole = get("/api/traces/" + trace).json();
  const std::string path = "/api/traces/" + trace + "/spans/";
  const auto one = get(path + whole["spans"][0]["span_id"].get<std::string>()).json();
  for (const auto& [key, value] : whole["spans"][0].items()) EXPECT_EQ(one[key], value) << key;
  EXPECT_EQ(one["logs"], nlohmann::json::array());
  EXPECT_EQ(get(path + "0000000000000000").status, 404);
  EXPECT_EQ(get(path + "xyz").status, 400);
}

TEST_F(ViewApi, LinesAreCountedByLevelAndTime) {
  fill();
  view();
  const auto histogram = get("/api/logs/histogram?since=1h&columns=30").json();
  ASSERT_NEAR(static_cast<double>(histogram["t"].size()), 30, 2) << histogram;
  EXPECT_EQ(histogram["step_s"], 120.0);
  EXPECT_EQ(std::fmod(histogram["t"][0].get<double>(), 120), 0) << "columns stay where they are while time goes on";
  const auto sum = [&](const char* level) {
    std::uint64_t n = 0;
    for (const auto& count : histogram["levels"][level]) n += count.get<std::uint64_t>();
    return n;
  };
  const auto lines = get("/api/logs?limit=0").json()["logs"];
  std::map<std::string, std::uint64_t> counted;
  for (const auto& line : lines) ++counted[line["level"] == "INFO" || line["level"] == "info" ? "info" : "other"];
  EXPECT_EQ(sum("warn"), 1U);
  EXPECT_EQ(sum("error"), 1U);
  EXPECT_EQ(sum("info"), counted["info"]);
  EXPECT_EQ(sum("debug") + sum("info") + sum("warn") + sum("error"), lines.size());
}

TEST_F(ViewApi, NonsenseIsAnsweredInWords) {
  fill();
  view();
  for (const char* target :
       {"/api/traces?since=yesterday-ish", "/api/traces?limit=-1", "/api/traces?since=1m&until=1h", "/api/traces/xyz",
        "/api/logs?level=loud", "/api/logs?grep=(", "/api/logs?trace=12", "/api/logs/histogram?columns=0",
        "/api/logs/histogram?columns=1000000", "/api/metrics/backup.files?step=1s",
        "/api/metrics/backup.duration?quantile=2", "/api/metrics?label=nothing", "/api/traces?name=%ff",
        "/api/traces?name=%00", "/api/traces?name=%zz"}) {
    const HttpAnswer answer = get(target);
    EXPECT_EQ(answer.status, 400) << target << " " << answer.body;
    EXPECT_FALSE(answer.json()["error"].get<std::string>().empty()) << target;
  }
  EXPECT_EQ(get("/api/traces/00000000000000000000000000000001").status, 404);
  const HttpAnswer near = get("/api/metrics/backup.file");
  EXPECT_EQ(near.status, 404);
  EXPECT_NE(near.body.find("did you mean 'backup.files'?"), std::string::npos) << near.body;
  EXPECT_EQ(get("/api/nothing").status, 404);
  EXPECT_EQ(post("/api/traces", "{}").status, 405);
  EXPECT_EQ(get("/api/sql").status, 405);
}

TEST_F(ViewApi, AHomeWithoutAnythingIsEmptyAndNoError) {
  view();
  EXPECT_EQ(get("/api/traces").json()["total"], 0);
  EXPECT_EQ(get("/api/logs").json()["total"], 0);
  EXPECT_EQ(get("/api/metrics").json()["total"], 0);
  EXPECT_EQ(get("/api/status").json()["engine"]["mode"], "none");
  EXPECT_EQ(sql("SELECT 1").status, 404);
}

TEST_F(ViewApi, ABundleIsViewedLikeAHome) {
  fill();
  const std::string file = home_ + "/one.db";
  ASSERT_EQ(honeytel({"bundle", "--since", "1h", "-o", file}).exit, 0);
  view({file});
  EXPECT_EQ(get("/api/traces").json()["total"], honeytel({"traces", "--json"}).json()["total"]);
  EXPECT_EQ(honeytel({"view", "--no-open", file, "--home", home_}).exit, 2);
  EXPECT_EQ(honeytel({"view", "--no-open", home_ + "/nothing"}).exit, 3);
  EXPECT_EQ(honeytel({"view", "--no-open", "--port", "65536"}).exit, 2);
}

TEST_F(ViewApi, SqlReads) {
  fill();
  view();
  const auto answer =
      sql("SELECT name, count(*) AS n, 1.5 AS r, NULL AS none, x'00ff' AS bytes, 9007199254740993 AS big FROM spans "
          "GROUP BY name ORDER BY name")
          .json();
  EXPECT_EQ(answer["columns"], (nlohmann::json{"name", "n", "r", "none", "bytes", "big"}));
  ASSERT_EQ(answer["rows"].size(), 3U) << answer;
  EXPECT_EQ(answer["rows"][0], (nlohmann::json{"false", 1, 1.5, nullptr, "00ff", "9007199254740993"}));
  EXPECT_EQ(answer["truncated"], false);
  EXPECT_EQ(sql("SELECT count(*) FROM logs WHERE level = 'ERROR' OR level = 'error'").json()["rows"][0][0], 1);
  EXPECT_EQ(sql("SELECT sum(value) FROM json_each('[1,2,3]')").json()["rows"][0][0], 6);
  EXPECT_EQ(sql("SELECT metric FROM points WHERE metric = 'backup.files'").json()["rows"].size(), 1U);
  EXPECT_EQ(sql("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) SELECT i FROM n")
                .json()["rows"]
                .size(),
            1'000U);
  EXPECT_EQ(sql("SELECT * FROM nothing").status, 400);
  EXPECT_EQ(sql("").status, 400);
  EXPECT_EQ(sql("SELECT 1; SELECT 2").status, 400);
}

TEST_F(ViewApi, SqlDoesNothingElse) {
  fill();
  view();
  const std::string victim = home_ + "/victim.db";
  for (const std::string& statement : std::vector<std::string>{"DELETE FROM series",
                                                               "UPDATE series SET name = 'x'",
                                                               "INSERT INTO series(name) VALUES('x')",
                                                               "DROP TABLE series",
                                                               "CREATE TABLE t(x)",
                                                               "CREATE TEMP TABLE t(x)",
                                                               "CREATE TEMP VIEW v AS SELECT 1",
                                                               "CREATE VIRTUAL TABLE t USING spans",
                                                               "ALTER TABLE series RENAME TO s",
                                                               "VACUUM",
                                                               "VACUUM INTO '" + victim + "'",
                                                               "ATTACH '" + victim + "' AS v",
                                                               "ATTACH ':memory:' AS v",
                                                               "DETACH traces",
                                                               "PRAGMA query_only = 0",
                                                               "PRAGMA writable_schema = 1",
                                                               "PRAGMA journal_mode = DELETE",
                                                               "PRAGMA table_info(series)",
                                                               "SELECT * FROM pragma_database_list",
                                                               "SELECT load_extension('/tmp/x.so')",
                                                               "SELECT honeytel_home('/tmp')",
                                                               "SELECT honeytel_home()",
                                                               "REINDEX",
                                                               "ANALYZE",
                                                               "BEGIN IMMEDIATE",
                                                               "COMMIT",
                                                               "SAVEPOINT s",
                                                               "EXPLAIN DELETE FROM series",
                                                               "UPDATE sqlite_master SET sql = 'x'",
                                                               "DELETE FROM sqlite_master",
                                                               "REPLACE INTO series(name) VALUES('x')",
                                                               "WITH x AS (SELECT 1) DELETE FROM series"}) {
    const HttpAnswer answer = sql(statement);
    EXPECT_EQ(answer.status, 400) << statement << " " << answer.body;
  }
  EXPECT_FALSE(std::filesystem::exists(victim));
  EXPECT_EQ(sql("SELECT count(*) FROM series WHERE name = 'x'").json()["rows"][0][0], 0);
}

TEST_F(ViewApi, SqlEndsInTimeAndInMemory) {
  fill();
  view();
  const auto began = std::chrono::steady_clock::now();
  const HttpAnswer endless =
      sql("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n");
  EXPECT_EQ(endless.status, 503) << endless.body;
  EXPECT_NE(endless.body.find("longer than 5 s"), std::string::npos) << endless.body;
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(9));
  EXPECT_GE(sql("SELECT length(zeroblob(1000000000))").status, 400);
  EXPECT_LT(sql("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 900) SELECT "
                "printf('%.1000000c', 'x') FROM n")
                .body.size(),
            12'000'000U)
      << "an answer has its bound";
  EXPECT_EQ(get("/api/status").status, 200);
}

TEST_F(ViewApi, HostileTextComesAsJsonStringsOnly) {
  const std::vector<std::string> payloads{"<script>alert(1)</script>",
                                          "<img src=x onerror=alert(1)>",
                                          "\"><svg onload=alert(1)>",
                                          "javascript:alert(1)",
                                          "</script><script>alert(1)</script>",
                                          "<iframe srcdoc='<script>alert(1)</script>'>",
                                          "{{constructor.constructor('alert(1)')()}}",
                                          "${alert(1)}",
                                          "<a href=\"javascript:alert(1)\">x</a>",
                                          "\x1b]8;;http://evil\x07x\x1b]8;;\x07",
                                          "\x1b[2J\x1b[31m",
                                          "\xe2\x80\xae"
                                          "gnp.exe",
                                          "\xc2\x9b"
                                          "31m",
                                          "line\nbreak\r\n\r\nHTTP/1.1 200 OK",
                                          "\xe2\x80\xa8\xe2\x80\xa9",
                                          "a\xff\xfe"
                                          "b",
                                          std::string(10'000, 'A'),
                                          "'; DROP TABLE spans; --",
                                          "<!--",
                                          "]]>",
                                          "&lt;script&gt;",
                                          "<style>@import'//evil'</style>",
                                          "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
                                          "<body onload=alert(1)>",
                                          "\u0000",
                                          "%3Cscript%3E"};
  for (const std::string& payload : payloads) {
    ASSERT_EQ(honeytel({"record", "log", "hostile", payload, "--label", "value=" + payload}).exit, 0);
    static_cast<void>(honeytel({"run", "--service", payload, "--", "/bin/true"}));
  }
  store_all();
  view();
  for (const char* target : {"/api/logs?limit=0", "/api/traces?limit=0", "/api/status", "/api/metrics"}) {
    const HttpAnswer answer = get(target);
    ASSERT_EQ(answer.status, 200) << target;
    EXPECT_EQ(answer.header("content-type"), "application/json")
        << "no browser takes it for a page: nosniff stands beside";
    EXPECT_TRUE(nlohmann::json::accept(answer.body)) << target;
    for (const char c : answer.body) ASSERT_TRUE(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) << target;
    for (const char* raw : {"\xe2\x80\xae", "\xe2\x80\xa8", "\xc2\x9b"})
      EXPECT_EQ(answer.body.find(raw), std::string::npos) << target;
  }
  EXPECT_GE(get("/api/logs?limit=0").json()["total"].get<std::size_t>(), payloads.size());
  const HttpAnswer echoed = get("/api/metrics/%3Cscript%3Ealert(1)%3C%2Fscript%3E");
  EXPECT_EQ(echoed.status, 404);
  EXPECT_EQ(echoed.header("content-type"), "application/json");
}

}  // namespace
}  // namespace honeylink::telemetry::test
