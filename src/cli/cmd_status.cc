// honeytel status: who leads, what records here, what is stored, and whether the books balance. One screen.
#include <array>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/listing.h"
#include "config/config.h"
#include "query/database.h"
#include "query/json.h"
#include "query/status.h"
#include "query/time_text.h"

namespace honeylink::telemetry::cli {
namespace {

struct NamedBalance {
  const char* name;
  const query::SignalBalance* balance;
};

std::array<NamedBalance, 3> signals_of(const query::Balance& balance) {
  return {{{"metrics", &balance.metrics}, {"spans", &balance.spans}, {"logs", &balance.logs}}};
}

std::uint64_t cap_of(const config::Config& config, const std::string& store) {
  const std::int64_t mb = store == "metrics"  ? config.store.metrics_mb
                          : store == "traces" ? config.store.traces_mb
                                              : config.store.logs_mb;
  return static_cast<std::uint64_t>(mb) * 1'000'000;
}

void put_stores(query::JsonWriter& json, const query::Status& status, const config::Config& config) {
  json.key("stores").begin_object();
  for (const query::StoreStatus& store : status.stores) {
    json.key(store.name)
        .begin_object()
        .key("path")
        .text(store.path)
        .key("bytes")
        .count(store.bytes)
        .key("cap_bytes")
        .count(cap_of(config, store.name));
    const auto time = [&](const char* key, std::int64_t ns) {
      json.key(key);
      if (ns == 0) json.null();
      else json.text(query::format_utc(ns));
    };
    time("oldest", store.oldest_unix_ns);
    time("newest", store.newest_unix_ns);
    json.end_object();
  }
  json.end_object();
}

std::string to_json(const query::Status& status, const config::Config& config) {
  query::JsonWriter json;
  json.begin_object().key("schema").integer(1).key("home").text(status.home);
  json.key("engine").begin_object().key("pid");
  if (status.engine.pid == 0) json.null();
  else json.count(status.engine.pid);
  json.key("mode").text(status.engine.mode).key("started");
  if (status.engine.started_unix_ns == 0) json.null();
  else json.text(query::format_utc(status.engine.started_unix_ns));
  json.end_object().key("rings").begin_array();
  for (const query::RingStatus& ring : status.rings) {
    json.begin_object()
        .key("pid")
        .count(ring.pid)
        .key("service")
        .text(ring.service)
        .key("module")
        .text(ring.module)
        .key("alive")
        .boolean(ring.alive);
    json.key("clean").boolean(ring.clean).key("bytes").count(ring.bytes).key("path").text(ring.path);
    json.key("counters").begin_object();
    for (const auto& [name, n] : ring.counters) json.key(name).count(n);
    json.end_object();
    if (!ring.why.empty()) json.key("problem").text(ring.why);
    json.end_object();
  }
  json.end_array().key("ledger").begin_object();
  for (const auto& [name, balance] : signals_of(status.balance)) {
    json.key(name)
        .begin_object()
        .key("accepted")
        .count(balance->counts.accepted)
        .key("retro_kept")
        .count(balance->counts.retro_kept);
    json.key("stored").count(balance->counts.stored).key("dropped").begin_object();
    for (const auto& [reason, n] : balance->counts.dropped) json.key(reason).count(n);
    json.end_object().key("in_ring").count(balance->in_ring).key("error").integer(balance->error()).end_object();
  }
  json.end_object();
  put_stores(json, status, config);
  json.key("consent").begin_array().end_array().end_object();
  return json.str();
}

std::string engine_line(const query::EngineStatus& engine, const Style& style) {
  if (engine.mode == "none") {
    return style.paint(Colour::yellow, std::string(style.sign("▲", "!")) + " no engine") +
           ": records wait in their rings; start one: honeytel agent";
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
  for (const auto& [name, signal] : signals_of(balance)) {
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
         json_cell("0", query::format_bytes(cap_of(config, store.name))),
         text_cell(store.oldest_unix_ns == 0 ? "empty" : query::format_local(store.oldest_unix_ns).substr(0, 19)),
         text_cell(store.path)});
  }
  call.terminal.print(stores.table(call.terminal.style, call.terminal.columns));
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
    call.terminal.print(to_json(status.value(), config) + "\n");
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
    for (const auto& [name, b] : signals_of(status.value().balance)) {
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
  call.terminal.print("\n  consent: nothing may leave this device\n");
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
