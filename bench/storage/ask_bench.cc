// What asking a full metrics.db costs: `ask_bench HOME HONEYTEL [ROUNDS]` prints one line of JSON. The home is one that
// `honeytel bench --history` kept. Every question is asked once without being timed, then ROUNDS times (64 unless told)
// of series in turn; a command is a process of its own, from its start to its end.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "base/sketch.h"
#include "query/metric_reader.h"

namespace {

namespace query = honeylink::telemetry::query;
constexpr std::int64_t kDay = 86'400, kWeek = 7 * kDay, kHistory = 397 * kDay;

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "ask_bench: %s\n", why.c_str());
  std::exit(1);
}

class Report {
 public:
  explicit Report(std::size_t rounds) : rounds_(rounds) {}

  void measure(const char* what, std::size_t variants, const std::function<std::size_t(std::size_t)>& ask) {
    if (variants == 0) return;
    std::vector<double> ms;
    std::size_t answered = 0;
    for (std::size_t i = 0; i < variants; ++i) (void)ask(i);
    for (std::size_t i = 0; i < rounds_; ++i) {
      const auto began = std::chrono::steady_clock::now();
      answered = std::max(answered, ask(i % variants));
      ms.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count());
    }
    std::sort(ms.begin(), ms.end());
    std::printf("%s\"%s\": {\"p50_ms\": %.3f, \"p95_ms\": %.3f, \"max_ms\": %.3f, \"rounds\": %zu, \"answered\": %zu}",
                first_ ? "" : ", ", what, ms[ms.size() / 2], ms[ms.size() * 95 / 100], ms.back(), ms.size(), answered);
    first_ = false;
  }

 private:
  std::size_t rounds_;
  bool first_ = true;
};

std::size_t run(const std::vector<std::string>& words) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t quiet;
  posix_spawn_file_actions_init(&quiet);
  posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&quiet, 2, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  int status = 0;
  if (::posix_spawn(&child, arguments[0], &quiet, nullptr, arguments.data(), environ) != 0 ||
      ::waitpid(child, &status, 0) != child || status != 0)
    give_up(words[0] + " " + words[1] + " failed");
  posix_spawn_file_actions_destroy(&quiet);
  return 1;
}

}  // namespace

int main(int count, char** words) {
  if (count < 3) give_up("usage: ask_bench HOME HONEYTEL [ROUNDS]");
  const std::string home = words[1], honeytel = words[2];
  auto opened = query::MetricReader::open(home);
  if (!opened.ok()) give_up(home + " cannot be read");
  query::MetricReader& reader = *opened.value();
  std::vector<const query::SeriesView*> scalars, histograms;
  for (const query::SeriesView& series : reader.series())
    (series.is_histogram() ? histograms : scalars).push_back(&series);
  if (scalars.empty()) give_up(home + " has no series");
  const auto extent = reader.extent(scalars, {});
  if (!extent.ok()) give_up("no extent");
  const std::int64_t newest = extent.value().newest_unix_s;
  // Of thousands of series some all over the list: pages of all would not be warm, and nobody asks for all.
  std::vector<const query::SeriesView*> asked;
  for (std::size_t i = 0; i < std::min<std::size_t>(scalars.size(), 16); ++i)
    asked.push_back(scalars[i * scalars.size() / std::min<std::size_t>(scalars.size(), 16)]);

  const auto points = [&](const query::SeriesView* series, std::int64_t length, std::int64_t step) {
    auto found = reader.points({series}, {newest - length, newest, step});
    if (!found.ok()) give_up("a question failed");
    if (series->is_histogram()) {
      for (const query::MetricPoint& point : found.value()) {
        if (!(query::point_value(*series, point, {newest - length, newest, step}, 0.95) > 0)) give_up("no quantile");
      }
    }
    return found.value().size();
  };
  Report report(static_cast<std::size_t>(count > 3 ? std::max(1, std::atoi(words[3])) : 64));
  std::printf("{\"series\": %zu, \"histograms\": %zu, \"questions\": {", scalars.size(), histograms.size());
  report.measure("week", asked.size(), [&](std::size_t i) { return points(asked[i], kWeek, 10); });
  report.measure("week_gauge", 1, [&](std::size_t) {
    const auto gauge =
        std::find_if(scalars.begin(), scalars.end(), [](const auto* s) { return s->name == "cpu_percent"; });
    return points(gauge == scalars.end() ? scalars.front() : *gauge, kWeek, 10);
  });
  report.measure("p95", histograms.size(),
                 [&](std::size_t i) { return points(histograms[i], kHistory, 2 * kHistory); });
  report.measure("p95_days", histograms.size(), [&](std::size_t i) { return points(histograms[i], kHistory, kDay); });
  report.measure("p95_hours", histograms.size(), [&](std::size_t i) { return points(histograms[i], kHistory, 3'600); });
  report.measure("version", 1, [&](std::size_t) { return run({honeytel, "--version"}); });
  report.measure("metrics_name", 1, [&](std::size_t) {
    return run({honeytel, "metrics", scalars.front()->name, "--home", home, "--label",
                scalars.front()->labels.empty()
                    ? "module=bench"
                    : scalars.front()->labels[0].first + "=" + scalars.front()->labels[0].second});
  });
  report.measure("metrics_list", 1, [&](std::size_t) { return run({honeytel, "metrics", "--home", home}); });
  std::printf("}}\n");
  return 0;
}
