// honeytel config show|check|path: what is set, where it is set, and whether the file is sound.
#include <algorithm>

#include "cli/commands.h"
#include "cli/listing.h"
#include "config/config.h"
#include "query/sli_reader.h"
#include "query/time_text.h"

namespace honeylink::telemetry::cli {
namespace {

int say_problems(const Call& call, const config::Loaded& loaded) {
  for (const config::Problem& problem : loaded.problems) {
    static_cast<void>(report(call.terminal, usage_problem(problem.text())));
  }
  return kUsage;
}

/// What only the recorded metrics can tell of a service level: a name that nobody records, a histogram where a counter
/// is needed. That nobody records the metrics of a built-in one is no flaw.
std::vector<std::string> metric_flaws(const std::string& home, const config::Config& config) {
  std::vector<std::string> said;
  const auto reader = query::MetricReader::open(home);
  if (!reader.ok()) return said;
  const auto known = query::known_metrics(*reader.value());
  const config::Config built_in = config::default_config();
  for (const config::SliConfig& level : config.slis) {
    const bool usual = std::any_of(built_in.slis.begin(), built_in.slis.end(), [&](const config::SliConfig& b) {
      return b.name == level.name && b.of == level.of && b.ratio == level.ratio;
    });
    for (const sli::Flaw& flaw : query::check_definition(sli::define(level), known)) {
      if (usual && !flaw.unknown.empty()) continue;
      said.push_back(flaw.key + ": " + flaw.what + (flaw.suggestion.empty() ? "" : "; " + flaw.suggestion));
    }
  }
  return said;
}

int show(const Call& call, const config::Loaded& loaded) {
  Listing listing({{"section", "section"},
                   {"key", "key"},
                   {"value", "value", false, true},
                   {"default", ""},
                   {"", "set by"},
                   {"says", "says", false, true}});
  std::uint64_t rows = 0;
  for (const config::KeyValue& row : config::list_keys(loaded.config)) {
    listing.add({text_cell(row.section), text_cell(row.key),
                 text_cell(row.value, row.is_default ? Colour::plain : Colour::blue), bool_cell(row.is_default),
                 text_cell(row.is_default ? "default" : "config.toml"), text_cell(row.says)});
    ++rows;
  }
  listing.print(call, "config", rows);
  return loaded.sound() ? kOk : say_problems(call, loaded);
}

int run(Call& call) {
  const auto home = call.home();
  if (!home.ok()) return report(call.terminal, home.problem());
  const std::string path = config::config_path(home.value());
  const std::string what = call.argument(0);
  if (what == "path") {
    call.terminal.print(path + "\n");
    return kOk;
  }
  if (what != "show" && what != "check" && !what.empty()) {
    return report(call.terminal, usage_problem("config cannot '" + what + "'", "it can show, check and path",
                                               "see: honeytel config --help"));
  }
  const config::Loaded loaded = config::load_config(home.value(), config::default_config());
  if (what != "check") return show(call, loaded);
  if (!loaded.sound()) return say_problems(call, loaded);
  const std::vector<std::string> flaws = metric_flaws(home.value(), loaded.config);
  for (const std::string& flaw : flaws) static_cast<void>(report(call.terminal, usage_problem(path + ": " + flaw)));
  if (!flaws.empty()) return kUsage;
  call.terminal.say(path + ": sound");
  return kOk;
}

}  // namespace

extern const Command kConfig{
    .name = "config",
    .summary = "What is set, and whether config.toml is sound",
    .usage = "[show|check|path]",
    .about =
        "show   every key with its value and what it means\ncheck  exit 2 where a key is unknown, a value is wrong or "
        "a service level impossible, by file:line\npath   where the file is, or would be",
    .example = "honeytel config show\nhoneytel config check && systemctl --user restart honeytel",
    .options = {},
    .arguments_max = 1,
    .reads = true,
    .run = run};

}  // namespace honeylink::telemetry::cli
