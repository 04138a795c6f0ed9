// SliReader: the alerts. Times stand as ISO 8601 with nine digits, so that their order as text is that in time.
#include <charconv>

#include "query/database.h"
#include "query/json.h"
#include "query/sli_reader.h"
#include "query/time_text.h"

namespace honeylink::telemetry::query {
namespace {

constexpr const char* kColumns =
    "SELECT a.alert_id, a.severity, a.sli_name, a.current_value, a.threshold, a.threshold_type, a.timestamp, "
    "a.trace_id, "
    "a.labels, a.cleared_at, a.delivered, s.unit";
constexpr const char* kFrom =
    " FROM alerts AS a LEFT JOIN slis AS s USING(sli_name) "
    "WHERE (a.timestamp >= ?1 OR a.cleared_at >= ?1 OR a.cleared_at IS NULL) AND a.timestamp <= ?2 "
    "AND (?3 = '' OR a.sli_name = ?3) AND (?4 = '' OR a.alert_id = ?4) AND (?5 = '' OR a.trace_id = ?5)";

std::optional<double> ms_of(std::string_view value) {
  double ms = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), ms);
  return error == std::errc{} && end == value.data() + value.size() ? std::optional(ms) : std::nullopt;
}

AlertView alert_of(const store::Statement& row, std::int64_t now_unix_ns) {
  AlertView alert;
  AlertEvent& event = alert.event;
  event.alert_id = row.text(0), event.severity = sli::level_from(row.text(1)), event.sli_name = row.text(2);
  event.current_value = row.real(3), event.threshold = row.real(4), event.threshold_type = row.text(5);
  event.timestamp_unix_ns = parse_moment(row.text(6), now_unix_ns).value_or(0);
  event.trace_id = row.text(7);
  event.cleared_at_unix_ns = parse_moment(row.text(9), now_unix_ns).value_or(0);
  event.unit = event.threshold_type == "burn_rate" ? "x" : row.is_null(11) ? "1" : std::string(row.text(11));
  std::vector<JsonMember> members;
  if (read_json_object(row.text(8), members)) {
    for (const auto& [key, value] : members) {
      if (key == "module") event.module = json_text_of(value);
      if (key == "environment") event.environment = json_text_of(value);
    }
  }
  members.clear();
  if (read_json_object(row.text(10), members)) {
    for (const auto& [key, value] : members) {
      if (key == "toast_ms") alert.toast_ms = ms_of(value);
      if (key == "alertmanager_ms") alert.alertmanager_ms = ms_of(value);
    }
  }
  return alert;
}

/// The least and the greatest moment have no nine digits; they are no bound.
std::string bound(std::int64_t unix_ns, const char* otherwise) {
  constexpr std::int64_t kFar = INT64_MAX / 2;
  return unix_ns > -kFar && unix_ns < kFar ? format_utc(unix_ns) : otherwise;
}

}  // namespace

Answer<AlertList> SliReader::alerts(const AlertFilter& filter) {
  AlertList list;
  if (!connection_) return list;
  const std::string since = bound(filter.since_unix_ns, ""), until = bound(filter.until_unix_ns, "a");
  const auto bind = [&](store::Statement& to) {
    to.bind(1, std::string_view(since)).bind(2, std::string_view(until)).bind(3, std::string_view(filter.sli_name));
    to.bind(4, std::string_view(filter.alert_id)).bind(5, std::string_view(filter.trace_id));
  };
  const std::string limit = filter.limit == 0 ? "" : " LIMIT " + std::to_string(filter.limit);
  store::Statement rows =
      connection_.prepare(std::string(kColumns) + kFrom + " ORDER BY a.timestamp DESC, a.rowid DESC" + limit);
  int code = SQLITE_MISUSE;
  if (rows) bind(rows);
  while (rows && (code = rows.step()) == SQLITE_ROW) list.alerts.push_back(alert_of(rows, now_unix_ns_));
  if (!rows || code != SQLITE_DONE) return database_problem(connection_, path_, "cannot read the alerts");
  auto levels = judged();
  if (!levels.ok()) return levels.problem();
  for (AlertView& alert : list.alerts) {
    for (const SliView& level : levels.value())
      if (level.definition.name == alert.event.sli_name) alert.rule = sli::rule_text(level.definition);
  }
  list.total = list.alerts.size();
  if (filter.limit == 0 || list.alerts.size() < filter.limit) return list;
  store::Statement count = connection_.prepare(std::string("SELECT count(*)") + kFrom);
  if (count) bind(count);
  if (count && count.step() == SQLITE_ROW) list.total = count.number(0);
  return list;
}

}  // namespace honeylink::telemetry::query
