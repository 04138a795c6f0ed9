// honeytel status: who leads, what records here, what is stored, and whether the books balance. One screen.
#include "base/clock.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/levels.h"
#include "cli/listing.h"
#include "config/config.h"
#include "query/consents.h"
#include "query/database.h"
#include "query/sli_reader.h"
#include "query/status_json.h"
#include "query/time_text.h"

namespace honeylink::telemetry::cli {
namespace {

using Slis = std::vector<query::SliView>;

Slis slis_of(const std::string& home) {
  auto reader = query::SliReader::open(home, system_clock().realtime_ns());
  if (!reader.ok()) return {};
  auto slis = reader.value()->slis(false);
  return slis.ok() ? std::move(slis.value()) : Slis();
}

std::string slis_line(const Slis& slis, const Style& style) {
  std::string text;
  std::size_t ok = 0;
  for (const query::SliView& sli : slis) {
    if (sli.level == Level::ok) {
      ok += sli.no_data ? 0 : 1;
      continue;
    }
    text += (text.empty() ? "" : ", ") +
            style.paint(colour_of(sli.level), level_text(sli.level, style) + " " + terminal_safe(sli.definition.name));
  }
  if (!text.empty()) return text + "   honeytel sli";
  return ok == 0 ? "no data to judge"
                 : style.paint(Colour::blue, level_text(Level::ok, style)) + ", all that have data";
}

std::string engine_line(const query::EngineStatus& engine, const Style& style) {
  if (engine.mode == "none") {
    return style.paint(Colour::yellow, std::string(style.sign("▲", "!")) + " no engine") +
           ": what programs record waits in their rings; start one: honeytel agent";
  }
  return style.paint(Colour::blue, std::string(style.sign("●", "o"))) + " " + engine.mode + ", pid " +
         std::to_string(engine.pid) +
         (engine.started_unix_ns == 0 ? "" : ", since " + query::format_local(engine.started_unix_ns).substr(0, 19));
}

void print_rings(const Call& call, const query::Status& status) {
  if (status.rings.empty()) return call.terminal.print("  no program records here at the moment\n");
  Listing rings({{"", "pid", true},
                 {"", "service", false, true},
                 {"", "module", false, true},
                 {"", "state"},
                 {"", "ring", true},
                 {"", "said", false, true}});
  for (const query::RingStatus& ring : status.rings) {
    std::string said = ring.why;
    for (const auto& [name, n] : ring.counters)
      said += (said.empty() ? "" : ", ") + name + " " + query::format_count(n);
    const char* state = !ring.why.empty() ? "damaged"
                        : ring.alive      ? "records"
                        : ring.clean      ? "ended"
                        : ring.same_boot  ? "died"
                                          : "of an earlier boot";
    rings.add({json_cell(std::to_string(ring.pid), std::to_string(ring.pid)), text_cell(ring.service),
               text_cell(ring.module), text_cell(state), json_cell("0", query::format_bytes(ring.bytes)),
               text_cell(said)});
  }
  call.terminal.print(rings.table(call.terminal.style, call.terminal.columns));
}

void print_ledger(const Call& call, const query::Balance& balance) {
  Listing ledger({{"", "ledger"},
                  {"", "accepted", true},
                  {"", "kept later", true},
                  {"", "stored", true},
                  {"", "dropped", true},
                  {"", "in rings", true},
                  {"", "balance"},
                  {"", "why dropped", false, true}});
  for (const auto& [name, signal] : query::signals_of(balance)) {
    std::string reasons;
    for (const auto& [reason, n] : signal->counts.dropped)
      reasons += (reasons.empty() ? "" : ", ") + reason + " " + query::format_count(n);
    const bool exact = signal->error() == 0;
    const Style& style = call.terminal.style;
    ledger.add({text_cell(name), count_cell(signal->counts.accepted), count_cell(signal->counts.retro_kept),
                count_cell(signal->counts.stored), count_cell(signal->counts.dropped_total()),
                count_cell(signal->in_ring),
                text_cell(exact ? std::string(style.sign("● exact", "exact"))
                                : std::string(style.sign("■ off by ", "OFF BY ")) + std::to_string(signal->error()),
                          exact ? Colour::blue : Colour::red),
                text_cell(reasons)});
  }
  call.terminal.print(ledger.table(call.terminal.style, call.terminal.columns));
}

void print_stores(const Call& call, const query::Status& status, const config::Config& config) {
  Listing stores({{"", "store"}, {"", "size", true}, {"", "of", true}, {"", "from"}, {"", "path", false, true}});
  for (const query::StoreStatus& store : status.stores) {
    stores.add(
        {text_cell(store.name), json_cell("0", query::format_bytes(store.bytes)),
         json_cell("0", query::format_bytes(query::store_cap_bytes(config, store.name))),
         text_cell(store.oldest_unix_ns == 0 ? "empty" : query::format_local(store.oldest_unix_ns).substr(0, 19)),
         text_cell(store.path)});
  }
  call.terminal.print(stores.table(call.terminal.style, call.terminal.columns));
}

void print_exports(const Call& call, const std::vector<query::ExportStatus>& exports) {
  Listing rows({{"", "export"},
                {"", "to", false, true},
                {"", "sent", true},
                {"", "lost", true},
                {"", "waits"},
                {"", "state"},
                {"", "said", false, true}});
  const Style& style = call.terminal.style;
  for (const query::ExportStatus& its : exports) {
    const std::int64_t since = its.state.failing_since_unix_ns;
    rows.add({text_cell(its.signal), text_cell(its.endpoint), count_cell(its.state.totals.sent),
              count_cell(its.state.totals.lost()), text_cell(its.backlog_text()),
              text_cell(since == 0 ? style.sign("● sends", "sends")
                                   : std::string(style.sign("▲ fails since ", "! fails since ")) +
                                         query::format_local(since).substr(0, 19),
                        since == 0 ? Colour::blue : Colour::yellow),
              text_cell(its.state.said)});
  }
  call.terminal.print(rows.table(style, call.terminal.columns));
}

int run(Call& call) {
  const auto home = call.home();
  if (!home.ok()) return report(call.terminal, home.problem());
  if (!query::file_exists(home.value())) {
    return report(call.terminal, {query::ProblemKind::environment, "there is no home yet",
                                  home.value() + " is not there", "honeytel demo makes one and fills it"});
  }
  const auto status = query::read_status(home.value());
  if (!status.ok()) return report(call.terminal, status.problem());
  const config::Config config = config::load_config(home.value(), config::default_config()).config;
  if (call.format() == Format::json || call.format() == Format::jsonl) {
    call.terminal.print(query::status_json(status.value()) + "\n");
    return kOk;
  }
  if (call.format() == Format::csv) {
    Listing rows({{"signal", ""},
                  {"accepted", ""},
                  {"retro_kept", ""},
                  {"stored", ""},
                  {"dropped", ""},
                  {"in_ring", ""},
                  {"error", ""}});
    for (const auto& [name, b] : query::signals_of(status.value().balance)) {
      rows.add({text_cell(name), count_cell(b->counts.accepted), count_cell(b->counts.retro_kept),
                count_cell(b->counts.stored), count_cell(b->counts.dropped_total()), count_cell(b->in_ring),
                nano_cell(b->error())});
    }
    call.terminal.print(rows.csv());
    return kOk;
  }
  call.terminal.print("  " + call.terminal.style.paint(Colour::bold, terminal_safe(home.value())) + "   " +
                      engine_line(status.value().engine, call.terminal.style) + "\n\n");
  print_rings(call, status.value());
  call.terminal.print("\n");
  print_ledger(call, status.value().balance);
  call.terminal.print("\n");
  print_stores(call, status.value(), config);
  call.terminal.print("\n  service levels: " + slis_line(slis_of(home.value()), call.terminal.style) + "\n");
  std::string before = "  consent: ";
  for (const std::string& line : query::consent_lines(consent::list_receipts(home.value(), system_clock()))) {
    call.terminal.print(before + line + "\n");
    before = "           ";
  }
  if (!status.value().exports.empty()) call.terminal.print("\n"), print_exports(call, status.value().exports);
  return kOk;
}

}  // namespace

extern const Command kStatus{
    .name = "status",
    .summary = "Who records, what is stored, whether anything was lost",
    .usage = "",
    .about = "The ledger accounts for every record: accepted + kept later = stored + dropped + in rings.",
    .example = "honeytel status\nhoneytel status --json | jq .ledger",
    .options = {},
    .reads = true,
    .run = run};

}  // namespace honeylink::telemetry::cli
