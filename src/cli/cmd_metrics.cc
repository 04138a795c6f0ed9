// honeytel metrics: which series there are; one metric over time, as rows or as a curve.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>

#include "base/sketch.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/listing.h"
#include "cli/plot.h"
#include "query/metric_answer.h"
#include "query/time_text.h"

namespace honeylink::telemetry::cli {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kRows = 50;
constexpr std::int64_t kRangeNs = 3'600 * kSecond;

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

/// A value in its unit: seconds become ms or µs, bytes MB; of thousands each digit before the point, of the rest four.
/// An annotation such as {packet} is no unit (UCUM, 2.1.3): the metric's name says what is counted.
std::string shown_value(double value, const std::string& unit, bool rate) {
  if (!std::isfinite(value)) return "–";
  const double ns = unit == "s" ? 1e9 : unit == "ms" ? 1e6 : unit == "us" ? 1e3 : unit == "ns" ? 1 : 0;
  if (!rate && ns != 0 && std::fabs(value * ns) < 9e18) return query::format_duration(std::llround(value * ns));
  if (!rate && unit == "By" && value >= 0 && value < 1e18)
    return query::format_bytes(static_cast<std::uint64_t>(value));
  std::string shown;
  if (value >= 1'000 && value < 1e15) {
    shown = query::format_count(static_cast<std::uint64_t>(std::llround(value)));
  } else {
    char text[64];
    std::snprintf(text, sizeof text, std::fabs(value) < 1e6 && value == std::floor(value) ? "%.0f" : "%.4g", value);
    shown = text;
  }
  if (!unit.empty() && unit != "1" && unit.front() != '{') shown += " " + terminal_safe(unit);
  return rate ? shown + "/s" : shown;
}

bool parse_labels(const Call& call, query::SeriesFilter& filter, query::Problem& problem) {
  const auto given = call.options.find("label");
  if (given == call.options.end()) return true;
  for (const std::string& label : given->second) {
    if (query::parse_label(label, filter)) continue;
    problem = usage_problem("--label cannot be '" + label + "'",
                            "it takes key=value, also module=…, service=…, environment=…");
    return false;
  }
  return true;
}

void say_damage(const Call& call, const query::MetricReader& reader) {
  if (reader.damaged() == 0) return;
  call.terminal.say(std::to_string(reader.damaged()) + " damaged pieces were left out; honeytel db check names them");
}

int list_series(const Call& call, query::MetricReader& reader, const query::SeriesFilter& filter,
                const query::MetricRange& range, std::uint64_t limit) {
  const auto summaries = reader.summarize(reader.find(filter), range);
  if (!summaries.ok()) return report(call.terminal, summaries.problem());
  if (call.format() == Format::json) {
    call.terminal.print(query::series_list_json(summaries.value(), limit) + "\n");
    return say_damage(call, reader), kOk;
  }
  Listing listing({{"name", "name", false, true},
                   {"kind", "kind"},
                   {"unit", ""},
                   {"labels", "labels", false, true},
                   {"module", "module", false, true},
                   {"service", ""},
                   {"value", "value", true},
                   {"count", "count", true},
                   {"p95", "p95", true},
                   {"newest", "newest"},
                   {"description", ""}});
  std::uint64_t total = 0;
  for (const query::SeriesSummary& s : summaries.value()) {
    if (!s.all.any()) continue;
    if (++total > limit && limit != 0) continue;
    const query::SeriesView& v = s.series;
    const bool histogram = v.is_histogram();
    const double p95 = histogram ? quantile(s.all.sketch(), 0.95) : NAN;
    const double total_or_last = v.is_gauge() ? s.all.last : s.all.sum;
    listing.add({text_cell(v.name), text_cell(v.kind), text_cell(v.unit), text_cell(v.label_text()),
                 text_cell(v.module), text_cell(v.service),
                 histogram ? null_cell() : real_cell(total_or_last, shown_value(total_or_last, v.unit, false)),
                 histogram ? count_cell(s.all.sketch().count) : null_cell(),
                 histogram ? real_cell(p95, shown_value(p95, v.unit, false)) : null_cell(),
                 time_cell(query::seconds_as_ns(s.newest_unix_s)), text_cell(v.description)});
  }
  listing.print(call, "series", total);
  say_damage(call, reader);
  if (total == 0)
    call.terminal.say("no points in this range; honeytel demo makes some, or ask further back with --since");
  return kOk;
}

void print_plot(const Call& call, const query::MetricAnswer& answer) {
  const query::SeriesView& series = answer.series;
  const bool rate = series.kind.starts_with("counter");
  std::vector<PlotPoint> curve;
  for (const query::MetricPoint& p : answer.points)
    curve.push_back(
        {query::seconds_as_ns(p.time_unix_s), query::point_value(series, p, answer.range, answer.quantile)});
  char what[48] = "";
  if (series.is_histogram()) std::snprintf(what, sizeof what, " p%g", answer.quantile * 100);
  call.terminal.print("  " + call.terminal.style.paint(Colour::bold, terminal_safe(series.name) + what) + "  " +
                      terminal_safe(series.description) + "\n");
  PlotOptions options;
  if (call.terminal.columns != 0) options.columns = std::clamp<std::size_t>(call.terminal.columns - 20, 20, 120);
  options.step_ns = answer.step_s * kSecond;
  call.terminal.print(
      draw_plot(curve, call.terminal.style, options, [&](double v) { return shown_value(v, series.unit, rate); }));
}

Cell value_cell(double value, const std::string& unit, bool rate = false) {
  return std::isfinite(value) ? real_cell(value, shown_value(value, unit, rate)) : null_cell();
}

Cell step_cell(const query::MetricAnswer& answer) { return count_cell(static_cast<std::uint64_t>(answer.step_s)); }

void add_histogram(Listing& listing, const query::MetricAnswer& answer, const query::MetricPoint& p) {
  const Sketch& s = p.sketch();
  const std::string& unit = answer.series.unit;
  listing.add({time_cell(query::seconds_as_ns(p.time_unix_s)), nano_cell(query::seconds_as_ns(p.time_unix_s)),
               count_cell(s.count), value_cell(s.count == 0 ? NAN : s.sum / static_cast<double>(s.count), unit),
               value_cell(s.min, unit), value_cell(quantile(s, answer.quantile), unit), value_cell(s.max, unit),
               json_cell(std::to_string(s.scale), std::to_string(s.scale)),
               p.exemplar().present ? text_cell(hex(p.exemplar().trace_id)) : null_cell(), step_cell(answer)});
}

Listing point_listing(bool histogram, bool gauge, const char* quantile_title) {
  if (!histogram)
    return Listing({{"time", "time"},
                    {"time_unix_nano", ""},
                    {"value", gauge ? "value" : "change", true},
                    {"rate", gauge ? "" : "per second", true},
                    {"min", gauge ? "min" : "", true},
                    {"max", gauge ? "max" : "", true},
                    {"step_s", ""}});
  return Listing({{"time", "time"},
                  {"time_unix_nano", ""},
                  {"count", "count", true},
                  {"mean", "mean", true},
                  {"min", "min", true},
                  {"quantile", quantile_title, true},
                  {"max", "max", true},
                  {"scale", "scale", true},
                  {"trace_id", "worst trace"},
                  {"step_s", ""}});
}

void print_points(const Call& call, const query::MetricAnswer& answer, std::uint64_t limit) {
  const query::SeriesView& series = answer.series;
  const auto& points = answer.points;
  char q[24];
  std::snprintf(q, sizeof q, "p%g", answer.quantile * 100);
  Listing listing = point_listing(series.is_histogram(), series.is_gauge(), q);
  const std::size_t shown = limit == 0 ? points.size() : std::min<std::size_t>(points.size(), limit);
  for (std::size_t i = points.size() - shown; i < points.size(); ++i) {  // the newest, oldest first
    const query::MetricPoint& p = points[i];
    const std::int64_t time = query::seconds_as_ns(p.time_unix_s);
    if (series.is_histogram()) add_histogram(listing, answer, p);
    else if (series.is_gauge())
      listing.add({time_cell(time), nano_cell(time), value_cell(p.last, series.unit), null_cell(),
                   value_cell(p.min, series.unit), value_cell(p.max, series.unit), step_cell(answer)});
    else
      listing.add({time_cell(time), nano_cell(time), value_cell(p.sum, series.unit),
                   value_cell(query::point_rate(p, answer.range), series.unit, true), null_cell(), null_cell(),
                   step_cell(answer)});
  }
  listing.print(call, "points", points.size());
}

void say_tiers(const Call& call, std::int64_t step_s, const query::MetricExtent& extent) {
  if (!extent.tiers[1] && !extent.tiers[2]) return;
  std::string kept;
  for (std::size_t tier = 0; tier < extent.tiers.size(); ++tier) {
    constexpr const char* kNames[] = {"10s", "1m", "1h"};
    if (extent.tiers[tier]) kept += (kept.empty() ? "" : " + ") + std::string(kNames[tier]);
  }
  call.terminal.say("steps of " + query::format_duration(step_s * kSecond) + " out of what is kept per " + kept);
}

void say_steps(const Call& call, const query::MetricAnswer& answer, bool given) {
  if (given && answer.step_s != answer.step_asked_s) {
    call.terminal.say("steps of " + query::format_duration(answer.step_s * kSecond) + " instead of " +
                      query::format_duration(answer.step_asked_s * kSecond) + ": " +
                      (answer.step_s == 60 ? "after 7 days minutes are kept" : "after 90 days hours are kept") +
                      "; ask for less with --since");
  }
  say_tiers(call, answer.step_s, answer.extent);
}

int show_metric(const Call& call, query::MetricReader& reader, const query::MetricQuestion& question,
                std::uint64_t limit) {
  const auto asked = query::ask_metric(reader, question);
  if (!asked.ok()) return report(call.terminal, asked.problem());
  const query::MetricAnswer& answer = asked.value();
  say_steps(call, answer, question.step_given);
  say_damage(call, reader);
  if (call.has("plot") && call.format() == Format::table) {
    print_plot(call, answer);
    return kOk;
  }
  if (call.format() == Format::json) call.terminal.print(query::metric_json(answer, limit) + "\n");
  else print_points(call, answer, limit);
  if (answer.points.empty()) call.terminal.say("no points in this range; ask further back with --since");
  return kOk;
}

int run(Call& call) {
  query::Problem problem;
  query::MetricQuestion question;
  const auto since = call.moment("since", now_ns() - kRangeNs, problem),
             until = call.moment("until", now_ns() + kRangeNs, problem);
  const auto step = call.duration("step", 10 * kSecond, problem);
  const auto q = call.real("quantile", 0.95, problem);
  const auto limit = call.count("limit", kRows, problem);
  if (!since || !until || !step || !q || !limit || !parse_labels(call, question.filter, problem))
    return report(call.terminal, problem);
  if (*since > *until)
    return report(call.terminal, usage_problem("--since is after --until", "nothing lies between them"));
  if (*q < 0 || *q > 1)
    return report(call.terminal,
                  usage_problem("--quantile is a share from 0 to 1", "0.95 is the value that 95 % stay below"));
  if (*step < 10 * kSecond)
    return report(call.terminal, usage_problem("--step cannot be under 10s", "points are stored every 10 seconds"));
  question.range = {*since / kSecond, *until / kSecond, *step / kSecond};
  question.quantile = *q, question.step_given = call.has("step");
  question.filter.name = call.argument(0);
  const auto home = call.home();
  if (!home.ok()) return report(call.terminal, home.problem());
  auto reader = query::MetricReader::open(home.value());
  if (!reader.ok()) return report(call.terminal, reader.problem());
  if (question.filter.name.empty()) return list_series(call, *reader.value(), question.filter, question.range, *limit);
  return show_metric(call, *reader.value(), question, *limit);
}

constexpr Option kOptions[] = {
    kSince,
    kUntil,
    kLimit,
    {"label", "K=V", "Only series with this label; also module=…, service=…", {}, 0, true},
    {"step", "TIME", "Points are joined to steps of this length (default: 10s, longer in a long range)"},
    {"quantile", "Q", "Of a histogram (default: 0.95)"},
    {"plot", "", "A curve instead of rows"},
};

}  // namespace

extern const Command kMetrics{
    .name = "metrics",
    .summary = "Which series there are; one metric over time",
    .usage = "[NAME] [--label k=v] [--step 1m] [--quantile 0.95] [--plot] …",
    .about =
        "Without NAME: every series with points in the range (default: the last hour). A quantile is the\nmiddle of "
        "its bucket; its scale is shown beside it (4: within 2.2 %, 3: within 4.4 %). Points are kept every 10 s "
        "for\n7 days, "
        "as minutes to day 90, as hours for 13 months; minutes and hours keep their smallest and\nlargest value.",
    .example =
        "honeytel metrics\nhoneytel metrics session_establishment_duration_seconds --plot\nhoneytel metrics "
        "packets_lost_total --label module=transport --step 1m --json",
    .options = kOptions,
    .arguments_max = 1,
    .reads = true,
    .run = run};

}  // namespace honeylink::telemetry::cli
