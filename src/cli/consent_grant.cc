// honeytel consent grant: says in plain words what would leave, asks, writes a signed receipt.
#include <stdlib.h>
#include <unistd.h>

#include <iostream>

#include "base/clock.h"
#include "cli/consent_commands.h"
#include "query/time_text.h"

namespace honeylink::telemetry::cli {
namespace {

bool read_signals(const std::string& list, std::vector<consent::Signal>& to, query::Problem& problem) {
  std::string_view rest = list;
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    const std::string_view name = rest.substr(0, comma);
    rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
    const auto signal = consent::signal_named(name);
    if (!signal) {
      problem = usage_problem("'" + std::string(name) + "' is no signal",
                              "there are metrics, traces, logs and alerts, parted by commas");
      return false;
    }
    to.push_back(*signal);
  }
  if (to.empty())
    problem = usage_problem("what may leave?", "no signal is named", "--signals metrics,traces,logs,alerts");
  return !to.empty();
}

/// As a receipt needs it: from the root, links and dots resolved.
bool absolute(const Call& call, std::string_view option, std::string& to, query::Problem& problem) {
  if (!call.has(option)) return true;
  const std::string typed = call.text(option);
  char* found = ::realpath(typed.c_str(), nullptr);
  if (found == nullptr) {
    problem = {query::ProblemKind::environment, "--" + std::string(option) + " cannot be '" + typed + "'",
               "there is no such file", ""};
    return false;
  }
  to = found;
  ::free(found);
  return true;
}

bool read_grant(const Call& call, consent::Grant& grant, query::Problem& problem) {
  if (!call.has("endpoint"))
    return problem = usage_problem("to whom?", "no endpoint is named", "--endpoint https://host:port"), false;
  const auto endpoint = endpoint_of(call.text("endpoint"));
  if (!endpoint.ok()) return problem = endpoint.problem(), false;
  grant.endpoint = endpoint.value();
  const auto lasts = call.duration("expires", 90 * consent::kDayNs, problem);
  if (!lasts || !read_signals(call.text("signals"), grant.signals, problem)) return false;
  grant.lasts_ns = *lasts;
  const auto from = call.moment("from", -1, problem);
  if (!from) return false;
  grant.from_unix_ns = *from;
  grant.pin = call.text("pin");
  return absolute(call, "ca", grant.ca_file, problem) && absolute(call, "cert", grant.cert_file, problem) &&
         absolute(call, "key", grant.key_file, problem);
}

bool agreed(const Call& call, Language language, query::Problem& problem) {
  if (call.has("yes")) return true;
  if (::isatty(STDIN_FILENO) != 1)
    return problem = usage_problem("nobody can be asked here", "stdin is no terminal", "add --yes to agree"), false;
  call.terminal.say(text("consent.type_grant", language));
  std::string word;
  if (std::getline(std::cin, word) && word == "grant") return true;
  return problem = {query::ProblemKind::failed, "nothing was granted", "the word was not typed", ""}, false;
}

}  // namespace

int consent_grant(Call& call, const std::string& home) {
  query::Problem problem;
  consent::Grant grant;
  if (!read_grant(call, grant, problem)) return report(call.terminal, problem);
  consent::Receipt receipt;
  std::string why;
  if (!consent::prepare_grant(home, grant, system_clock(), receipt, why))
    return report(call.terminal, usage_problem("this cannot be granted", why));
  const Language language = language_of(call);
  call.terminal.say(text("consent.would_leave", language));
  call.terminal.say(describe_receipt(receipt, language) + "  " + std::string(text("consent.pseudonyms", language)));
  const consent::Checked earlier = consent::check_receipt(home, grant.endpoint, system_clock());
  if (earlier.state == consent::State::valid)
    call.terminal.say("  " +
                      fill("consent.replaces", language,
                           {earlier.receipt.signals_text(), query::format_local(earlier.receipt.expires_unix_ns)}));
  call.terminal.say("  " + fill("consent.how_to_end", language, {grant.endpoint.text()}));
  if (!agreed(call, language, problem)) return report(call.terminal, problem);
  if (!consent::write_grant(home, receipt, system_clock(), why))
    return report(call.terminal,
                  {query::ProblemKind::environment, "nothing was granted", why, "honeytel doctor looks for the cause"});
  ring_engine(home);
  call.terminal.say(fill("consent.granted", language,
                         {query::format_local(receipt.expires_unix_ns),
                          consent::consent_directory(home) + "/" + consent::receipt_name(grant.endpoint)}));
  return kOk;
}

}  // namespace honeylink::telemetry::cli
