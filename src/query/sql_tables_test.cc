// The virtual tables: what is pushed down changes how fast an answer comes, never the answer. Every condition is asked
// of the table and of a plain copy of it.
#include "query/sql_tables.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "query/database.h"
#include "query/log_reader.h"
#include "query/paths.h"
#include "query/sql_home.h"
#include "query/test_trace_home.h"
#include "store/metric_store.h"
#include "store/test_history.h"
#include "store/test_support.h"

namespace honeylink::telemetry::query {
namespace {

/// Every row of an answer, sorted; an error as its text.
std::vector<std::string> answer(store::Connection& connection, const std::string& sql) {
  std::vector<std::string> rows;
  store::Statement statement = connection.prepare(sql);
  int code = SQLITE_MISUSE;
  while (statement && (code = statement.step()) == SQLITE_ROW) {
    std::string row;
    for (int i = 0; i < sqlite3_column_count(statement.get()); ++i) {
      row += statement.text(i);
      row += '|';
    }
    rows.push_back(std::move(row));
  }
  std::sort(rows.begin(), rows.end());
  if (code != SQLITE_DONE) rows = {"error: " + connection.error()};
  return rows;
}

class Tables : public testing::Test {
 protected:
  void connect() {
    auto opened = open_memory_database();
    ASSERT_TRUE(opened.ok());
    connection_ = std::move(opened.value());
    ASSERT_EQ(add_tables(connection_.get(), std::make_shared<SqlHomeState>(SqlHomeState{home_.home.path})), SQLITE_OK);
    for (const char* table : {"spans", "points", "logs"}) {
      const std::string copy = std::string("CREATE TABLE plain_") + table + " AS SELECT * FROM " + table;
      ASSERT_EQ(connection_.execute(copy.c_str()), SQLITE_OK) << connection_.error();
    }
  }
  /// idxNum as the planner chose it.
  int plan(const std::string& sql) {
    for (const std::string& row : answer(connection_, "EXPLAIN QUERY PLAN " + sql)) {
      const std::size_t at = row.find("VIRTUAL TABLE INDEX ");
      if (at != std::string::npos) return std::stoi(row.substr(at + 20));
    }
    return -1;
  }
  void same(const std::string& table, const std::string& where, bool some) {
    const auto got = answer(connection_, "SELECT * FROM " + table + " WHERE " + where);
    EXPECT_EQ(got, answer(connection_, "SELECT * FROM plain_" + table + " WHERE " + where)) << where;
    EXPECT_EQ(!got.empty(), some) << where;
  }
  void commit_points() {
    std::string said;
    auto store = store::MetricStore::open(home_.home.options(), said);
    ASSERT_NE(store, nullptr) << said;
    ASSERT_NE(store->begin_epoch(), 0U);
    SeriesInfo info;
    info.unit = "1", info.service_name = "svc";
    for (std::int64_t tick = 0; tick < 20; ++tick) {
      std::vector<MetricDelta> deltas;
      for (const char* name : {"a_total", "b_total"}) {
        for (const char* route : {"direct", "relay"}) {
          info.name = name, info.labels = {{"route", route}};
          deltas.emplace_back();
          deltas.back().sid = store->series_id(info), deltas.back().integer = static_cast<std::uint64_t>(tick + 1);
        }
      }
      ASSERT_EQ(store->commit_tick(1'700'000'000 + tick * 10, deltas, 0, 0, {}, {}, false), store::CommitResult::ok);
    }
  }
  TraceHome home_;
  store::Connection connection_;
};

TEST_F(Tables, APushedDownConditionOnSpansAnswersAsAPlainTableDoes) {
  home_.pack();
  connect();
  EXPECT_EQ(connection_.integer("SELECT count(*) FROM plain_spans", 0), static_cast<std::int64_t>(kSpans));
  const auto first = [&](const char* sql) { return answer(connection_, sql).at(0).substr(0, 32); };
  const std::string packed = first("SELECT trace_id FROM plain_spans ORDER BY start_unix_nano LIMIT 1 OFFSET 601");
  const std::string hot = first("SELECT trace_id FROM plain_spans ORDER BY start_unix_nano DESC LIMIT 1 OFFSET 3");
  const std::string foreign = first("SELECT trace_id FROM plain_spans WHERE trace_id LIKE '12345678%' LIMIT 1");
  for (const std::string& id : {packed, hot, foreign}) {
    same("spans", "trace_id = '" + id + "'", true);
    same("spans", "trace_id = '" + id + "' AND name = 'ask'", true);
    same("spans", "trace_id = '" + id + "' COLLATE NOCASE", true);
    same("spans", "trace_id IN ('" + id + "', '" + packed + "')", true);
    same("spans", "trace_id = '" + id.substr(0, 31) + "'", false);
    same("spans", "trace_id = '" + id + "0'", false);
    same("spans", "trace_id = x'" + id + "'", false);
  }
  same("spans", "trace_id = upper('" + packed + "') COLLATE NOCASE", true);
  same("spans", "trace_id = '00112233445566778899aabbccddeeff'", false);
  for (const char* none : {"trace_id = ''", "trace_id = NULL", "trace_id = 5", "name = 'Ask'", "name = 'nobody'",
                           "name = ''", "name = 3", "name IS NULL", "name = '_unknown'",
                           "name = 'ask' AND name = 'try'", "start_unix_nano = 5", "start_unix_nano > '2026-11-23'"})
    same("spans", none, false);
  const std::string at = std::to_string(kStart + kSecond * 700);
  for (const std::string& some :
       {std::string("name = 'ask'"), std::string("name = 'ASK' COLLATE NOCASE"),
        std::string("name IN ('ask', 'answer')"), std::string("name = 'ask' OR duration_ns > 1000000"),
        "start_unix_nano = " + at, "start_unix_nano = '" + at + "'", "start_unix_nano >= " + at + ".5",
        "start_unix_nano < " + at + " / 1.0",
        "start_unix_nano BETWEEN " + at + " AND " + at + " + 20000000000 AND name = 'answer'",
        "start_unix_nano > " + at + " AND start_unix_nano > " + at + " + 5", std::string("start_unix_nano < 1e30")})
    same("spans", some, true);
}

TEST_F(Tables, APushedDownConditionOnPointsAnswersAsAPlainTableDoes) {
  commit_points();
  connect();
  EXPECT_EQ(connection_.integer("SELECT count(*) FROM plain_points", 0), 80);
  for (const char* some :
       {"metric = 'a_total'", "metric = 'A_TOTAL' COLLATE NOCASE", "series = 2", "series = '2'", "series = 2.0",
        "series IN (1, 4)", "series = 1 AND metric = 'a_total'", "ts_unix_nano > 1700000100000000000 AND series = 3",
        "ts_unix_nano = 1700000100000000000 AND metric = 'b_total'", "ts_unix_nano >= 1700000105000000000.0"})
    same("points", some, true);
  for (const char* none : {"metric = 'c_total'", "metric IS NULL", "series = 99", "series = 'x'", "series IS NULL",
                           "series = 2.5", "series = 9223372036854775807", "series = 1 AND metric = 'nobody'"})
    same("points", none, false);
}

// A cursor is begun again for each row on the left, and 1e30 is no bound.
TEST_F(Tables, AJoinBoundsEachRowByItself) {
  commit_points();
  connect();
  for (const char* bound : {"<=", ">="}) {
    const auto count = [&](const std::string& table) {
      return answer(connection_,
                    "SELECT b.at, (SELECT count(*) FROM " + table + " AS p WHERE p.ts_unix_nano " + bound +
                        " b.at) FROM (SELECT 1700000100000000000 AS at UNION ALL SELECT 1e30 UNION ALL SELECT -1e30 "
                        "UNION ALL SELECT 1700000150000000000) AS b");
    };
    EXPECT_EQ(count("points"), count("plain_points")) << bound;
  }
}

TEST_F(Tables, PointsOfAnotherKindThanTheirSeriesAreLeftOut) {
  commit_points();
  store::Connection crafted;
  ASSERT_EQ(crafted.open(metrics_path(home_.home.path), store::Access::read_write, 1000), SQLITE_OK);
  ASSERT_EQ(crafted.execute("UPDATE series SET kind = 'histogram' WHERE sid <= 2"), SQLITE_OK);
  crafted.close();
  connect();
  EXPECT_EQ(connection_.integer("SELECT count(*) FROM points WHERE sketch IS NULL AND p95 IS NULL", -1), 40);
}

TEST_F(Tables, PointsAndRollupsTogetherAreEverythingOnce) {
  store::History history(home_.home.options(), 1'699'488'000);
  double sum = 0;
  for (int hour = 0; hour < 100 * 24; ++hour) {
    ASSERT_EQ(history.tick({{"c_a", hour}, {"g_b", hour / 10.0}}), store::CommitResult::ok);
    sum += hour;
    history.pass(3600);
    history.maintain();
  }
  connect();
  const auto both = "(SELECT * FROM points UNION ALL SELECT * FROM rollups) ";
  const auto total = [&](const std::string& what, const std::string& where) {
    return connection_.integer("SELECT CAST(" + what + " AS INTEGER) FROM " + both + where, -1);
  };
  EXPECT_EQ(total("sum(value)", "WHERE metric = 'c_a'"), static_cast<std::int64_t>(sum));
  EXPECT_EQ(total("count(*)", "WHERE metric = 'g_b'"), 2400);
  EXPECT_EQ(total("count(DISTINCT ts_unix_nano)", "WHERE metric = 'g_b'"), 2400);
  EXPECT_EQ(total("count(DISTINCT step_s)", ""), 3);
  EXPECT_EQ(total("max(max) * 10", "WHERE metric = 'g_b' AND step_s = 3600"),
            total("max(value) * 10", "WHERE metric = 'g_b' AND step_s = 3600"));
  EXPECT_EQ(total("max(ts_unix_nano)", "WHERE step_s > 10") < total("min(ts_unix_nano)", "WHERE step_s = 10"), true);
}

TEST_F(Tables, APushedDownConditionOnLogsAnswersAsAPlainTableDoes) {
  const std::string id = "0af7651916cd43dd8448eb211c80319c";
  std::filesystem::create_directory(logs_directory(home_.home.path));
  std::ofstream log(log_path(home_.home.path));
  for (const char* trace :
       {"0af7651916cd43dd8448eb211c80319c", "0af7651916cd43dd8448eb211c803190", "0AF7", "odd\\u0041"})
    log << R"({"timestamp":"2026-11-23T21:00:00Z","level":"INFO","event":"e","message":"of )" << id
        << R"(","trace_id":")" << trace << "\"}\n";
  log << "not JSON " << id << '\n' << std::flush;
  connect();
  EXPECT_EQ(connection_.integer("SELECT count(*) FROM plain_logs", 0), 5);
  for (const std::string& some :
       {"trace_id = '" + id + "'", "trace_id = upper('" + id + "') COLLATE NOCASE", std::string("trace_id = 'oddA'"),
        std::string("trace_id = '0AF7'"), std::string("trace_id IS NULL"), std::string("time_unix_nano > 5")})
    same("logs", some, true);
  for (const char* none :
       {"trace_id = '0af7'", "trace_id = ''", "trace_id = upper('0af7651916cd43dd8448eb211c80319c')"})
    same("logs", none, false);
}

TEST_F(Tables, ThePlannerTakesWhatIsPushedDown) {
  connect();
  EXPECT_EQ(plan("SELECT * FROM spans"), 0);
  EXPECT_EQ(plan("SELECT * FROM spans WHERE start_unix_nano > 1"), PushDown::kLower);
  EXPECT_EQ(plan("SELECT * FROM spans WHERE start_unix_nano BETWEEN 1 AND 2"), PushDown::kLower | PushDown::kUpper);
  EXPECT_EQ(plan("SELECT * FROM spans WHERE start_unix_nano = 1"), PushDown::kExact);
  EXPECT_EQ(plan("SELECT * FROM spans WHERE trace_id = 'a'"), PushDown::kFirstColumn);
  EXPECT_EQ(plan("SELECT * FROM spans WHERE name = 'a' AND trace_id = 'b'"), 3 * PushDown::kFirstColumn);
  EXPECT_EQ(plan("SELECT * FROM spans WHERE name = 'a' COLLATE NOCASE"), 0);
  EXPECT_EQ(plan("SELECT * FROM spans WHERE span_id = 'a'"), 0);
  EXPECT_EQ(plan("SELECT * FROM points WHERE series = 4 AND ts_unix_nano > 5"),
            PushDown::kFirstColumn | PushDown::kLower);
  EXPECT_EQ(plan("SELECT * FROM points WHERE metric = 'a'"), 2 * PushDown::kFirstColumn);
  EXPECT_EQ(plan("SELECT * FROM logs WHERE trace_id = 'a'"), PushDown::kFirstColumn);
  EXPECT_EQ(plan("SELECT * FROM plain_logs CROSS JOIN spans ON spans.trace_id = plain_logs.trace_id"),
            PushDown::kFirstColumn);
}

TEST_F(Tables, ADamagedDatabaseIsAnErrorNotAShortAnswer) {
  home_.pack();
  connect();
  const std::int64_t pages = [&] {
    store::Connection traces;
    EXPECT_EQ(traces.open(traces_path(home_.home.path), store::Access::read_write, 1000), SQLITE_OK);
    EXPECT_EQ(traces.execute("PRAGMA wal_checkpoint(TRUNCATE)"), SQLITE_OK);
    return traces.integer("SELECT rootpage FROM sqlite_schema WHERE name = 'hot'", 0);
  }();
  home_.store.reset();
  const int file = ::open(traces_path(home_.home.path).c_str(), O_RDWR | O_CLOEXEC);
  const std::string zeros(16'384, '\xff');
  ASSERT_EQ(::pwrite(file, zeros.data(), zeros.size(), (pages - 1) * 16'384), 16'384);
  ::close(file);
  const auto rows = answer(connection_, "SELECT count(*) FROM spans");
  EXPECT_NE(rows.at(0).find("error: cannot read the traces: "), std::string::npos) << rows.at(0);
}

// A damaged blob is not a damaged database: the statement goes on without it, and says how many.
TEST_F(Tables, WhatIsDamagedIsLeftOutOfEveryTableAndCounted) {
  home_.pack();
  commit_points();
  const auto damage = [&](const std::string& path, const char* sql) {
    store::Connection file;
    ASSERT_EQ(file.open(path, store::Access::read_write, 1000), SQLITE_OK);
    ASSERT_EQ(file.execute(sql), SQLITE_OK) << file.error();
  };
  damage(
      metrics_path(home_.home.path),
      "UPDATE hot SET data = CAST(substr(data, 1, 20) || x'ee' || substr(data, 22) AS BLOB) WHERE commit_no IN (3, 4);"
      "INSERT INTO hot SELECT max(commit_no) + 1, 9223372036854775800, n, data FROM hot");
  damage(traces_path(home_.home.path),
         "UPDATE blk SET data = CAST(substr(data, 1, 99) || x'ee' || substr(data, 101) AS BLOB) WHERE id = 2");
  std::filesystem::create_directory(logs_directory(home_.home.path));
  std::ofstream(log_path(home_.home.path) + ".1.zst") << "no frame of zstd";
  std::ofstream(log_path(home_.home.path)) << "{}\n";
  auto opened = open_memory_database();
  ASSERT_TRUE(opened.ok());
  store::Connection& sql = opened.value();
  ASSERT_EQ(add_sql(sql.get(), home_.home.path), SQLITE_OK);
  EXPECT_EQ(sql.integer("SELECT honeytel_damaged()", -1), 0);
  EXPECT_EQ(sql.integer("SELECT count(*) FROM points", -1), 4 * 18);
  EXPECT_EQ(sql.integer("SELECT honeytel_damaged()", -1), 3);
  const std::int64_t spans = sql.integer("SELECT count(*) FROM spans", -1);
  EXPECT_GT(spans, 1000);
  EXPECT_LT(spans, static_cast<std::int64_t>(kSpans));
  EXPECT_EQ(sql.integer("SELECT honeytel_damaged()", -1), 4);
  EXPECT_EQ(sql.integer("SELECT count(*) FROM logs", -1), 1);
  EXPECT_EQ(sql.integer("SELECT honeytel_damaged()", -1), 5);
}

TEST_F(Tables, NoViewOfAFileMayNameThem) {
  connect();
  EXPECT_EQ(connection_.execute("CREATE VIEW hidden AS SELECT * FROM spans"), SQLITE_OK);
  EXPECT_NE(answer(connection_, "SELECT * FROM hidden").at(0).find("unsafe use of virtual table"), std::string::npos);
}

}  // namespace
}  // namespace honeylink::telemetry::query
