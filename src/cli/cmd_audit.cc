// honeytel audit: what was decided and done with this home's data, and whether that log is as it was written.
#include <deque>

#include "audit/journal.h"
#include "audit/read.h"
#include "base/clock.h"
#include "base/text.h"
#include "cli/audit_commands.h"
#include "cli/commands.h"
#include "cli/listing.h"
#include "config/suggest.h"
#include "query/database.h"
#include "query/json.h"
#include "query/time_text.h"

namespace honeylink::telemetry::cli {
namespace {

struct Part {
  std::string_view name;
  int (*run)(Call&, const std::string& home);
};
constexpr Part kParts[] = {{"show", audit_show}, {"verify", audit_verify}, {"anchor", audit_anchor}};

std::string context_json(const audit::Context& context) {
  query::JsonWriter json;
  json.begin_object();
  for (const auto& [key, value] : context) json.key(key).text(value);
  return json.end_object().str();
}

std::string context_words(const audit::Context& context) {
  std::string words;
  for (const auto& [key, value] : context)
    if (!value.empty()) words += (words.empty() ? "" : " ") + key + "=" + value;
  return words;
}

std::string actor_json(const audit::Entry& entry) {
  query::JsonWriter json;
  json.begin_object().key("uid").count(entry.uid).key("pid").count(entry.pid).key("program").text(entry.program);
  return json.end_object().str();
}

std::vector<Cell> row_of(const audit::Entry& e) {
  const Colour colour = e.result == audit::Result::ok ? Colour::plain : Colour::red;
  return {json_cell(std::to_string(e.seq), std::to_string(e.seq)),
          time_cell(e.time_unix_ns),
          nano_cell(e.time_unix_ns),
          text_cell(e.event, Colour::bold),
          json_cell(actor_json(e), e.program + " " + std::to_string(e.pid)),
          text_cell(audit::name_of(e.result), colour),
          json_cell(context_json(e.context), context_words(e.context)),
          text_cell(e.event_id),
          json_cell(std::to_string(e.epoch), "")};
}

int run(Call& call) {
  const std::string name = call.arguments.empty() ? "show" : call.argument(0);
  std::vector<std::string_view> names;
  for (const Part& part : kParts) {
    names.push_back(part.name);
    if (part.name != name) continue;
    const auto home = call.home();
    if (!home.ok()) return report(call.terminal, home.problem());
    return part.run(call, home.value());
  }
  const std::string near(config::nearest(name, names));
  return report(call.terminal,
                usage_problem("audit cannot '" + name + "'" + (near.empty() ? "" : ": did you mean '" + near + "'?"),
                              "it can show, verify and anchor", "see: honeytel audit --help"));
}

constexpr Option kOptions[] = {
    kSince,
    kUntil,
    kLimit,
    {"event", "NAME", "show: events of this name, or that begin with it: consent, engine.start"},
    {"head", "HEX", "verify: the hash (or NUMBER:HASH) that honeytel audit anchor printed, kept elsewhere"},
};

}  // namespace

int audit_show(Call& call, const std::string& home) {
  query::Problem problem;
  const auto since = call.moment("since", INT64_MIN, problem), until = call.moment("until", INT64_MAX, problem);
  const auto limit = call.count("limit", 50, problem);
  if (!since || !until || !limit) return report(call.terminal, problem);
  const std::string event = call.text("event");
  std::deque<audit::Entry> newest;
  std::uint64_t total = 0, unreadable = 0;
  std::string why;
  const auto take = [&](const audit::Entry* entry, std::string_view) {
    if (entry == nullptr) return ++unreadable, true;
    if (entry->time_unix_ns < *since || entry->time_unix_ns > *until || !entry->event.starts_with(event)) return true;
    ++total;
    newest.push_back(*entry);
    if (*limit != 0 && newest.size() > *limit) newest.pop_front();
    return true;
  };
  if (!audit::for_each_entry(home, take, why))
    return report(call.terminal, {query::ProblemKind::busy, "the audit log cannot be read", why, ""});
  Listing listing({{"seq", "#", true},
                   {"timestamp", "when"},
                   {"time_unix_nano", ""},
                   {"event", "event"},
                   {"actor", "who"},
                   {"result", "result"},
                   {"context", "what", false, true},
                   {"event_id", ""},
                   {"epoch", ""}});
  for (const audit::Entry& entry : newest) listing.add(row_of(entry));
  listing.print(call, "audit", total);
  if (unreadable > 0)
    call.terminal.say(query::format_count(unreadable) + " lines are no entries: honeytel audit verify says which");
  return kOk;
}

int audit_anchor(Call& call, const std::string& home) {
  if (!query::file_exists(home))
    return report(call.terminal, {query::ProblemKind::environment, "there is no home yet", home + " is not there", ""});
  std::string why;
  audit::Journal::End end;
  if (!audit::Journal(home, system_clock()).append("journal.anchor", {}, audit::Result::ok, why, &end))
    return report(call.terminal,
                  {query::ProblemKind::environment, "the audit log does not take an entry", why, "honeytel doctor"});
  if (call.format() == Format::json || call.format() == Format::jsonl) {
    query::JsonWriter json;
    json.begin_object().key("schema").integer(1).key("seq").count(end.seq).key("hash").text(hex(end.hash)).end_object();
    call.terminal.print(json.str() + "\n");
  } else {
    call.terminal.print(std::to_string(end.seq) + ":" + hex(end.hash) + "\n");
  }
  call.terminal.say("keep this elsewhere; later: honeytel audit verify --head " + std::to_string(end.seq) + ":...");
  return kOk;
}

extern const Command kAudit{
    .name = "audit",
    .summary = "What was decided with this home's data, and whether that log is whole",
    .usage = "[show] | verify [--head HEX] | anchor",
    .about =
        "show    the newest entries: consents, starts and ends of the engine, what was forgotten\n"
        "verify  every number, hash and signature, and every anchor; exit 1 where something does not fit\n"
        "anchor  one line that says where the log ends now, to be kept on paper or another device\n"
        "verify says what is proved and what nothing inside a home can prove.",
    .example =
        "honeytel audit show --since 7d\nhoneytel audit show --event consent --json\nhoneytel audit verify\n"
        "honeytel audit anchor > /media/stick/anchor\nhoneytel audit verify --head $(cat /media/stick/anchor)",
    .options = kOptions,
    .arguments_max = 1,
    .reads = true,
    .run = run,
    .needs_directory = true};

}  // namespace honeylink::telemetry::cli
