// One test alert through the real ways: see alerts_test_send.h. Nothing is stored and no service level changes; the
// toast stays as one of its level does, Alertmanager forgets the alert four minutes later.
#include "cli/alerts_test_send.h"

#include <array>
#include <chrono>
#include <thread>

#include "alert/outbox.h"
#include "base/clock.h"
#include "base/json.h"
#include "cli/listing.h"
#include "config/config.h"
#include "sli/alert_id.h"

namespace honeylink::telemetry::cli {
namespace {

struct Outcome {
  std::string_view way, result = "off";
  double ms = -1;
};

AlertEvent test_alert(const std::string& level, const std::string& environment) {
  AlertEvent event;
  event.timestamp_unix_ns = system_clock().realtime_ns();
  event.alert_id = sli::new_alert_id(event.timestamp_unix_ns);
  event.severity = level == "red" ? Level::red : level == "orange" ? Level::orange : Level::yellow;
  event.sli_name = alert::kTestSli;
  event.module = "honeytel";
  event.environment = environment;
  event.unit = "1";
  event.threshold = static_cast<double>(event.severity);
  event.current_value = event.threshold + 1;
  event.threshold_type = "upper";
  return event;
}

/// What is known of a way by now; empty: nothing yet.
std::string_view result_of(const alert::WayCounts& counts) {
  if (counts.delivered > 0) return "delivered";
  if (counts.not_allowed > 0) return "not allowed";
  if (counts.unreachable > 0) return "nobody there";
  if (counts.hung > 0) return "no answer";
  if (counts.failed > 0) return "refused";
  return counts.alerts == 0 ? "off" : "";
}

int exit_of(const std::array<Outcome, alert::kWays>& outcomes) {
  bool all = true, only_consent = true;
  for (const Outcome& one : outcomes) {
    if (one.result == "delivered" || one.result == "off") continue;
    all = false;
    if (one.way != "alertmanager" || one.result != "not allowed") only_consent = false;
  }
  return all ? kOk : only_consent ? kNoConsent : kFailed;
}

void print(const Call& call, const AlertEvent& event, const std::array<Outcome, alert::kWays>& outcomes) {
  if (call.format() == Format::json || call.format() == Format::jsonl) {
    JsonWriter json;
    json.begin_object().key("schema").integer(1).key("alert_id").text(event.alert_id).key("ways").begin_array();
    for (const Outcome& one : outcomes) {
      json.begin_object().key("way").text(one.way).key("result").text(one.result).key("ms");
      if (one.ms >= 0) json.real(one.ms);
      else json.null();
      json.end_object();
    }
    json.end_array().end_object();
    return call.terminal.print(json.str() + "\n");
  }
  Listing rows({{"way", "way"}, {"result", "test alert"}, {"ms", "ms", true}});
  for (const Outcome& one : outcomes)
    rows.add({text_cell(one.way), text_cell(one.result), one.ms >= 0 ? real_cell(one.ms) : null_cell()});
  call.terminal.print(call.format() == Format::csv ? rows.csv()
                                                   : rows.table(call.terminal.style, call.terminal.columns));
}

}  // namespace

int send_test_alert(const Call& call) {
  const auto home = call.home();
  if (!home.ok()) return report(call.terminal, home.problem());
  if (call.home_is_archive())
    return report(call.terminal, usage_problem("a bundle tells nobody", "--test needs a home with a configuration"));
  const auto loaded = config::load_config(home.value(), config::default_config());
  for (const config::Problem& problem : loaded.problems) call.terminal.say(problem.text());
  alert::OutboxOptions options;
  options.home = home.value();
  options.toast = loaded.config.alert.toast;
  options.alertmanager = loaded.config.alert.alertmanager;
  options.remembers = false;
  if (!options.toast && options.alertmanager.empty())
    return report(call.terminal, {query::ProblemKind::failed, "nobody would be told of an alert",
                                  "alert.toast is false and alert.alertmanager is empty",
                                  "honeytel config path names the file to change"});
  const AlertEvent event = test_alert(call.text("test"), loaded.config.telemetry.environment);
  const auto outbox = alert::Outbox::start(options);
  outbox->fired(event);
  std::array<Outcome, alert::kWays> outcomes{Outcome{"toast"}, Outcome{"alertmanager"}};
  const std::int64_t until = system_clock().monotonic_ns() + std::int64_t{kTestAlertMs} * 1'000'000;
  while (true) {
    const alert::OutboxCounts counts = outbox->counts();
    outcomes[0].result = result_of(counts.toast);
    outcomes[1].result = result_of(counts.alertmanager);
    const bool done = !outcomes[0].result.empty() && !outcomes[1].result.empty();
    if (done || system_clock().monotonic_ns() > until) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  for (const alert::Delivery& one : outbox->take_deliveries()) outcomes[static_cast<std::size_t>(one.way)].ms = one.ms;
  for (Outcome& one : outcomes) {
    if (one.result.empty()) one.result = "no answer";
  }
  print(call, event, outcomes);
  for (const std::string& words : outbox->take_words()) call.terminal.say(words);
  return exit_of(outcomes);
}

}  // namespace honeylink::telemetry::cli
