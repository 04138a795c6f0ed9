// honeytel db: the stores' files looked at, checked and cared for.
#include "cli/commands.h"
#include "cli/db_commands.h"
#include "config/suggest.h"
#include "query/database.h"

namespace honeylink::telemetry::cli {
namespace {

struct Part {
  std::string_view name;
  bool writes;
  std::size_t arguments;
  int (*run)(Call&, const std::string& home);
};
constexpr Part kParts[] = {{"stats", false, 1, db_stats},
                           {"check", false, 1, db_check},
                           {"vacuum", true, 1, db_vacuum},
                           {"backup", false, 2, db_backup},
                           {"upgrade", true, 1, db_upgrade}};

int unknown_part(const Call& call, const std::string& name) {
  std::vector<std::string_view> names;
  for (const Part& part : kParts) names.push_back(part.name);
  const std::string near(config::nearest(name, names));
  const std::string what = name.empty() ? "what about the databases?" : "db cannot '" + name + "'";
  return report(call.terminal,
                usage_problem(what + (near.empty() ? "" : ": did you mean '" + near + "'?"),
                              "it can stats, check, vacuum, backup FILE and upgrade", "see: honeytel db --help"));
}

int run(Call& call) {
  const std::string name = call.argument(0);
  for (const Part& part : kParts) {
    if (part.name != name) continue;
    if (call.arguments.size() > part.arguments)
      return report(call.terminal,
                    usage_problem("too many arguments: " + call.arguments.back(), {}, "see: honeytel db --help"));
    if (part.writes && call.home_is_archive())
      return report(call.terminal, usage_problem("a bundle or backup is only read", {}, "name a home directory"));
    const auto home = call.home();
    if (!home.ok()) return report(call.terminal, home.problem());
    if (!query::file_exists(home.value())) {
      return report(call.terminal, {query::ProblemKind::environment, "there is no home yet",
                                    home.value() + " is not there", "honeytel demo makes one and fills it"});
    }
    return part.run(call, home.value());
  }
  return unknown_part(call, name);
}

}  // namespace

extern const Command kDb{
    .name = "db",
    .summary = "The stores' files: sizes, soundness, care",
    .usage = "stats|check|vacuum|backup FILE|upgrade",
    .about =
        "stats    rows and bytes by table and tier, bytes a point and a span, oldest and newest\n"
        "check    every page and every checksum, logs too; names what is damaged, exit 7\n"
        "vacuum   gives pages that hold nothing back to the file system, beside a running engine\n"
        "backup   everything stored, in one FILE that opens with --home FILE; the engine may go on\n"
        "upgrade  brings the files to this version; the engine must rest; exit 3 where they need a newer one\n"
        "Interrupted, each leaves the stores as they were, or as far as it came: whole.",
    .example =
        "honeytel db stats\nhoneytel db check && echo sound\nhoneytel db vacuum\n"
        "honeytel db backup ~/honeylink.backup\nhoneytel db upgrade",
    .options = {},
    .arguments_max = 2,
    .reads = true,
    .run = run};

}  // namespace honeylink::telemetry::cli
