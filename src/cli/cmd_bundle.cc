// honeytel bundle: a period of a home in one file, for a bug report. What is stored has passed scrub: ids are
// pseudonyms, payloads were refused. Keys, configuration and rings stay at home.
#include "base/clock.h"
#include "cli/archive.h"
#include "cli/bundle_stores.h"
#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "query/database.h"
#include "query/json.h"
#include "query/time_text.h"

namespace honeylink::telemetry::cli {
namespace {

constexpr std::int64_t kPeriod = 600'000'000'000;  // the last ten minutes

std::optional<query::Problem> make_bundle(const std::string& home, const std::string& path, const Period& period,
                                          const std::function<bool(double)>& go_on, ArchiveWriter& archive,
                                          Bundled& bundled) {
  if (auto problem = archive.create(path, "bundle")) return problem;
  for (const auto& [key, moment] :
       {std::pair("since", period.since_unix_ns), std::pair("until", period.until_unix_ns)}) {
    if (auto problem = archive.note(key, query::format_utc(moment))) return problem;
  }
  const std::string& shop = archive.workshop();
  const auto moved = [&](std::uint64_t) { return go_on(0.9); };
  if (auto problem = bundle_metrics(home, period, shop + "/metrics.db", bundled)) return problem;
  if (!go_on(0.2)) return query::Problem{query::ProblemKind::failed, "interrupted", path + " was not made", ""};
  if (auto problem = bundle_traces(
          home, period, shop + "/traces.db", [&] { return go_on(0.5); }, bundled))
    return problem;
  if (auto problem = bundle_logs(home, period, shop + "/honeylink.log", bundled)) return problem;
  for (const char* name : {"metrics/metrics.db", "metrics/traces.db", "logs/honeylink.log"}) {
    const std::string from = shop + std::string(name).substr(std::string(name).rfind('/'));
    if (!query::file_exists(from)) continue;
    if (auto problem = archive.add_file(name, from, moved)) return problem;
  }
  return archive.finish();
}

int run(Call& call) {
  query::Problem problem;
  const std::int64_t now = system_clock().realtime_ns();
  const auto since = call.moment("since", now - kPeriod, problem);
  const auto until = since ? call.moment("until", now, problem) : std::nullopt;
  if (!until) return report(call.terminal, problem);
  const std::string path = call.text("output");
  if (since && until && *since > *until)
    return report(call.terminal, usage_problem("--since is after --until", "nothing lies between them"));
  if (path.empty())
    return report(call.terminal, usage_problem("into which file?", {}, "honeytel bundle --since 10m -o FILE.db"));
  const auto home = call.home();
  if (!home.ok()) return report(call.terminal, home.problem());
  if (!query::file_exists(home.value()))
    return report(call.terminal, {query::ProblemKind::environment, "there is no home yet",
                                  home.value() + " is not there", "honeytel demo makes one and fills it"});
  const Interrupt interrupt;
  Bundled bundled;
  std::uint64_t bytes = 0;
  std::optional<query::Problem> failed;
  {
    Progress progress(call.terminal, "bundling");
    ArchiveWriter archive;
    failed = make_bundle(
        home.value(), path, {*since, *until},
        [&](double share) {
          progress.update(share);
          return !interrupt.asked();
        },
        archive, bundled);
    bytes = archive.bytes();
  }
  if (failed && interrupt.asked()) {
    call.terminal.say("interrupted; no bundle was made, and the stores are as they were");
    return kInterrupted;
  }
  if (failed) return report(call.terminal, *failed);
  if (call.format() == Format::json || call.format() == Format::jsonl) {
    query::JsonWriter json;
    json.begin_object().key("schema").integer(1).key("path").text(path).key("bytes").count(bytes);
    json.key("points").count(bundled.points).key("spans").count(bundled.spans).key("lines").count(bundled.lines);
    call.terminal.print(json.end_object().str() + "\n");
    return kOk;
  }
  call.terminal.say(path + ": " + query::format_bytes(bytes) + ", " + query::format_count(bundled.points) +
                    " points, " + query::format_count(bundled.spans) + " spans, " + query::format_count(bundled.lines) +
                    " log lines");
  call.terminal.say("ids in it are pseudonyms; look before you send it: honeytel --home " + path + " traces");
  return kOk;
}

constexpr Option kOptions[] = {
    kSince,
    kUntil,
    {"output", "FILE", "The file to make", {}, 'o'},
};

}  // namespace

extern const Command kBundle{
    .name = "bundle",
    .summary = "One file of what was recorded lately, for a bug report",
    .usage = "[--since 10m] [--until TIME] -o FILE",
    .about =
        "Metrics, spans and log lines of the period, without --since of the last ten minutes. Every command that "
        "reads\n"
        "opens it: honeytel --home FILE traces. Keys and configuration are not in it; ids are pseudonyms.",
    .example = "honeytel bundle --since 10m -o report.db\nhoneytel --home report.db traces --slow",
    .options = kOptions,
    .reads = true,
    .run = run};

}  // namespace honeylink::telemetry::cli
