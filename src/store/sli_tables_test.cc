// Rows of service levels and alerts: written with their tick or not at all, read back as they were, also into and out
// of files of before these tables.
#include "store/sli_tables.h"

#include <gtest/gtest.h>

#include "store/metric_store.h"
#include "store/test_support.h"

namespace honeylink::telemetry::store {
namespace {

constexpr std::int64_t kNow = 1'790'000'000'123'456'789;

SliRow loss_row() {
  SliRow row;
  row.name = "packet_loss_rate", row.module = "transport", row.unit = "1", row.state = "orange";
  row.value = 0.15, row.objective = 0.01, row.budget_left = -3.5, row.burn_1h = 15, row.rate = 200;
  row.samples = 2000, row.consecutive = 3, row.newest_point_unix_ns = kNow, row.evaluated_unix_ns = kNow + 1;
  row.trace_id = "0af7651916cd43dd8448eb211c80319c", row.definition = R"({"kind":"ratio"})", row.tracker = "1 2 3";
  return row;
}

AlertEvent alert(const std::string& id, Level severity) {
  AlertEvent event;
  event.alert_id = id, event.severity = severity, event.sli_name = "packet_loss_rate";
  event.module = "trans\"port", event.environment = "production";
  event.current_value = 0.15, event.threshold = 0.1, event.threshold_type = "upper";
  event.timestamp_unix_ns = kNow, event.trace_id = "0af7651916cd43dd8448eb211c80319c";
  return event;
}

struct Home {
  TempHome home;
  std::unique_ptr<MetricStore> store;
  Home() { open(); }
  void open() {
    store.reset();
    std::string said;
    store = MetricStore::open(home.options(), said);
    ASSERT_TRUE(store && store->begin_epoch() != 0) << said;
  }
  CommitResult commit(const SliTick& tick) {
    return store->commit_tick(kNow / 1'000'000'000, {}, 0, 0, {}, {}, false, &tick);
  }
  std::string read(const char* sql) {
    Connection c;
    if (c.open(store->path(), Access::read_only, 1000) != SQLITE_OK) return c.error();
    Statement row = c.prepare(sql);
    return row && row.step() == SQLITE_ROW ? std::string(row.text(0)) : std::string("-");
  }
  int execute(const char* sql) {
    Connection c;
    const int opened = c.open(store->path(), Access::read_write, 1000);
    return opened == SQLITE_OK ? c.execute(sql) : opened;
  }
};

TEST(SliTables, ComeBackAsTheyWere) {
  Home home;
  SliTick tick;
  tick.evaluated = true;
  tick.rows = {loss_row()};
  tick.fired = {alert("alert_A", Level::orange)};
  ASSERT_EQ(home.commit(tick), CommitResult::ok) << home.store->why();
  home.open();
  const SavedSlis saved = home.store->saved_slis();
  ASSERT_EQ(saved.rows.size(), 1U);
  const SliRow &row = saved.rows[0], want = loss_row();
  EXPECT_EQ(row.name, want.name);
  EXPECT_EQ(row.state, want.state);
  EXPECT_EQ(row.value, want.value);
  EXPECT_EQ(row.budget_left, want.budget_left);
  EXPECT_EQ(row.burn_6h, std::nullopt);
  EXPECT_EQ(row.samples, want.samples);
  EXPECT_EQ(row.consecutive, want.consecutive);
  EXPECT_EQ(row.newest_point_unix_ns, want.newest_point_unix_ns);
  EXPECT_EQ(row.trace_id, want.trace_id);
  EXPECT_EQ(row.tracker, want.tracker);
  ASSERT_EQ(saved.firing.size(), 1U);
  const AlertEvent &event = saved.firing[0], fired = alert("alert_A", Level::orange);
  EXPECT_EQ(event.alert_id, fired.alert_id);
  EXPECT_EQ(event.severity, Level::orange);
  EXPECT_EQ(event.module, fired.module);
  EXPECT_EQ(event.environment, fired.environment);
  EXPECT_EQ(event.current_value, fired.current_value);
  EXPECT_EQ(event.threshold, fired.threshold);
  EXPECT_EQ(event.timestamp_unix_ns, kNow);
  EXPECT_EQ(event.trace_id, fired.trace_id);
  EXPECT_EQ(saved.evaluated_commit, 1U);
}

TEST(SliTables, WhoWasNotToldYetIsKnownUntilTheNextCommit) {
  Home home;
  SliTick first;
  first.fired = {alert("alert_A", Level::yellow)};
  ASSERT_EQ(home.commit(first), CommitResult::ok);
  SliTick second;
  second.fired = {alert("alert_B", Level::orange)};
  second.cleared = {alert("alert_A", Level::yellow)};
  second.cleared[0].cleared_at_unix_ns = kNow + 5;
  ASSERT_EQ(home.commit(second), CommitResult::ok);
  home.open();
  SavedSlis saved = home.store->saved_slis();
  ASSERT_EQ(saved.untold_fired.size(), 1U);
  ASSERT_EQ(saved.untold_cleared.size(), 1U);
  EXPECT_EQ(saved.untold_fired[0].alert_id, "alert_B");
  EXPECT_EQ(saved.untold_cleared[0].alert_id, "alert_A");
  EXPECT_EQ(saved.untold_cleared[0].cleared_at_unix_ns, kNow + 5);
  ASSERT_EQ(saved.firing.size(), 1U);
  EXPECT_EQ(saved.firing[0].alert_id, "alert_B");
  ASSERT_EQ(home.commit({}), CommitResult::ok);
  saved = home.store->saved_slis();
  EXPECT_TRUE(saved.untold_fired.empty() && saved.untold_cleared.empty());
  EXPECT_EQ(saved.firing.size(), 1U);
}

TEST(SliTables, AnAlertThatFiresAndClearsInOneCommitHasCleared) {
  Home home;
  SliTick tick;
  tick.fired = {alert("alert_A", Level::yellow)};
  tick.cleared = tick.fired;
  tick.cleared[0].cleared_at_unix_ns = kNow;
  ASSERT_EQ(home.commit(tick), CommitResult::ok);
  EXPECT_TRUE(home.store->saved_slis().firing.empty());
}

TEST(SliTables, DeliveriesAreAddedToWhatIsThere) {
  Home home;
  SliTick tick;
  tick.fired = {alert("alert_A", Level::yellow)};
  ASSERT_EQ(home.commit(tick), CommitResult::ok);
  EXPECT_EQ(home.read("SELECT delivered FROM alerts"), "");
  SliTick told;
  told.deliveries = {{"alert_A", R"({"toast_ms":3})"}, {"alert_unknown", R"({"toast_ms":4})"}};
  ASSERT_EQ(home.commit(told), CommitResult::ok);
  told.deliveries = {{"alert_A", R"({"alertmanager_ms":5})"}};
  ASSERT_EQ(home.commit(told), CommitResult::ok);
  EXPECT_EQ(home.read("SELECT delivered FROM alerts"), R"({"toast_ms":3,"alertmanager_ms":5})");
}

TEST(SliTables, AFileOfBeforeThemIsWrittenIntoAndReadFrom) {
  Home home;
  ASSERT_EQ(home.execute("DROP TABLE sli_state"), SQLITE_OK);
  home.open();
  EXPECT_TRUE(home.store->saved_slis().rows.empty());
  SliTick tick;
  tick.rows = {loss_row()};
  ASSERT_EQ(home.commit(tick), CommitResult::ok) << home.store->why();
  EXPECT_EQ(home.store->saved_slis().rows.size(), 1U);
}

TEST(SliTables, ACommitThatFailsLeavesNothingAndTheNextOneWorks) {
  Home home;
  ASSERT_EQ(home.execute(
                "DROP TABLE sli_state; CREATE TRIGGER no BEFORE INSERT ON slis BEGIN SELECT RAISE(ABORT, 'no'); END"),
            SQLITE_OK);
  home.open();
  SliTick tick;
  tick.rows = {loss_row()}, tick.fired = {alert("alert_A", Level::yellow)};
  EXPECT_NE(home.commit(tick), CommitResult::ok);
  EXPECT_EQ(home.read("SELECT count(*) FROM alerts"), "0");
  EXPECT_EQ(home.read("SELECT count(*) FROM sqlite_schema WHERE name='sli_state'"), "0");
  ASSERT_EQ(home.execute("DROP TRIGGER no"), SQLITE_OK);
  ASSERT_EQ(home.commit(tick), CommitResult::ok) << home.store->why();
  EXPECT_EQ(home.store->saved_slis().firing.size(), 1U);
}

TEST(SliTables, GoneLevelsGoAndOldAlertsThatClearedMakeRoom) {
  Home home;
  SliTick tick;
  tick.rows = {loss_row()}, tick.fired = {alert("alert_first", Level::yellow)};
  ASSERT_EQ(home.commit(tick), CommitResult::ok);
  const std::string fill = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " +
                           std::to_string(kAlertRowsMax + 50) +
                           ") INSERT INTO alerts SELECT 'alert_' || i, 'red', 's', 1, 1, 'upper', '2026', NULL, '{}', "
                           "'2026', NULL FROM n";
  ASSERT_EQ(home.execute(fill.c_str()), SQLITE_OK);
  SliTick next;
  next.gone = {"packet_loss_rate"}, next.fired = {alert("alert_last", Level::yellow)};
  ASSERT_EQ(home.commit(next), CommitResult::ok);
  EXPECT_EQ(home.read("SELECT count(*) FROM slis"), "0");
  EXPECT_EQ(home.read("SELECT count(*) FROM sli_state"), "0");
  EXPECT_EQ(home.read("SELECT count(*) FROM alerts"), std::to_string(kAlertRowsMax + 1));
  EXPECT_EQ(home.read("SELECT count(*) FROM alerts WHERE alert_id IN ('alert_first', 'alert_last')"), "2");
}

TEST(SliTables, HostileLabelsOfARowAreNoReasonToForgetTheOthers) {
  Home home;
  SliTick tick;
  tick.fired = {alert("alert_A", Level::yellow), alert("alert_B", Level::red)};
  ASSERT_EQ(home.commit(tick), CommitResult::ok);
  ASSERT_EQ(
      home.execute("UPDATE alerts SET labels='{{{' WHERE alert_id='alert_A'; UPDATE alerts SET severity='purple', "
                   "timestamp='yesterday', threshold=NULL WHERE alert_id='alert_B'"),
      SQLITE_OK);
  const SavedSlis saved = home.store->saved_slis();
  ASSERT_EQ(saved.firing.size(), 1U);
  EXPECT_EQ(saved.firing[0].alert_id, "alert_A");
  EXPECT_EQ(saved.firing[0].module, "");
}

}  // namespace
}  // namespace honeylink::telemetry::store
