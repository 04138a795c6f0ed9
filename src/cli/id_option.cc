// See id_option.h.
#include "cli/id_option.h"

#include "scrub/key_rules.h"
#include "scrub/pseudonym.h"

namespace honeylink::telemetry::cli {

std::optional<std::string> pseudonym_of(const Call& call, const std::string& home, query::Problem& problem) {
  const std::string given = call.text("id");
  if (!call.has("id")) return std::string();
  const std::size_t equals = given.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == given.size()) {
    problem = usage_problem("--id cannot be '" + given + "'", "it takes a kind and the id as it is known outside",
                            "such as --id device=AA-17 for what was recorded as device_id");
    return std::nullopt;
  }
  std::string why;
  const auto pseudonyms = scrub::Pseudonyms::open_existing(home, why);
  if (pseudonyms == nullptr) {
    problem = {query::ProblemKind::not_found, "no id can be looked for",
               why.empty() ? "this home has no pseudonym key: no id was ever stored" : why, ""};
    return std::nullopt;
  }
  return std::string(
      pseudonyms->hash(scrub::KeyRules::kind_of(std::string_view(given).substr(0, equals)), given.substr(equals + 1)));
}

}  // namespace honeylink::telemetry::cli
