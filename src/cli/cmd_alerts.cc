// honeytel alerts: what fired, since when, by how much, in which trace, by which rule, and whom it told how fast (UX
// 8).
#include <algorithm>
#include <chrono>

#include "base/text.h"
#include "cli/alerts_test_send.h"
#include "cli/commands.h"
#include "cli/levels.h"
#include "query/json.h"
#include "query/sli_text.h"
#include "query/time_text.h"

namespace honeylink::telemetry::cli {
namespace {

constexpr std::int64_t kRangeNs = std::int64_t{86'400} * 1'000'000'000;
constexpr std::uint64_t kRows = 50;

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string told_text(const query::AlertView& alert) {
  std::string told;
  const auto add = [&](const char* whom, const std::optional<double>& ms) {
    if (ms) told += (told.empty() ? "" : ", ") + std::string(whom) + " " + query::level_value(*ms, "ms");
  };
  add("toast", alert.toast_ms), add("Alertmanager", alert.alertmanager_ms);
  return told.empty() ? "nobody" : told;
}

Cell optional_ms(const std::optional<double>& ms) { return ms ? real_cell(*ms) : null_cell(); }

Cell word_cell(std::string_view machine, std::string shown, Colour colour = Colour::plain) {
  Cell cell = text_cell(machine, colour);
  cell.shown = std::move(shown);
  return cell;
}

Listing listing_of(const Call& call, const query::AlertList& list, std::int64_t now) {
  const Style& style = call.terminal.style;
  Listing rows({{"timestamp", "since"},
                {"severity", "level"},
                {"sli_name", "SLI", false, true},
                {"current_value", "value", true},
                {"threshold", "over", true},
                {"threshold_type", ""},
                {"", "for"},
                {"cleared_at", ""},
                {"trace_id", "trace"},
                {"rule", "rule", false, true},
                {"toast_ms", ""},
                {"alertmanager_ms", ""},
                {"", "told"},
                {"module", ""},
                {"environment", ""},
                {"alert_id", "alert"}});
  for (const query::AlertView& alert : list.alerts) {
    const AlertEvent& e = alert.event;
    const std::int64_t end = alert.fires() ? now : e.cleared_at_unix_ns;
    const std::string rule = e.threshold_type == "upper" ? alert.rule : "burn rate of " + alert.rule;
    Cell since = time_cell(e.timestamp_unix_ns);
    since.shown = since.shown.substr(0, 19);
    rows.add({since, word_cell(sli::level_name(e.severity), level_text(e.severity, style), colour_of(e.severity)),
              text_cell(e.sli_name), real_cell(e.current_value, query::level_value(e.current_value, e.unit)),
              real_cell(e.threshold, query::level_value(e.threshold, e.unit)), text_cell(e.threshold_type),
              text_cell(age_text(end - e.timestamp_unix_ns) + (alert.fires() ? ", still" : "")),
              alert.fires() ? null_cell() : time_cell(e.cleared_at_unix_ns),
              word_cell(e.trace_id, e.trace_id.empty() ? "–" : e.trace_id.substr(0, 8)), text_cell(rule),
              optional_ms(alert.toast_ms), optional_ms(alert.alertmanager_ms), text_cell(told_text(alert)),
              text_cell(e.module), text_cell(e.environment), text_cell(e.alert_id)});
  }
  return rows;
}

std::string json_document(const query::AlertList& list) {
  query::JsonWriter json;
  json.begin_object().key("schema").integer(1).key("alerts").begin_array();
  for (const query::AlertView& alert : list.alerts) json.raw(query::alert_json(alert));
  json.end_array().key("truncated").boolean(list.alerts.size() < list.total).key("total").count(list.total);
  return json.end_object().str() + "\n";
}

int run(Call& call) {
  query::Problem problem;
  if (call.has("test")) return send_test_alert(call);
  const auto home = call.home();
  if (!home.ok()) return report(call.terminal, home.problem());
  auto opened = query::SliReader::open(home.value(), now_ns());
  if (!opened.ok()) return report(call.terminal, opened.problem());
  query::SliReader& reader = *opened.value();
  if (call.home_is_archive()) reader.measure_ages_by_the_newest();
  const std::int64_t now = reader.now_unix_ns();
  query::AlertFilter filter;
  const auto since = call.moment("since", now - kRangeNs, problem), until = call.moment("until", INT64_MAX, problem);
  const auto limit = call.count("limit", kRows, problem);
  if (!since || !until || !limit) return report(call.terminal, problem);
  if (*since > *until)
    return report(call.terminal, usage_problem("--since is after --until", "nothing lies between them"));
  filter.since_unix_ns = *since, filter.until_unix_ns = *until, filter.limit = *limit;
  const std::string wanted = call.argument(0);
  (wanted.starts_with("alert_") ? filter.alert_id : filter.sli_name) = wanted;
  const auto list = reader.alerts(filter);
  if (!list.ok()) return report(call.terminal, list.problem());
  switch (call.format()) {
    case Format::json:
      call.terminal.print(json_document(list.value()));
      return kOk;
    case Format::jsonl:
      for (const query::AlertView& alert : list.value().alerts) call.terminal.print(query::alert_json(alert) + "\n");
      break;
    case Format::csv:
      call.terminal.print(listing_of(call, list.value(), now).csv());
      break;
    case Format::table: {
      if (list.value().alerts.empty()) {
        call.terminal.say("  no alerts in this time; honeytel sli shows the levels, --since asks further back");
        break;
      }
      call.terminal.print(listing_of(call, list.value(), now).table(call.terminal.style, call.terminal.columns));
      const auto& newest = list.value().alerts.front().event;
      if (!newest.trace_id.empty())
        call.terminal.say("  the trace of the newest: " + traces_command(call, terminal_safe(newest.trace_id)));
      break;
    }
  }
  say_truncation(call, list.value().alerts.size(), list.value().total);
  return kOk;
}

constexpr Option kOptions[] = {
    kSince, kUntil, kLimit, {"test", "LEVEL", "Tell of a test alert the ways that are switched on", kTestLevels}};

}  // namespace

extern const Command kAlerts{
    .name = "alerts",
    .summary = "What fired: since when, by how much, in which trace, whom it told",
    .usage = "[SLI|ALERT_ID] [--since 24h] [--limit N] | --test LEVEL",
    .about =
        "Newest first; the last 24 hours unless asked otherwise, and always what still fires. A change of level "
        "ends\nan alert and begins another.",
    .example = "honeytel alerts\nhoneytel alerts packet_loss_rate --since 7d --json\nhoneytel alerts --test yellow",
    .options = kOptions,
    .arguments_max = 1,
    .reads = true,
    .run = run};

}  // namespace honeylink::telemetry::cli
