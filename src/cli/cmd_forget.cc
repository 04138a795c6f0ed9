// honeytel forget: what the owner wants gone, gone. Asks for a typed word; needs the engine to be at rest.
#include <unistd.h>

#include <iostream>

#include "audit/journal.h"
#include "base/clock.h"
#include "cli/commands.h"
#include "cli/engine_rest.h"
#include "cli/forget_data.h"
#include "cli/progress.h"
#include "engine/election.h"
#include "query/database.h"
#include "query/status.h"
#include "query/time_text.h"

namespace honeylink::telemetry::cli {
namespace {

bool confirmed(const Call& call, const std::string& what, query::Problem& problem) {
  if (call.has("yes")) return true;
  if (::isatty(STDIN_FILENO) != 1)
    return problem = usage_problem("nobody can be asked here", "stdin is no terminal", "add --yes to forget " + what),
           false;
  call.terminal.say("This deletes " + what + " for good. Type forget to go on:");
  std::string word;
  if (std::getline(std::cin, word) && word == "forget") return true;
  return problem = {query::ProblemKind::failed, "nothing was deleted", "the word was not typed", ""}, false;
}

int run(Call& call) {
  query::Problem problem;
  if (call.has("all") == call.has("before"))
    return report(call.terminal, usage_problem("what is to be forgotten?", "either --before TIME or --all",
                                               "honeytel forget --before 30d"));
  const auto before = call.moment("before", INT64_MAX, problem);
  if (!before) return report(call.terminal, problem);
  const auto home = call.home();
  if (!home.ok()) return report(call.terminal, home.problem());
  if (!query::file_exists(home.value()))
    return report(call.terminal,
                  {query::ProblemKind::not_found, "there is nothing to forget", home.value() + " is not there", ""});
  const std::string what = call.has("all") ? "everything that is stored under " + home.value()
                                           : "everything from before " + query::format_local(*before);
  if (!confirmed(call, what, problem)) return report(call.terminal, problem);
  engine::Election election(home.value(), engine::Mode::agent, system_clock());
  if (const auto held = hold_engine(election, home.value())) return report(call.terminal, *held);
  Progress progress(call.terminal, "forgetting");
  const auto gone = forget_data(home.value(), *before, [&](double share) { progress.update(share); });
  progress.clear();
  if (!gone.ok()) return report(call.terminal, gone.problem());
  const Forgotten& f = gone.value();
  call.terminal.say(
      "forgotten: " + query::format_count(f.trace_blocks) + " blocks of traces, " +
      query::format_count(f.metric_ticks) + " blocks of metrics, " + query::format_count(f.log_lines) + " log lines" +
      (f.rings + f.other_files == 0 ? "" : ", " + query::format_count(f.rings + f.other_files) + " other files"));
  audit::Context context{{call.has("all") ? "all" : "before", call.has("all") ? "yes" : query::format_utc(*before)},
                         {"trace_blocks", std::to_string(f.trace_blocks)},
                         {"metric_ticks", std::to_string(f.metric_ticks)},
                         {"log_lines", std::to_string(f.log_lines)}};
  std::string why;
  if (!audit::Journal(home.value(), system_clock()).append("data.forget", std::move(context), audit::Result::ok, why))
    call.terminal.say("the audit log did not take it: " + why);
  for (const query::RingStatus& ring : query::read_rings(home.value())) {
    if (ring.alive)
      call.terminal.say("process " + std::to_string(ring.pid) +
                        " goes on recording; its last seconds stay in its memory");
  }
  return kOk;
}

constexpr Option kOptions[] = {
    {"before", "TIME", "Everything from before then: 30d, 2026-11-01"},
    {"all", "", "Everything, dead rings and quarantined files included"},
    {"yes", "", "Do not ask"},
};

}  // namespace

extern const Command kForget{.name = "forget",
                             .summary = "Delete what is stored, for good",
                             .usage = "--before TIME | --all [--yes]",
                             .about =
                                 "Deleted rows are overwritten and the files rewritten. Copies and backups of yours "
                                 "are not touched.\nAn agent must be stopped first.",
                             .example = "honeytel forget --before 30d\nhoneytel forget --all --yes",
                             .options = kOptions,
                             .run = run};

}  // namespace honeylink::telemetry::cli
