// See status_json.h.
#include "query/status_json.h"

#include "base/clock.h"
#include "query/consents.h"
#include "query/json.h"
#include "query/sli_reader.h"
#include "query/time_text.h"

namespace honeylink::telemetry::query {
namespace {

void put_stores(JsonWriter& json, const Status& status, const config::Config& config) {
  json.key("stores").begin_object();
  for (const StoreStatus& store : status.stores) {
    json.key(store.name)
        .begin_object()
        .key("path")
        .text(store.path)
        .key("bytes")
        .count(store.bytes)
        .key("cap_bytes")
        .count(store_cap_bytes(config, store.name));
    const auto time = [&](const char* key, std::int64_t ns) {
      json.key(key);
      if (ns == 0) json.null();
      else json.text(format_utc(ns));
    };
    time("oldest", store.oldest_unix_ns);
    time("newest", store.newest_unix_ns);
    json.end_object();
  }
  json.end_object();
}

void put_levels(JsonWriter& json, const std::string& home) {
  json.key("slis").begin_array();
  if (auto reader = SliReader::open(home, system_clock().realtime_ns()); reader.ok()) {
    const auto slis = reader.value()->slis(false);
    if (slis.ok())
      for (const SliView& sli : slis.value())
        json.begin_object().key("sli_name").text(sli.definition.name).key("state").text(sli.state()).end_object();
  }
  json.end_array();
}

}  // namespace

std::array<NamedBalance, 3> signals_of(const Balance& balance) {
  return {{{"metrics", &balance.metrics}, {"spans", &balance.spans}, {"logs", &balance.logs}}};
}

std::uint64_t store_cap_bytes(const config::Config& config, std::string_view store) {
  const std::int64_t mb = store == "metrics"  ? config.store.metrics_mb
                          : store == "traces" ? config.store.traces_mb
                                              : config.store.logs_mb;
  return static_cast<std::uint64_t>(mb) * 1'000'000;
}

std::string status_json(const Status& status) {
  const config::Config config = config::load_config(status.home, config::default_config()).config;
  JsonWriter json;
  json.begin_object().key("schema").integer(1).key("home").text(status.home);
  json.key("engine").begin_object().key("pid");
  if (status.engine.pid == 0) json.null();
  else json.count(status.engine.pid);
  json.key("mode").text(status.engine.mode).key("started");
  if (status.engine.started_unix_ns == 0) json.null();
  else json.text(format_utc(status.engine.started_unix_ns));
  json.end_object().key("rings").begin_array();
  for (const RingStatus& ring : status.rings) {
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
  put_levels(json, status.home);
  json.key("consent").raw(consents_json(consent::list_receipts(status.home, system_clock())));
  json.key("exports").raw(exports_json(status.exports)).end_object();
  return json.str();
}

}  // namespace honeylink::telemetry::query
