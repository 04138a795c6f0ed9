// honeytel sli: every service level, worst first; or one of them with its rule, its history and its budget.
#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/levels.h"
#include "cli/plot.h"
#include "query/json.h"
#include "query/ledger.h"
#include "query/sli_text.h"
#include "query/time_text.h"

namespace honeylink::telemetry::cli {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000, kRangeNs = 3'600 * kSecond;
constexpr std::int64_t kPlotSteps = 360;

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

Cell optional_cell(const std::optional<double>& value, std::string shown, Colour colour = Colour::plain) {
  if (value) return real_cell(*value, std::move(shown));
  Cell cell = null_cell();
  cell.shown = std::move(shown), cell.colour = colour;
  return cell;
}

Listing listing_of(const Call& call, const std::vector<query::SliView>& slis) {
  const Style& style = call.terminal.style;
  Listing rows({{"sli_name", "SLI", false, true},
                {"module", ""},
                {"value", "now"},
                {"unit", ""},
                {"objective", "objective"},
                {"state", "state"},
                {"consecutive", ""},
                {"budget_left", "budget", true},
                {"burn_1h", "burn 1h"},
                {"burn_6h", ""},
                {"newest_point", ""},
                {"trace_id", ""},
                {"", "last 30 min", false, true}});
  for (const query::SliView& v : slis) {
    const double objective = v.definition.objective;
    Cell state = text_cell(v.state(), state_colour(v));
    state.shown = state_text(v, style);
    rows.add({text_cell(v.definition.name), text_cell(v.definition.module),
              optional_cell(v.value, v.value ? query::level_value(*v.value, v.unit) : "–"), text_cell(v.unit),
              optional_cell(objective > 0 ? std::optional(objective) : std::nullopt,
                            objective > 0 ? "< " + query::level_value(objective, v.unit) : "–"),
              state, count_cell(v.consecutive), optional_cell(v.budget_left, query::percent_text(v.budget_left)),
              optional_cell(v.burn[2], query::burn_text(v.burn[2])), optional_cell(v.burn[3], ""),
              v.newest_point_unix_ns == 0 ? null_cell() : time_cell(v.newest_point_unix_ns), text_cell(v.trace_id),
              text_cell(sparkline(v.spark, style))});
  }
  return rows;
}

std::uint64_t dropped_in(const std::string& home) {
  const auto balance = query::read_balance(home);
  if (!balance.ok()) return 0;
  std::uint64_t dropped = 0;
  for (const query::SignalBalance* signal : {&balance.value().metrics, &balance.value().spans, &balance.value().logs})
    for (const auto& [reason, n] : signal->counts.dropped) dropped += reason == "sampled_out" ? 0 : n;
  return dropped;
}

// Newest point, what was lost, and the one trace to look at: that of the worst level.
void say_summary(const Call& call, const query::SliReader& reader, const std::string& home,
                 const std::vector<query::SliView>& slis) {
  std::int64_t newest = 0;
  std::string trace;
  for (const query::SliView& v : slis) {
    newest = std::max(newest, v.newest_point_unix_ns);
    if (trace.empty() && !v.no_data) trace = v.alerts.empty() ? v.trace_id : v.alerts.back().event.trace_id;
    for (const sli::Flaw& flaw : v.flaws)
      call.terminal.say(
          "  " + terminal_safe(flaw.key + ": " + flaw.what + (flaw.suggestion.empty() ? "" : "; " + flaw.suggestion)));
  }
  if (newest == 0)
    return call.terminal.say(
        "  nothing to judge yet: honeytel demo makes some, and an engine must run (honeytel agent)");
  const std::string_view dot = call.terminal.words.sign(" · ", ", ");
  std::string line = "  newest point " + age_text(reader.now_unix_ns() - newest) + " ago" + std::string(dot) +
                     query::format_count(dropped_in(home)) + " dropped";
  if (!trace.empty()) line += std::string(dot) + "worst trace: " + traces_command(call, trace);
  call.terminal.say(line);
}

std::string time_of_day(std::int64_t unix_ns) { return query::format_local(unix_ns).substr(0, 19); }

void print_plot(const Call& call, const query::SliView& v, const std::vector<query::SliPoint>& points,
                std::int64_t step_s) {
  std::vector<PlotPoint> curve;
  for (const query::SliPoint& p : points) curve.push_back({p.time_unix_s * kSecond, p.value});
  PlotOptions options;
  if (call.terminal.columns != 0) options.columns = std::clamp<std::size_t>(call.terminal.columns - 20, 20, 120);
  options.step_ns = step_s * kSecond;
  const sli::Definition& d = v.definition;
  options.lines = {{d.yellow, Colour::yellow}, {d.orange, Colour::orange}, {d.red, Colour::red}};
  call.terminal.print("\n" + draw_plot(curve, call.terminal.style, options,
                                       [&](double value) { return query::level_value(value, v.unit); }));
}

std::string told_text(const query::AlertView& alert) {
  std::string told;
  const auto add = [&](const char* whom, const std::optional<double>& ms) {
    if (ms) told += (told.empty() ? "" : ", ") + std::string(whom) + " in " + query::level_value(*ms, "ms");
  };
  add("toast", alert.toast_ms), add("Alertmanager", alert.alertmanager_ms);
  return told.empty() ? "nobody was told yet" : "told: " + told;
}

class Details {
 public:
  Details(const Call& call, const query::SliView& v) : call_(call), v_(v), d_(v.definition) {}

  [[nodiscard]] std::string text(std::int64_t now_unix_ns) {
    const Style& style = call_.terminal.style;
    out_ = "  " + style.paint(state_colour(v_), state_text(v_, style)) + "  " +
           style.paint(Colour::bold, terminal_safe(d_.name)) + "   " + (v_.value ? value(*v_.value) : "–") +
           (d_.objective > 0 ? "   objective < " + value(d_.objective) : "") + "\n";
    row("rule", terminal_safe(sli::rule_text(d_)) + (d_.module.empty() ? "" : ", module " + terminal_safe(d_.module)));
    levels(style);
    now(now_unix_ns);
    budget();
    for (const query::AlertView& alert : v_.alerts) this->alert(alert, now_unix_ns);
    for (const sli::Flaw& flaw : v_.flaws)
      row("problem", terminal_safe(flaw.what + (flaw.suggestion.empty() ? "" : "; " + flaw.suggestion)));
    if (!v_.trace_id.empty()) row("worst", traces_command(call_, terminal_safe(v_.trace_id)));
    return out_;
  }

 private:
  [[nodiscard]] std::string value(double number) const { return query::level_value(number, v_.unit); }
  void row(std::string_view what, const std::string& text) {
    out_ += "  " + call_.terminal.style.paint(Colour::dim, std::string(what) + std::string(10 - what.size(), ' ')) +
            text + "\n";
  }
  void levels(const Style& style) {
    std::string text;
    for (const Level level : {Level::yellow, Level::orange, Level::red})
      text += (text.empty() ? "" : "   ") +
              style.paint(colour_of(level), std::string(sign_of(level, style)) + " > " + value(d_.threshold(level)));
    row("levels", text);
    row("", std::to_string(d_.consecutive_breaches_required) + " ticks of 10 s in a row within " +
                query::format_duration(d_.evaluation_window_s * kSecond) + ", Red at once; a tick counts from " +
                query::format_count(d_.samples_min()) + (d_.is_ratio() ? "" : " observations") + " on; 3 clear");
  }
  void now(std::int64_t now_unix_ns) {
    if (v_.newest_point_unix_ns == 0) return row("now", "never measured");
    row("now", std::to_string(v_.consecutive) + " of " + std::to_string(d_.consecutive_breaches_required) +
                   " breaches, " + (v_.rate ? query::level_value(*v_.rate, "1") + " a second, " : "") +
                   "newest point " + age_text(now_unix_ns - v_.newest_point_unix_ns) + " ago");
  }
  void budget() {
    if (d_.objective <= 0) return row("budget", "none: it has no objective");
    const std::string may = query::percent_text(d_.allowed_share()) + " of 30 days " +
                            (d_.is_ratio() ? "may be lost" : "may be over " + value(d_.objective));
    row("budget", query::percent_text(v_.budget_left) + " left; " + may);
    constexpr std::array<const char*, 5> kWindows{"5 min ", "30 min ", "1 h ", "6 h ", "3 d "};
    std::string burn;
    for (std::size_t i = 0; i < kWindows.size(); ++i)
      burn += (i == 0 ? "" : "   ") + std::string(kWindows[i]) + query::burn_text(v_.burn[i]);
    row("burn", burn + (d_.burn_alerts ? "   alerts at 14.4x and 6x" : "   (burn_alerts is off)"));
  }
  void alert(const query::AlertView& alert, std::int64_t now_unix_ns) {
    const AlertEvent& e = alert.event;
    row("alert", level_text(e.severity, call_.terminal.style) + " " + terminal_safe(e.alert_id) + " since " +
                     time_of_day(e.timestamp_unix_ns) + ", " + age_text(now_unix_ns - e.timestamp_unix_ns) + ", " +
                     query::level_value(e.current_value, e.unit) + " > " + query::level_value(e.threshold, e.unit));
    row("", told_text(alert) + (e.trace_id.empty() ? "" : "; " + traces_command(call_, terminal_safe(e.trace_id))));
  }

  const Call& call_;
  const query::SliView& v_;
  const sli::Definition& d_;
  std::string out_;
};

std::string json_document(const std::vector<query::SliView>& slis) {
  query::JsonWriter json;
  json.begin_object().key("schema").integer(1).key("slis").begin_array();
  for (const query::SliView& v : slis) json.raw(query::sli_json(v));
  return json.end_array().end_object().str() + "\n";
}

int check_code(const std::vector<query::SliView>& slis) {
  Level worst = Level::ok;
  for (const query::SliView& v : slis) worst = std::max(worst, v.level);
  return worst == Level::ok ? kOk : kYellow + static_cast<int>(worst) - 1;
}

int show_one(Call& call, query::SliReader& reader, const query::SliView& v, std::int64_t since, std::int64_t until) {
  call.terminal.print(Details(call, v).text(reader.now_unix_ns()));
  query::MetricRange range{since / kSecond, until / kSecond, 10};
  while ((range.until_unix_s - range.since_unix_s) / range.step_s > kPlotSteps)
    range.step_s = range.step_s < 60 ? 60 : range.step_s < 3'600 ? range.step_s * 2 : range.step_s + 3'600;
  range.since_unix_s -= range.since_unix_s % range.step_s;
  const auto points = reader.history(v, range);
  if (!points.ok()) return report(call.terminal, points.problem());
  print_plot(call, v, points.value(), range.step_s);
  return kOk;
}

int run(Call& call) {
  query::Problem problem;
  const auto home = call.home();
  if (!home.ok()) return report(call.terminal, home.problem());
  auto opened = query::SliReader::open(home.value(), now_ns());
  if (!opened.ok()) return report(call.terminal, opened.problem());
  query::SliReader& reader = *opened.value();
  if (call.home_is_archive()) reader.measure_ages_by_the_newest();
  const std::int64_t now = reader.now_unix_ns();
  const auto since = call.moment("since", now - kRangeNs, problem), until = call.moment("until", now, problem);
  if (!since || !until) return report(call.terminal, problem);
  if (*since > *until)
    return report(call.terminal, usage_problem("--since is after --until", "nothing lies between them"));
  std::vector<query::SliView> slis;
  if (const std::string name = call.argument(0); name.empty()) {
    auto all = reader.slis(true);
    if (!all.ok()) return report(call.terminal, all.problem());
    slis = std::move(all.value());
  } else {
    auto one = reader.sli(name);
    if (!one.ok()) return report(call.terminal, one.problem());
    slis.push_back(std::move(one.value()));
  }
  const int code = call.has("check") ? check_code(slis) : kOk;
  switch (call.format()) {
    case Format::json:
      call.terminal.print(json_document(slis));
      return code;
    case Format::jsonl:
      for (const query::SliView& v : slis) call.terminal.print(query::sli_json(v) + "\n");
      return code;
    case Format::csv:
      call.terminal.print(listing_of(call, slis).csv());
      return code;
    case Format::table:
      break;
  }
  if (!call.argument(0).empty()) {
    const int shown = show_one(call, reader, slis[0], *since, *until);
    return shown != kOk ? shown : code;
  }
  call.terminal.print(listing_of(call, slis).table(call.terminal.style, call.terminal.columns));
  say_summary(call, reader, home.value(), slis);
  return code;
}

constexpr Option kOptions[] = {
    {"check", "", "Exit 10 where one is Yellow, 11 Orange, 12 Red: for scripts"},
    {"since", "TIME", "Of NAME's curve: from then on (default: 1h)"},
    kUntil,
};

}  // namespace

extern const Command kSli{
    .name = "sli",
    .summary = "Service levels: how well it goes, how much of the error budget is left",
    .usage = "[NAME] [--check] [--since 1h]",
    .about =
        "Worst first. Judged every 10 s over all programs: Yellow and Orange after three ticks in a row over\ntheir "
        "threshold, Red at once; three ticks at or below it clear a level. budget: what is left of the errors\nthat "
        "the objective allows in 30 days; burn 1x would use it up in just that time. [sli.NAME] in "
        "config.toml\nchanges "
        "one or adds others, of any metric.",
    .example =
        "honeytel sli\nhoneytel sli packet_loss_rate --since 6h\nhoneytel sli --check --json >/dev/null || echo "
        "look",
    .options = kOptions,
    .arguments_max = 1,
    .reads = true,
    .run = run};

}  // namespace honeylink::telemetry::cli
