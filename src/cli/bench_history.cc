// `honeytel bench --history`: the command's words (history_run.h does the work).
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "cli/history_run.h"
#include "query/json.h"
#include "query/time_text.h"

namespace honeylink::telemetry::cli {
namespace {

constexpr std::int64_t kTickNs = HistoryData::kTickSeconds * 1'000'000'000;
constexpr std::size_t kSeriesMax = 20'000;
constexpr const char* kTierNames[] = {"10s", "1m", "1h", "unpacked"};

/// Removed with all that is in it, unless it was asked for.
struct HistoryHome {
  std::string path;
  bool kept = false;
  ~HistoryHome() {
    std::error_code ignored;
    if (!kept && !path.empty()) std::filesystem::remove_all(path, ignored);
  }
};

bool make_home(const Call& call, HistoryHome& home, query::Problem& problem) {
  const std::string keep = call.text("keep");
  std::error_code failed;
  if (keep.empty()) {
    const char* base = std::getenv("TMPDIR");
    home.path = std::string(base != nullptr && base[0] == '/' ? base : "/tmp") + "/honeytel-history-XXXXXX";
    if (::mkdtemp(home.path.data()) != nullptr) return true;
    problem = {query::ProblemKind::environment, "no temporary directory could be made", home.path, "set TMPDIR"};
    home.path.clear();
    return false;
  }
  home.path = std::filesystem::absolute(keep, failed).string();
  home.kept = true;
  if (std::filesystem::exists(home.path, failed) && !std::filesystem::is_empty(home.path, failed))
    return problem = usage_problem("--keep " + keep + " is not empty", "a history is written into a new home only"),
           false;
  std::filesystem::create_directories(home.path, failed);
  if (!failed) return true;
  problem = {query::ProblemKind::environment, "cannot make " + home.path, failed.message(), ""};
  return false;
}

bool read_plan(const Call& call, HistoryPlan& plan, query::Problem& problem) {
  const auto length = call.duration("history", 0, problem);
  const auto scalars = call.count("series", 40, problem), histograms = call.count("histograms", 0, problem);
  if (!length || !scalars || !histograms) return false;
  if (*length < 60 * kTickNs) return problem = usage_problem("--history is ten minutes at least"), false;
  if (*scalars + *histograms < 1 || *scalars > kSeriesMax || *histograms > kSeriesMax)
    return problem = usage_problem("--series and --histograms are 1 to " + std::to_string(kSeriesMax) + " in all"),
           false;
  plan.ticks = *length / kTickNs;
  plan.scalars = *scalars, plan.histograms = *histograms;
  return true;
}

double days(const HistoryTier& tier) { return static_cast<double>(tier.newest_unix_s - tier.oldest_unix_s) / 86'400; }

void print(const Call& call, const HistoryPlan& plan, const HistoryOutcome& o) {
  const auto line = [&](const char* what, const std::string& value) {
    char name[32];
    std::snprintf(name, sizeof name, "  %-12s ", what);
    call.terminal.print(name + value + "\n");
  };
  const auto seconds = [](double s) { return query::format_duration(static_cast<std::int64_t>(s * 1e9)); };
  char text[200];
  line("history", query::format_count(o.ticks) + " ticks of " + std::to_string(plan.scalars) + " series and " +
                      std::to_string(plan.histograms) + " histograms, " + query::format_count(o.points) + " points");
  std::snprintf(text, sizeof text, ", %.1f M points/s", static_cast<double>(o.points) / o.seconds_to_write / 1e6);
  line("written in", seconds(o.seconds_to_write) + text + ", " + query::format_bytes(o.written_bytes) + " written");
  for (std::size_t i = 0; i < o.tiers.size(); ++i) {
    const HistoryTier& tier = o.tiers[i];
    if (tier.rows == 0) continue;
    std::snprintf(text, sizeof text, "%6.1f days, %10s, %5.2f B a value", days(tier),
                  query::format_bytes(tier.bytes).c_str(),
                  static_cast<double>(tier.bytes) / static_cast<double>(std::max<std::uint64_t>(tier.values, 1)));
    line(kTierNames[i], text);
    if (tier.quantile_error == 0) continue;
    std::snprintf(text, sizeof text, "quantiles within %.2f %%", tier.quantile_error * 100);
    line("", text);
  }
  line("on disk", query::format_bytes(o.disk_bytes) + ", at most " + query::format_bytes(o.disk_bytes_most) + " of " +
                      query::format_bytes(plan.cap_bytes) + " at any moment");
  line("memory", query::format_bytes(o.rss_bytes));
  line("checked", query::format_count(o.checked) + " stored values in " + seconds(o.seconds_to_check) +
                      (o.expired == 0 ? "" : ", " + query::format_count(o.expired) + " points had expired"));
  const Style& style = call.terminal.style;
  line("verdict", o.whole() ? style.paint(Colour::blue,
                                          std::string(style.sign("● ", "")) + "every stored point is what was recorded")
                            : style.paint(Colour::red, std::string(style.sign("■ ", "")) +
                                                           query::format_count(o.wrong) + " wrong: " + o.first_wrong));
}

std::string to_json(const HistoryPlan& plan, const HistoryOutcome& o, bool passed) {
  query::JsonWriter json;
  json.begin_object()
      .key("schema")
      .integer(1)
      .key("series")
      .count(plan.scalars)
      .key("histograms")
      .count(plan.histograms);
  json.key("ticks").count(o.ticks).key("points").count(o.points).key("expired").count(o.expired);
  json.key("seconds_to_write").real(o.seconds_to_write).key("seconds_to_check").real(o.seconds_to_check);
  json.key("bytes")
      .count(o.disk_bytes)
      .key("bytes_most")
      .count(o.disk_bytes_most)
      .key("cap_bytes")
      .count(plan.cap_bytes);
  json.key("written_bytes").count(o.written_bytes).key("rss_bytes").count(o.rss_bytes).key("tiers").begin_array();
  for (std::size_t i = 0; i < o.tiers.size(); ++i) {
    const HistoryTier& tier = o.tiers[i];
    json.begin_object().key("tier").text(kTierNames[i]).key("rows").count(tier.rows).key("bytes").count(tier.bytes);
    json.key("values").count(tier.values).key("points").count(tier.points).key("days").real(days(tier));
    json.key("quantile_error").real(tier.quantile_error).end_object();
  }
  json.end_array().key("checked").count(o.checked).key("quantiles").count(o.quantiles).key("wrong").count(o.wrong);
  json.key("first_wrong").text(o.first_wrong).key("passed").boolean(passed).end_object();
  return json.str();
}

}  // namespace

int bench_history(Call& call) {
  HistoryPlan plan;
  HistoryHome home;
  query::Problem problem;
  if (!read_plan(call, plan, problem) || !make_home(call, home, problem)) return report(call.terminal, problem);
  plan.home = home.path;
  const auto outcome = run_history(call, plan);
  if (!outcome.ok()) return report(call.terminal, outcome.problem());
  const HistoryOutcome& o = outcome.value();
  const bool passed = o.whole() && o.disk_bytes_most <= plan.cap_bytes;
  if (call.format() == Format::table) print(call, plan, o);
  else call.terminal.print(to_json(plan, o, passed) + "\n");
  return passed ? kOk : kFailed;
}

}  // namespace honeylink::telemetry::cli
