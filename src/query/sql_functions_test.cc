// The SQL functions: right values, and an SQL error for everything else that somebody may hand over.
#include "query/sql_functions.h"

#include <gtest/gtest.h>

#include <random>

#include "base/sketch.h"
#include "base/text.h"
#include "query/database.h"
#include "query/sql_home.h"
#include "store/metric_codec.h"
#include "store/test_support.h"

namespace honeylink::telemetry::query {
namespace {

Sketch sketch_of_values(std::mt19937_64& random, std::size_t n, int scale) {
  Sketch sketch;
  sketch.scale = scale;
  sketch.offset = -40;
  sketch.buckets.resize(120);
  for (std::size_t i = 0; i < n; ++i) ++sketch.buckets[random() % sketch.buckets.size()];
  sketch.zeros = n / 10;
  sketch.count = n + sketch.zeros;
  sketch.min = 0, sketch.max = bucket_upper_bound(scale, 80);
  sketch.sum = static_cast<double>(n);
  trim(sketch);
  return sketch;
}

class Functions : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = open_memory_database();
    ASSERT_TRUE(opened.ok());
    connection_ = std::move(opened.value());
    ASSERT_EQ(add_functions(connection_.get()), SQLITE_OK);
    ASSERT_EQ(connection_.execute("CREATE TABLE held(grp, sketch)"), SQLITE_OK);
  }
  void hold(int group, const Sketch& sketch) {
    const auto blob = sketch_blob(sketch);
    ASSERT_EQ(connection_.prepare("INSERT INTO held VALUES(?, ?)").bind(1, group).bind(2, std::span(blob)).run(),
              SQLITE_OK);
  }
  /// The only value of an answer as text, "NULL", or what SQLite complains of.
  std::string ask(const std::string& sql) {
    store::Statement statement = connection_.prepare(sql);
    if (!statement) return connection_.error();
    const int code = statement.step();
    if (code != SQLITE_ROW) return connection_.error();
    return statement.is_null(0) ? "NULL" : std::string(statement.text(0));
  }
  double real(const std::string& sql) {
    store::Statement statement = connection_.prepare(sql);
    return statement && statement.step() == SQLITE_ROW ? statement.real(0) : std::nan("");
  }
  store::Connection connection_;
};

TEST_F(Functions, QuantilesOfMergedSketchesAreThoseOfTheSum) {
  std::mt19937_64 random(7);
  for (int group = 0; group < 3; ++group) {
    Sketch sum;
    for (int i = 0; i < 20; ++i) {
      const Sketch sketch = sketch_of_values(random, 50 + random() % 1'000, group == 2 ? 3 + i % 2 : 4);
      hold(group, sketch);
      if (i == 0) sum = sketch;
      else merge(sum, sketch, 4096);
    }
    const std::string from = " FROM held WHERE grp = " + std::to_string(group);
    for (const char* q : {"0", "0.5", "0.95", "0.99", "1"})
      EXPECT_EQ(real("SELECT quantile(merge_sketch(sketch), " + std::string(q) + ")" + from),
                quantile(sum, std::atof(q)));
    // Programs hand blobs over as digits.
    EXPECT_EQ(real("SELECT quantile(hex(merge_sketch(sketch)), 0.95)" + from), quantile(sum, 0.95));
  }
  EXPECT_EQ(ask("SELECT merge_sketch(sketch) FROM held WHERE grp = 9"), "NULL");
  EXPECT_EQ(ask("SELECT merge_sketch(NULL)"), "NULL");
  EXPECT_EQ(ask("SELECT quantile(NULL, 0.5)"), "NULL");
  EXPECT_EQ(
      ask("SELECT count(*) FROM (SELECT merge_sketch(sketch) AS s FROM held GROUP BY grp) WHERE quantile(s, .5) > 0"),
      "3");
}

TEST_F(Functions, WhatIsNoSketchIsAnError) {
  std::mt19937_64 random(8);
  hold(1, sketch_of_values(random, 100, 4));
  for (const char* hostile : {"x''", "''", "5", "2.5", "'zz'", "x'00'", "'abc'", "zeroblob(100000)",
                              "x'0404ffffffffffffffffff0100ffffffff0f'", "(SELECT sketch || x'00' FROM held)",
                              "(SELECT substr(sketch, 1, length(sketch) - 1) FROM held)",
                              "(SELECT hex(sketch) || '0' FROM held)", "hex(zeroblob(1000000))"}) {
    EXPECT_NE(ask(std::string("SELECT quantile(") + hostile + ", 0.5)").find("this is no sketch"), std::string::npos)
        << hostile;
    EXPECT_NE(ask(std::string("SELECT merge_sketch(") + hostile + ")").find("this is no sketch"), std::string::npos)
        << hostile;
  }
  for (const char* q : {"-0.1", "1.1", "'x'", "x'00'", "1e999"})
    EXPECT_NE(ask(std::string("SELECT quantile(sketch, ") + q + ") FROM held").find("from 0 to 1"), std::string::npos)
        << q;
}

TEST_F(Functions, FlippedBitsOfASketchAreAnAnswerOrAnError) {
  std::mt19937_64 random(9);
  for (int i = 0; i < 3'000; ++i) {
    auto blob = sketch_blob(sketch_of_values(random, 200, 4));
    for (int flips = 0; flips < 3; ++flips)
      blob[random() % blob.size()] ^= static_cast<std::uint8_t>(1U << random() % 8);
    store::Statement statement = connection_.prepare("SELECT quantile(?1, 0.9), merge_sketch(?1)");
    const int code = statement.bind(1, std::span(blob)).step();
    EXPECT_TRUE(code == SQLITE_ROW || (code & 0xff) == SQLITE_ERROR) << code;
  }
}

TEST_F(Functions, RatesAndIds) {
  EXPECT_EQ(ask("SELECT rate(600, 60)"), "10.0");
  for (const char* none : {"rate(NULL, 60)", "rate(5, NULL)", "rate(5, 0)", "rate(5, -1)", "rate(5, 'x')",
                           "id_blob(NULL)", "id_text(NULL)"})
    EXPECT_EQ(ask(std::string("SELECT ") + none), "NULL") << none;
  const std::string trace = "0af7651916cd43dd8448eb211c80319c", span = "b7ad6b7169203331";
  for (const std::string& id : {trace, span}) {
    EXPECT_EQ(ask("SELECT id_text(id_blob('" + id + "'))"), id);
    EXPECT_EQ(ask("SELECT lower(hex(id_blob(upper('" + id + "'))))"), id);
  }
  for (const char* wrong :
       {"id_blob('')", "id_blob('0af')", "id_blob(5)", "id_blob('zz')", "id_text('x')", "id_text(5)", "id_text(x'00')"})
    EXPECT_NE(ask(std::string("SELECT ") + wrong).find("an id has"), std::string::npos) << wrong;
}

// F45: a file that somebody else made may name our functions in its views and triggers; they are not called.
TEST(HostileSchema, ViewsTriggersAndIndexesThatCallOurFunctionsAreRefused) {
  store::TempHome home;
  const std::string path = home.path + "/crafted.db";
  {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(db,
                           "CREATE TABLE t(a); INSERT INTO t VALUES(x'00');"
                           "CREATE VIEW v AS SELECT quantile(a, 0.5) FROM t;"
                           "CREATE VIEW h AS SELECT honeytel_home('/tmp/elsewhere');"
                           "CREATE VIEW m AS SELECT merge_sketch(a) FROM t;"
                           "CREATE VIEW p AS SELECT * FROM points; CREATE VIEW s AS SELECT * FROM spans;"
                           "CREATE TRIGGER g BEFORE INSERT ON t BEGIN SELECT id_text(new.a); END;",
                           nullptr, nullptr, nullptr),
              SQLITE_OK);
    sqlite3_close(db);
  }
  for (const bool trusting : {false, true}) {  // our own connections do not trust schemas, those of hosts mostly do
    store::Connection connection;
    ASSERT_EQ(connection.open(path, store::Access::read_write, 0), SQLITE_OK);
    if (trusting) sqlite3_db_config(connection.get(), SQLITE_DBCONFIG_TRUSTED_SCHEMA, 1, nullptr);
    ASSERT_EQ(add_sql(connection.get(), home.path), SQLITE_OK);
    for (const char* sql : {"SELECT * FROM v", "SELECT * FROM h", "SELECT * FROM m", "SELECT * FROM p",
                            "SELECT * FROM s", "INSERT INTO t VALUES(x'01')", "CREATE INDEX i ON t(id_text(a))"}) {
      EXPECT_NE(connection.execute(sql), SQLITE_OK) << sql;
      EXPECT_TRUE(connection.error().find("unsafe use of") != std::string::npos) << sql << ": " << connection.error();
    }
    EXPECT_EQ(connection.integer("SELECT count(*) FROM t", 0), 1);
    EXPECT_EQ(connection.integer("SELECT honeytel_home() = '" + home.path + "'", 0), 1);
  }
}

TEST(SqlHome, IsThatOfTheOpenedDatabase) {
  EXPECT_EQ(home_of_database("/a/b/metrics/metrics.db"), "/a/b");
  EXPECT_EQ(home_of_database("/a/b/metrics/traces.db"), "/a/b");
  for (const char* none : {"", "metrics.db", "/a/metrics.db", "/a/metrics/other.db", "metrics/metrics.db.bak"})
    EXPECT_EQ(home_of_database(none), "") << none;
}

}  // namespace
}  // namespace honeylink::telemetry::query
