// What honeytel shows of what is stored: written through the stores' own classes, read back through the tool.
#include <chrono>

#include "base/sketch.h"
#include "base/text.h"
#include "cli_support.h"
#include "store/log_files.h"
#include "store/metric_store.h"
#include "store/test_support.h"
#include "store/trace_store.h"

namespace honeylink::telemetry::test {
namespace {

constexpr std::int64_t kMs = 1'000'000, kSecond = 1'000'000'000;

class CliStored : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    now_ = std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
               .count();
    source_.serial = 1, source_.pid = 4711, source_.started_unix_ns = now_ - 60 * kSecond;
    source_.ring_id = {1}, source_.trace_key = {2}, source_.span_key = {3};
    source_.resource = {"link", "1.0", "session-orchestrator", "development", {}};
    source_.texts = {"_other", "session.establish", "policy.fetch", "key.exchange", "packet.send", "physical.transmit",
                     "bytes",  "esc\x1b[2J",        "packet.lost",  "why"};
    options_.home = home_;
  }
  SpanEvent span(std::uint64_t trace, std::uint64_t id, std::uint64_t parent, std::uint32_t name, std::int64_t start_ms,
                 std::int64_t duration_us) const {
    SpanEvent event;
    event.source = &source_;
    event.trace.lo = trace, event.span = id;
    event.parent = {parent != 0, false, parent};
    event.name = name;
    event.start_unix_ns = now_ - 30 * kSecond + start_ms * kMs, event.duration_ns = duration_us * 1'000;
    return event;
  }
  /// The manual's own example, and `more` traces of one span each.
  void store_traces(int more) {
    std::string said;
    auto traces = store::TraceStore::open(options_, said);
    ASSERT_NE(traces, nullptr) << said;
    ASSERT_NE(traces->begin_epoch(), 0U);
    store::Items sent;
    sent.integer(6, 1'400).text(7, "a\x1b[31m\nb").add(0, ItemType::status_text, "timeout");
    traces->add(span(1, 1, 0, 1, 0, 650'500));
    traces->add(span(1, 2, 1, 2, 1, 12'100));
    traces->add(span(1, 3, 1, 3, 15, 31'000));
    SpanEvent failed = span(1, 4, 1, 4, 50, 598'200);
    failed.status = 2, failed.items = sent.view();
    traces->add(failed);
    traces->add(span(1, 5, 4, 5, 55, 590'000));
    for (int i = 0; i < more; ++i)
      traces->add(
          span(100 + static_cast<std::uint64_t>(i), 1'000 + static_cast<std::uint64_t>(i), 0, 2, 1'000 + i, 5'000));
    store::Counts counts;
    counts.accepted = counts.stored = 5 + static_cast<std::uint64_t>(more);
    ASSERT_EQ(traces->commit({}, counts, false), store::CommitResult::ok);
  }
  void store_logs(int more) {
    std::string said;
    auto logs = store::LogFiles::open(options_, said);
    ASSERT_NE(logs, nullptr) << said;
    ASSERT_NE(logs->begin_epoch(), 0U);
    store::Items items;
    items.text(9, "late\x1b]0;x\x07 \xe2\x80\xae");
    LogEvent event;
    event.source = &source_, event.time_unix_ns = now_ - 29 * kSecond, event.in_span = true, event.trace.lo = 1,
    event.span = {true, false, 4};
    event.name = 8, event.level = 13, event.items = items.view();
    logs->add(event);
    for (int i = 0; i < more; ++i) {
      LogEvent info;
      info.source = &source_, info.time_unix_ns = now_ - 20 * kSecond + i * kMs, info.name = 1, info.level = 9;
      logs->add(info);
    }
    store::Counts counts;
    counts.accepted = counts.stored = 1 + static_cast<std::uint64_t>(more);
    ASSERT_EQ(logs->commit({}, counts, false), store::CommitResult::ok);
  }
  void store_metrics(std::uint64_t dropped_logs = 0) {
    std::string said;
    auto metrics = store::MetricStore::open(options_, said);
    ASSERT_NE(metrics, nullptr) << said;
    ASSERT_NE(metrics->begin_epoch(), 0U);
    SeriesInfo counter{"packets_lost_total", "{packet}", "Lost",      MetricType::counter, "application", "",
                       {{"link", "wifi"}},   "link",     "transport", "development"};
    SeriesInfo histogram{"session_establishment_duration_seconds",
                         "s",
                         "Until both may send",
                         MetricType::histogram,
                         "application",
                         "",
                         {},
                         "link",
                         "session-orchestrator",
                         "development"};
    Sketch sketch;
    sketch.scale = 4, sketch.offset = -16, sketch.count = 10, sketch.sum = 4.2, sketch.min = 0.4, sketch.max = 0.8;
    sketch.buckets = {0, 0, 5, 0, 0, 0, 0, 5};
    const std::int64_t tick = now_ / kSecond / 10 * 10;
    for (int i = 5; i >= 0; --i) {
      std::vector<MetricDelta> deltas(2);
      deltas[0].sid = metrics->series_id(counter), deltas[0].kind = MetricType::counter, deltas[0].integer = 7;
      deltas[1].sid = metrics->series_id(histogram), deltas[1].kind = MetricType::histogram, deltas[1].sketch = &sketch;
      store::Counts counts;
      counts.accepted = counts.stored = 2;
      store::LedgerSnapshot ledger;
      ledger.metrics.totals.accepted = ledger.metrics.totals.stored = 12;
      ledger.logs.totals.accepted = 1'000, ledger.logs.totals.stored = 1'000 - dropped_logs;
      if (dropped_logs != 0) ledger.logs.totals.dropped["buffer_full"] = dropped_logs;
      ASSERT_EQ(metrics->commit_tick(tick - i * 10, deltas, 0, 0, counts, ledger, false), store::CommitResult::ok);
    }
  }
  Source source_;
  store::StoreOptions options_;
  std::int64_t now_ = 0;
};

bool printable(const std::string& text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c == '\n' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f); });
}

TEST_F(CliStored, TracesAreListedNewestFirstAndTheRestIsSaid) {
  store_traces(60);
  const Said said = honeytel({"traces", "--json"});
  ASSERT_EQ(said.exit, 0) << said.err;
  const auto json = said.json();
  EXPECT_EQ(json["schema"], 1);
  EXPECT_EQ(json["total"], 61);
  EXPECT_EQ(json["truncated"], true);
  EXPECT_EQ(json["traces"].size(), 50U);
  const auto all = honeytel({"traces", "--json", "--limit", "0"}).json();
  EXPECT_EQ(all["traces"].size(), 61U);
  EXPECT_EQ(all["truncated"], false);
  const auto& oldest = all["traces"].back();
  EXPECT_EQ(oldest["root"], "session.establish");
  EXPECT_EQ(oldest["spans"], 5);
  EXPECT_EQ(oldest["errors"], 1);
  EXPECT_EQ(oldest["duration_ns"], 650'500'000);
  EXPECT_EQ(oldest["kept"], "sampled");
  EXPECT_TRUE(oldest["start_unix_nano"].is_string());
  const Said table = honeytel({"traces"});
  EXPECT_NE(table.err.find("showing 50 of 61; --limit 0 for all"), std::string::npos) << table.err;
  EXPECT_TRUE(printable(table.out));
}

TEST_F(CliStored, TracesAreFoundByErrorNameAndDuration) {
  store_traces(10);
  const auto total = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"traces", "--json"});
    return honeytel(words).json()["total"].get<int>();
  };
  EXPECT_EQ(total({"--errors"}), 1);
  EXPECT_EQ(total({"--name", "key.exchange"}), 1);
  EXPECT_EQ(total({"--name", "policy.fetch"}), 11);
  EXPECT_EQ(total({"--min-duration", "100ms"}), 1);
  EXPECT_EQ(total({"--slow"}), 0);
  EXPECT_EQ(total({"--since", "1s"}), 0);
  EXPECT_EQ(total({"--since", "1h"}), 11);
}

TEST_F(CliStored, ATraceIsFoundByTheBeginningOfItsIdAndDrawn) {
  store_traces(0);
  store_logs(0);
  const std::string id = honeytel({"traces", "--json"}).json()["traces"][0]["trace_id"];
  ASSERT_EQ(id.size(), 32U);
  const Said said = honeytel({"traces", id.substr(0, 8)});
  ASSERT_EQ(said.exit, 0) << said.err;
  EXPECT_NE(said.out.find("└ packet.send"), std::string::npos) << said.out;
  EXPECT_NE(said.out.find("■ error: timeout"), std::string::npos) << said.out;
  EXPECT_NE(said.out.find("← critical path 91 %"), std::string::npos) << said.out;
  EXPECT_NE(said.out.find("1 log (honeytel logs --trace " + id.substr(0, 8) + ")"), std::string::npos) << said.out;
  EXPECT_TRUE(printable(honeytel({"traces", id, "--verbose"}).out));
  EXPECT_EQ(honeytel({"traces", id.substr(0, 4) == "0000" ? "ffff" : "0000"}).exit, 6);
}

TEST_F(CliStored, ATraceAsJsonKeepsEveryNanosecond) {
  store_traces(0);
  const std::string id = honeytel({"traces", "--json"}).json()["traces"][0]["trace_id"];
  const auto json = honeytel({"traces", id, "--json"}).json();
  EXPECT_EQ(json["schema"], 1);
  EXPECT_EQ(json["trace_id"], id);
  ASSERT_EQ(json["spans"].size(), 5U);
  const auto& root = json["spans"][0];
  EXPECT_TRUE(root["parent_span_id"].is_null());
  EXPECT_EQ(root["start_unix_nano"], std::to_string(now_ - 30 * kSecond));
  const auto& sent = json["spans"][3];
  EXPECT_EQ(sent["name"], "packet.send");
  EXPECT_EQ(sent["parent_span_id"], root["span_id"]);
  EXPECT_EQ(sent["status"], "error");
  EXPECT_EQ(sent["attributes"]["bytes"], 1'400);
  EXPECT_EQ(sent["attributes"]["esc\x1b[2J"], "a\x1b[31m\nb");
}

TEST_F(CliStored, LogsAreFilteredAndNeverReachTheTerminalRaw) {
  store_logs(150);
  const Said table = honeytel({"logs", "--level", "warn"});
  EXPECT_EQ(table.exit, 0) << table.err;
  EXPECT_NE(table.out.find("packet.lost"), std::string::npos) << table.out;
  EXPECT_TRUE(printable(table.out)) << table.out;
  EXPECT_EQ(table.out.find("\xe2\x80\xae"), std::string::npos);
  const auto json = honeytel({"logs", "--json"}).json();
  EXPECT_EQ(json["logs"].size(), 100U);
  EXPECT_EQ(json["total"], 151);
  EXPECT_EQ(json["truncated"], true);
  EXPECT_EQ(honeytel({"logs", "--grep", "packet\\.(lost|late)", "--json"}).json()["total"], 1);
  const std::string trace =
      json["logs"].empty()
          ? ""
          : honeytel({"logs", "--level", "warn", "--json"}).json()["logs"][0]["trace_id"].get<std::string>();
  EXPECT_EQ(honeytel({"logs", "--trace", trace.substr(0, 6), "--json"}).json()["total"], 1);
}

TEST_F(CliStored, MetricsAddUpAndHaveQuantiles) {
  store_metrics();
  const auto list = honeytel({"metrics", "--json"}).json();
  ASSERT_EQ(list["series"].size(), 2U);
  EXPECT_EQ(list["series"][0]["name"], "packets_lost_total");
  EXPECT_EQ(list["series"][0]["value"], 42);
  EXPECT_EQ(list["series"][1]["count"], 60);
  const auto points = honeytel({"metrics", "packets_lost_total", "--json", "--label", "link=wifi"}).json();
  EXPECT_EQ(points["total"], 6);
  EXPECT_EQ(points["points"][0]["value"], 7);
  const auto hour =
      honeytel({"metrics", "session_establishment_duration_seconds", "--json", "--step", "1h", "--quantile", "0.5"})
          .json();
  std::uint64_t count = 0;
  for (const auto& point : hour["points"]) count += point["count"].get<std::uint64_t>();
  EXPECT_EQ(count, 60U);
  const Said plot = honeytel({"metrics", "session_establishment_duration_seconds", "--plot"});
  EXPECT_NE(plot.out.find("p95"), std::string::npos) << plot.out;
  EXPECT_TRUE(std::any_of(plot.out.begin(), plot.out.end(), [](char c) { return c == '\xe2'; })) << plot.out;
}

TEST_F(CliStored, AMistypedMetricIsGuessed) {
  store_metrics();
  const Said said = honeytel({"metrics", "packet_lost_total"});
  EXPECT_EQ(said.exit, 6);
  EXPECT_NE(said.err.find("did you mean 'packets_lost_total'?"), std::string::npos) << said.err;
}

TEST_F(CliStored, SqlSeesEverythingAndChangesNothing) {
  store_traces(3), store_logs(2), store_metrics();
  const auto rows = [&](const std::string& sql) {
    const Said said = honeytel({"sql", sql, "--json"});
    EXPECT_EQ(said.exit, 0) << sql << "\n" << said.err;
    return said.json()["rows"];
  };
  EXPECT_EQ(rows("SELECT count(*) AS n FROM spans")[0]["n"], 8);
  EXPECT_EQ(rows("SELECT attributes->>'bytes' AS b FROM spans WHERE status = 'error'")[0]["b"], 1'400);
  EXPECT_EQ(rows("SELECT count(*) AS n FROM logs WHERE level = 'WARN'")[0]["n"], 1);
  EXPECT_EQ(rows("SELECT sum(value) AS n FROM points WHERE metric = 'packets_lost_total'")[0]["n"], 42.0);
  EXPECT_EQ(rows("SELECT count(*) AS n FROM spans s JOIN logs l ON l.trace_id = s.trace_id")[0]["n"], 5);
  EXPECT_EQ(rows("SELECT count(*) AS n FROM spans WHERE start_unix_nano > " + std::to_string(now_))[0]["n"], 0);
  EXPECT_EQ(rows("SELECT count(*) AS n FROM spans WHERE start_unix_nano BETWEEN 0 AND " + std::to_string(now_))[0]["n"],
            8);
  EXPECT_EQ(rows("SELECT count(*) AS n FROM series")[0]["n"], 2);
  for (const char* sql :
       {"DELETE FROM series", "CREATE TABLE x(y)", "SELECT 1; SELECT 2", "SELEC 1", "SELECT nothing FROM spans", ""}) {
    EXPECT_EQ(honeytel({"sql", sql}).exit, 2) << sql;
  }
  EXPECT_EQ(honeytel({"sql", "SELECT 'a,\"b' AS x, NULL AS y", "--csv"}).out, "x,y\r\n\"a,\"\"b\",\r\n");
}

TEST_F(CliStored, StatusHasTheLedgerAndTheStores) {
  store_traces(3), store_logs(2), store_metrics();
  const auto json = honeytel({"status", "--json"}).json();
  EXPECT_EQ(json["schema"], 1);
  EXPECT_EQ(json["home"], home_);
  EXPECT_EQ(json["engine"]["mode"], "none");
  EXPECT_EQ(json["rings"].size(), 0U);
  EXPECT_EQ(json["ledger"]["spans"]["accepted"], 8);
  EXPECT_EQ(json["ledger"]["spans"]["stored"], 8);
  EXPECT_EQ(json["ledger"]["logs"]["stored"], 3);
  for (const char* signal : {"metrics", "spans", "logs"}) EXPECT_EQ(json["ledger"][signal]["error"], 0) << signal;
  EXPECT_GT(json["stores"]["traces"]["bytes"], 0);
  EXPECT_EQ(json["stores"]["metrics"]["cap_bytes"], 500'000'000);
  EXPECT_TRUE(json["stores"]["logs"]["oldest"].is_string());
  EXPECT_TRUE(json["consent"].is_array());
  EXPECT_TRUE(printable(honeytel({"status"}).out));
}

TEST_F(CliStored, HealthJudgesTheLossOfTheWindow) {
  store_metrics(5);
  EXPECT_EQ(honeytel({"health", "--window", "5m", "--max-loss", "0.01"}).exit, 0);
  const Said strict = honeytel({"health", "--window", "5m", "--max-loss", "0.001", "--json"});
  EXPECT_EQ(strict.exit, 1);
  EXPECT_EQ(strict.json()["signals"]["logs"]["lost"], 5);
  EXPECT_EQ(strict.json()["signals"]["logs"]["reasons"]["buffer_full"], 5);
}

TEST_F(CliStored, ForgettingAsksAndLeavesNothing) {
  store_traces(3), store_logs(2), store_metrics();
  EXPECT_EQ(honeytel({"forget", "--all"}).exit, 2);  // nobody to ask
  EXPECT_EQ(honeytel({"forget", "--before", "10s", "--yes"}).exit, 0);
  EXPECT_EQ(honeytel({"traces", "--json"}).json()["total"], 0);
  EXPECT_EQ(honeytel({"logs", "--json"}).json()["total"], 0);
  EXPECT_EQ(honeytel({"forget", "--all", "--yes"}).exit, 0);
  EXPECT_EQ(honeytel({"sql", "SELECT count(*) AS n FROM series", "--json"}).json()["rows"][0]["n"], 0);
  EXPECT_NE(std::system(("grep -rqa 'packet.lost' " + home_).c_str()), 0) << "the name is still on disk";
  std::string said;
  auto logs = store::LogFiles::open(options_, said);
  ASSERT_NE(logs, nullptr);
  EXPECT_EQ(logs->totals().stored, 3U) << "counts outlive what they counted";
}

TEST_F(CliStored, ADamagedStoreIsSaidWithItsExitCode) {
  store_traces(1);
  const std::string path = home_ + "/metrics/traces.db";
  ASSERT_EQ(::truncate(path.c_str(), 100), 0);
  std::filesystem::remove(path + "-wal");
  EXPECT_EQ(honeytel({"traces"}).exit, 7);
}

TEST_F(CliStored, ASymbolicLinkIsRefused) {
  store_traces(1);
  const std::string path = home_ + "/metrics/traces.db";
  std::filesystem::rename(path, home_ + "/real.db");
  std::filesystem::create_symlink(home_ + "/real.db", path);
  const Said said = honeytel({"traces"});
  EXPECT_EQ(said.exit, 3) << said.err;
  EXPECT_NE(said.err.find("symbolic link"), std::string::npos) << said.err;
}

}  // namespace
}  // namespace honeylink::telemetry::test
