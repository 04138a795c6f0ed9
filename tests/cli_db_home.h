// A home with both halves of every signal, of two hours ago and of now, for the tests of honeytel db, bundle and
// forget: written through the stores' own classes, looked at through the tool.
#pragma once
#include <chrono>
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

inline constexpr std::int64_t kSecond = 1'000'000'000, kMinute = 60 * kSecond;

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

}  // namespace honeylink::telemetry::test
