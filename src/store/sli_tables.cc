// See sli_tables.h.
#include "store/sli_tables.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "base/utc_text.h"
#include "store/metric_schema.h"

namespace honeylink::telemetry::store {
namespace {

constexpr std::array<std::string_view, 4> kLevels{"ok", "yellow", "orange", "red"};
constexpr std::size_t kRowBytes = 2'048;  // of an SLI or an alert, with what it takes of pages and indexes

std::string_view level_text(Level level) noexcept { return kLevels[static_cast<std::size_t>(level) % kLevels.size()]; }
Level level_from(std::string_view text) noexcept {
  const auto at = std::find(kLevels.begin(), kLevels.end(), text);
  return at == kLevels.end() ? Level::ok : static_cast<Level>(at - kLevels.begin());
}

void bind_real(Statement& to, int index, const std::optional<double>& value) {
  if (value) to.bind(index, *value);
}
// Bound texts live until run(): the caller keeps them.
void bind_text(Statement& to, int index, const std::string& text) {
  if (!text.empty()) to.bind(index, std::string_view(text));
}
std::string time_text(std::int64_t unix_ns) { return unix_ns == 0 ? std::string() : utc_text(unix_ns); }

std::string labels_of(const AlertEvent& event) {
  std::string json = "{\"module\":";
  append_json_string(json, event.module);
  json += ",\"environment\":";
  append_json_string(json, event.environment);
  return json + "}";
}

std::optional<double> real_of(const Statement& row, int column) {
  return row.is_null(column) ? std::nullopt : std::optional(row.real(column));
}

// A time as nanoseconds: SQLite's own functions end at milliseconds.
constexpr const char* kReadAlerts =
    "SELECT alert_id, severity, sli_name, current_value, threshold, threshold_type, "
    "CAST(strftime('%s', timestamp) AS INTEGER) * 1000000000 + CAST(substr(timestamp, 21, 9) AS INTEGER), trace_id, "
    "CASE WHEN json_valid(labels) THEN json_extract(labels, '$.module') END, "
    "CASE WHEN json_valid(labels) THEN json_extract(labels, '$.environment') END, "
    "CAST(strftime('%s', cleared_at) AS INTEGER) * 1000000000 + CAST(substr(cleared_at, 21, 9) AS INTEGER) "
    "FROM alerts WHERE ";

std::vector<AlertEvent> read_alerts(Connection& connection, const std::string& where, std::string_view id = {}) {
  std::vector<AlertEvent> events;
  Statement rows = connection.prepare(kReadAlerts + where);
  if (rows && !id.empty()) rows.bind(1, id);
  while (rows && rows.step() == SQLITE_ROW) {
    AlertEvent event;
    event.alert_id = rows.text(0), event.severity = level_from(rows.text(1)), event.sli_name = rows.text(2);
    event.current_value = rows.real(3), event.threshold = rows.real(4), event.threshold_type = rows.text(5);
    event.timestamp_unix_ns = rows.integer(6), event.trace_id = rows.text(7);
    event.module = rows.text(8), event.environment = rows.text(9);
    event.cleared_at_unix_ns = rows.is_null(10) ? 0 : rows.integer(10);
    if (event.severity != Level::ok) events.push_back(std::move(event));  // a level that is none was not written here
  }
  return events;
}

}  // namespace

bool SliTables::prepare(Connection& c) {
  if (sli_) return true;
  if (c.execute(kSliStateSchema) != SQLITE_OK) return false;
  sli_ = c.prepare("INSERT OR REPLACE INTO slis VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)");
  state_ = c.prepare("INSERT OR REPLACE INTO sli_state VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)");
  forget_sli_ = c.prepare("DELETE FROM slis WHERE sli_name=?1");
  forget_state_ = c.prepare("DELETE FROM sli_state WHERE sli_name=?1");
  fire_ = c.prepare("INSERT OR REPLACE INTO alerts VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, NULL, NULL)");
  clear_ = c.prepare("UPDATE alerts SET cleared_at=?2 WHERE alert_id=?1");
  deliver_ = c.prepare("UPDATE alerts SET delivered=json_patch(coalesce(delivered, '{}'), ?2) WHERE alert_id=?1");
  thin_ =
      c.prepare("DELETE FROM alerts WHERE rowid <= (SELECT max(rowid) FROM alerts) - ?1 AND cleared_at IS NOT NULL");
  meta_ = c.prepare("INSERT INTO meta VALUES(?1, ?2) ON CONFLICT DO UPDATE SET value=excluded.value");
  return sli_ && state_ && forget_sli_ && forget_state_ && fire_ && clear_ && deliver_ && thin_ && meta_;
}

void SliTables::reset() {
  for (Statement* s : {&sli_, &state_, &forget_sli_, &forget_state_, &fire_, &clear_, &deliver_, &thin_, &meta_})
    *s = Statement();
  untold_ = true;
}

std::uint64_t SliTables::bytes_of(const SliTick& tick) noexcept {
  return kRowBytes * (tick.rows.size() + tick.fired.size() + tick.cleared.size() + tick.deliveries.size());
}

int SliTables::write_row(const SliRow& row) {
  const std::string newest = time_text(row.newest_point_unix_ns), evaluated = time_text(row.evaluated_unix_ns);
  sli_.bind(1, std::string_view(row.name)).bind(5, std::string_view(row.state)).bind(6, row.consecutive);
  bind_text(sli_, 2, row.module), bind_real(sli_, 3, row.value), bind_text(sli_, 4, row.unit);
  bind_real(sli_, 7, row.objective), bind_real(sli_, 8, row.budget_left);
  bind_real(sli_, 9, row.burn_1h), bind_real(sli_, 10, row.burn_6h), bind_text(sli_, 11, newest);
  const int result = sli_.run();
  if (result != SQLITE_OK) return result;
  state_.bind(1, std::string_view(row.name)).bind(3, row.samples);
  bind_text(state_, 2, evaluated), bind_real(state_, 4, row.rate), bind_text(state_, 5, row.trace_id);
  bind_real(state_, 6, row.burn_5m), bind_real(state_, 7, row.burn_30m), bind_real(state_, 8, row.burn_3d);
  state_.bind(9, std::string_view(row.definition)).bind(10, std::string_view(row.tracker));
  return state_.run();
}

int SliTables::write_alerts(const SliTick& tick) {
  int result = SQLITE_OK;
  // First what fired: one commit may judge two ticks, and the second may clear what the first one fired.
  for (const AlertEvent& event : tick.fired) {
    const std::string at = utc_text(event.timestamp_unix_ns), labels = labels_of(event);
    fire_.bind(1, std::string_view(event.alert_id)).bind(2, level_text(event.severity));
    fire_.bind(3, std::string_view(event.sli_name)).bind(4, event.current_value).bind(5, event.threshold);
    fire_.bind(6, std::string_view(event.threshold_type)).bind(7, std::string_view(at));
    bind_text(fire_, 8, event.trace_id);
    result = fire_.bind(9, std::string_view(labels)).run();
    if (result != SQLITE_OK) return result;
  }
  for (const AlertEvent& event : tick.cleared) {
    const std::string at = utc_text(event.cleared_at_unix_ns);
    result = clear_.bind(1, std::string_view(event.alert_id)).bind(2, std::string_view(at)).run();
    if (result != SQLITE_OK) return result;
  }
  for (const AlertDelivery& delivery : tick.deliveries) {
    result = deliver_.bind(1, std::string_view(delivery.alert_id)).bind(2, std::string_view(delivery.told)).run();
    if (result != SQLITE_OK) return result;
  }
  return tick.fired.empty() ? SQLITE_OK : thin_.bind(1, kAlertRowsMax).run();
}

int SliTables::write_untold(const SliTick& tick) {
  std::string untold;
  for (const AlertEvent& event : tick.fired) untold += "f" + event.alert_id + " ";
  for (const AlertEvent& event : tick.cleared) untold += "c" + event.alert_id + " ";
  if (untold.empty() && !untold_) return SQLITE_OK;
  untold_ = !untold.empty();
  return meta_.bind(1, std::string_view("alerts_untold")).bind(2, std::string_view(untold)).run();
}

int SliTables::write(Connection& c, const SliTick& tick, std::uint64_t commit_no) {
  if (!prepare(c)) return c.result();
  for (const SliRow& row : tick.rows) {
    if (const int result = write_row(row); result != SQLITE_OK) return result;
  }
  for (const std::string& name : tick.gone) {
    int result = forget_sli_.bind(1, std::string_view(name)).run();
    if (result == SQLITE_OK) result = forget_state_.bind(1, std::string_view(name)).run();
    if (result != SQLITE_OK) return result;
  }
  if (const int result = write_alerts(tick); result != SQLITE_OK) return result;
  if (const int result = write_untold(tick); result != SQLITE_OK || !tick.evaluated) return result;
  return meta_.bind(1, std::string_view("sli_commit")).bind(2, commit_no).run();
}

SavedSlis SliTables::read(Connection& c) {
  SavedSlis saved;
  Statement rows = c.prepare(
      "SELECT s.sli_name, s.module, s.value, s.unit, s.state, s.consecutive, s.objective, s.budget_left, s.burn_1h, "
      "s.burn_6h, CAST(strftime('%s', s.newest_point) AS INTEGER) * 1000000000 + CAST(substr(s.newest_point, 21, 9) AS "
      "INTEGER), t.samples, t.rate, t.trace_id, t.definition, t.tracker "
      "FROM slis AS s JOIN sli_state AS t USING(sli_name)");
  while (rows && rows.step() == SQLITE_ROW) {
    SliRow row;
    row.name = rows.text(0), row.module = rows.text(1), row.value = real_of(rows, 2), row.unit = rows.text(3);
    row.state = rows.text(4), row.consecutive = static_cast<std::uint32_t>(rows.integer(5));
    row.objective = real_of(rows, 6), row.budget_left = real_of(rows, 7);
    row.burn_1h = real_of(rows, 8), row.burn_6h = real_of(rows, 9), row.newest_point_unix_ns = rows.integer(10);
    row.samples = rows.real(11), row.rate = real_of(rows, 12), row.trace_id = rows.text(13);
    row.definition = rows.text(14), row.tracker = rows.text(15);
    saved.rows.push_back(std::move(row));
  }
  saved.firing = read_alerts(c, "cleared_at IS NULL");
  saved.evaluated_commit = static_cast<std::uint64_t>(c.integer("SELECT value FROM meta WHERE key='sli_commit'", 0));
  Statement untold = c.prepare("SELECT value FROM meta WHERE key='alerts_untold'");
  const std::string names(untold && untold.step() == SQLITE_ROW ? untold.text(0) : std::string_view());
  for (std::size_t at = 0, end = 0; (end = names.find(' ', at)) != std::string::npos; at = end + 1) {
    for (AlertEvent& event : read_alerts(c, "alert_id=?1", std::string_view(names).substr(at + 1, end - at - 1)))
      (names[at] == 'f' ? saved.untold_fired : saved.untold_cleared).push_back(std::move(event));
  }
  return saved;
}

}  // namespace honeylink::telemetry::store
