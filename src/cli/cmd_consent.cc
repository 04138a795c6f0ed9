// honeytel consent: what may leave this device, to whom, until when. The parts stand in consent_*.cc; here are the
// table, the list and taking back.
#include "base/clock.h"
#include "cli/commands.h"
#include "cli/consent_commands.h"
#include "cli/listing.h"
#include "config/suggest.h"
#include "export/purge.h"
#include "query/consents.h"
#include "query/json.h"
#include "query/time_text.h"

namespace honeylink::telemetry::cli {
namespace {

struct Part {
  std::string_view name;
  std::size_t arguments;
  int (*run)(Call&, const std::string& home);
};
constexpr Part kParts[] = {{"grant", 1, consent_grant},
                           {"status", 2, consent_status},
                           {"revoke", 2, consent_revoke},
                           {"test", 2, consent_test}};

std::string signals_json(const consent::Receipt& receipt) {
  query::JsonWriter json;
  json.begin_array();
  for (std::size_t i = 0; i < consent::kSignals; ++i)
    if (receipt.from_unix_ns[i] >= 0) json.text(consent::kSignalNames[i]);
  return json.end_array().str();
}

std::string from_json(const consent::Receipt& receipt) {
  query::JsonWriter json;
  json.begin_object();
  for (std::size_t i = 0; i < consent::kSignals; ++i)
    if (receipt.from_unix_ns[i] >= 0)
      json.key(consent::kSignalNames[i]).text(query::format_utc(receipt.from_unix_ns[i]));
  return json.end_object().str();
}

Cell moment_cell(std::int64_t unix_ns) { return unix_ns == 0 ? null_cell() : time_cell(unix_ns); }

int unknown_part(const Call& call, const std::string& name) {
  std::vector<std::string_view> names;
  for (const Part& part : kParts) names.push_back(part.name);
  const std::string near(config::nearest(name, names));
  return report(call.terminal,
                usage_problem("consent cannot '" + name + "'" + (near.empty() ? "" : ": did you mean '" + near + "'?"),
                              "it can grant, status, test and revoke", "see: honeytel consent --help"));
}

int run(Call& call) {
  const std::string name = call.arguments.empty() ? "status" : call.argument(0);
  for (const Part& part : kParts) {
    if (part.name != name) continue;
    if (call.arguments.size() > part.arguments)
      return report(call.terminal,
                    usage_problem("too many arguments: " + call.arguments.back(), {}, "see: honeytel consent --help"));
    const auto home = call.home();
    if (!home.ok()) return report(call.terminal, home.problem());
    return part.run(call, home.value());
  }
  return unknown_part(call, name);
}

constexpr Option kOptions[] = {
    {"endpoint", "URL", "grant: to whom; https://host:port, or http://127.0.0.1:port"},
    {"signals", "LIST", "grant: metrics,traces,logs,alerts: which of them"},
    {"expires", "TIME", "grant: how long; 90d where nothing is said, a year at most"},
    {"from", "TIME", "grant: what was recorded from then on (default: now, or where a revoked consent began)"},
    {"ca", "FILE", "grant: certificates (PEM) that may vouch for the receiver, instead of the system's"},
    {"pin", "PIN", "grant: sha256//BASE64, the receiver's public key, which must fit besides"},
    {"cert", "FILE", "grant: this device's certificate (PEM), for receivers that ask for one"},
    {"key", "FILE", "grant: its key (PEM)"},
    {"yes", "", "grant: do not ask"},
    {"purge", "", "revoke: what was not sent yet never will be"},
    {"lang", "LANG", "Language of what is said", "en|ja|es|zh"},
};

}  // namespace

void keep_only(const consent::Endpoint& endpoint, std::vector<consent::Checked>& all) {
  std::erase_if(all,
                [&](const consent::Checked& c) { return !c.path.ends_with("/" + consent::receipt_name(endpoint)); });
}

int consent_status(Call& call, const std::string& home) {
  std::vector<consent::Checked> all = consent::list_receipts(home, system_clock());
  const bool one = call.arguments.size() > 1;
  if (one) {
    const auto endpoint = endpoint_of(call.argument(1));
    if (!endpoint.ok()) return report(call.terminal, endpoint.problem());
    keep_only(endpoint.value(), all);
  }
  Listing listing({{"endpoint", "endpoint", false, true},
                   {"signals", "what"},
                   {"expires", "until"},
                   {"state", "state"},
                   {"why", "why", false, true},
                   {"granted", ""},
                   {"from", ""},
                   {"ca_file", ""},
                   {"ca_sha256", ""},
                   {"pin", ""},
                   {"cert_file", ""},
                   {"nonce", ""},
                   {"receipt", ""}});
  bool valid = false;
  for (const consent::Checked& c : all) {
    const consent::Receipt& r = c.receipt;
    const bool counts = c.state == consent::State::valid;
    valid = valid || counts;
    const std::string sign(counts ? call.terminal.style.sign("● ", "") : call.terminal.style.sign("■ ", "! "));
    const Colour colour = counts ? Colour::blue : c.state == consent::State::expired ? Colour::yellow : Colour::red;
    Cell state = text_cell(query::name_of(c.state), colour);
    state.shown = sign + state.shown;
    listing.add({text_cell(r.endpoint.host.empty() ? "" : r.endpoint.text()),
                 json_cell(signals_json(r), r.signals_text()), moment_cell(r.expires_unix_ns), std::move(state),
                 text_cell(c.why), moment_cell(r.granted_unix_ns), json_cell(from_json(r), ""), text_cell(r.ca_file),
                 text_cell(r.ca_sha256), text_cell(r.pin), text_cell(r.cert_file), text_cell(r.nonce),
                 text_cell(c.path)});
  }
  const bool words = call.format() == Format::table;
  if (!words || !all.empty()) listing.print(call, "consent", all.size());
  if (words && !valid) call.terminal.say("  " + std::string(text("consent.nothing", language_of(call))));
  return one && !valid ? kNoConsent : kOk;
}

int consent_revoke(Call& call, const std::string& home) {
  std::vector<consent::Checked> all = consent::list_receipts(home, system_clock());
  const bool purge = call.has("purge");
  if (call.arguments.size() > 1) {
    const auto endpoint = endpoint_of(call.argument(1));
    if (!endpoint.ok()) return report(call.terminal, endpoint.problem());
    keep_only(endpoint.value(), all);
    if (all.empty())
      return report(call.terminal, {query::ProblemKind::not_found, "there is no consent for " + endpoint.value().text(),
                                    "", "honeytel consent status lists those there are"});
  }
  const Language language = language_of(call);
  if (all.empty()) return call.terminal.say(text("consent.nothing", language)), kOk;
  int code = kOk;
  for (const consent::Checked& c : all) {
    std::string why;
    const std::string name = c.receipt.endpoint.host.empty() ? c.path : c.receipt.endpoint.text();
    const consent::Revoked revoked = consent::revoke_receipt(home, c, purge, system_clock(), why);
    if (revoked == consent::Revoked::failed) {
      code = report(call.terminal, {query::ProblemKind::environment, "not revoked: " + name, why,
                                    "remove the file yourself: what is gone grants nothing"});
      continue;
    }
    if (purge) exporting::remove_orphans(home);
    if (revoked == consent::Revoked::done_but_not_recorded)
      call.terminal.say("the audit log did not take it: " + terminal_safe(why));
    call.terminal.say(fill("consent.revoked", language, {name}));
  }
  ring_engine(home);
  call.terminal.say("  " +
                    std::string(purge ? text("consent.purged", language) : text("consent.backlog_kept", language)));
  return code;
}

extern const Command kConsent{
    .name = "consent",
    .summary = "What may leave this device, to whom, until when",
    .usage = "[status [ENDPOINT]] | grant --endpoint URL --signals LIST | test [ENDPOINT] | revoke [ENDPOINT]",
    .about =
        "status  what is granted; exit 8 where ENDPOINT is named and nothing may leave for it\n"
        "grant   says what would leave, asks, and writes a signed receipt; nothing is sent without one\n"
        "test    sends one empty request for each thing that was granted and says what came of it\n"
        "revoke  takes it back, all of them where none is named; the last byte leaves within a second\n"
        "Receipts do not hold back your own other programs: those could open sockets of their own.",
    .example =
        "honeytel consent grant --endpoint https://collector.example:4317 --signals metrics,traces --ca ca.pem\n"
        "honeytel consent grant --endpoint http://127.0.0.1:9093 --signals alerts --expires 30d --yes\n"
        "honeytel consent status\nhoneytel consent test\nhoneytel consent revoke https://collector.example:4317",
    .options = kOptions,
    .arguments_max = 2,
    .reads = true,
    .run = run,
    .needs_directory = true};

}  // namespace honeylink::telemetry::cli
