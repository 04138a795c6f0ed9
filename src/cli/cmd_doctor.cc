// honeytel doctor: looks for what may be wrong, and says what to do.
#include <algorithm>

#include "cli/commands.h"
#include "cli/listing.h"
#include "config/config.h"
#include "query/doctor.h"

namespace honeylink::telemetry::cli {
namespace {

void check_config(const std::string& home, std::vector<query::Check>& checks) {
  const config::Loaded loaded = config::load_config(home, config::default_config());
  for (const config::Problem& problem : loaded.problems)
    checks.push_back(
        {"config", query::Finding::problem, problem.text(), "the engine uses the default, or the last good value"});
  if (loaded.sound()) checks.push_back({"config", query::Finding::fine, "sound", ""});
}

int run(Call& call) {
  const auto home = call.home();
  if (!home.ok()) return report(call.terminal, home.problem());
  std::vector<query::Check> checks = query::examine(home.value());
  check_config(home.value(), checks);
  Listing listing({{"", ""},
                   {"check", "check"},
                   {"finding", ""},
                   {"", "finding"},
                   {"says", "says", false, true},
                   {"to_do", "what to do", false, true}});
  const Style& style = call.terminal.style;
  for (const query::Check& check : checks) {
    const bool fine = check.finding == query::Finding::fine, problem = check.finding == query::Finding::problem;
    const std::string sign(fine      ? style.sign("● fine", "fine")
                           : problem ? style.sign("■ problem", "PROBLEM")
                                     : style.sign("▲ note", "note"));
    listing.add({null_cell(), text_cell(check.what),
                 text_cell(fine      ? "fine"
                           : problem ? "problem"
                                     : "note"),
                 text_cell(sign, fine      ? Colour::blue
                                 : problem ? Colour::red
                                           : Colour::yellow),
                 text_cell(check.says), text_cell(check.to_do)});
  }
  listing.print(call, "checks", checks.size());
  return std::any_of(checks.begin(), checks.end(),
                     [](const query::Check& c) { return c.finding == query::Finding::problem; })
             ? kFailed
             : kOk;
}

}  // namespace

extern const Command kDoctor{.name = "doctor",
                             .summary = "Look for what may be wrong, and say what to do",
                             .usage = "",
                             .about = "Exit 1 where it finds a problem; notes are no problem.",
                             .example = "honeytel doctor",
                             .options = {},
                             .reads = true,
                             .run = run};

}  // namespace honeylink::telemetry::cli
