// See keys.h. Defaults stand in config.h's member initialisers; the built-in service levels (DESIGN 9) stand here.
#include "config/keys.h"

#include <array>
#include <charconv>

namespace honeylink::telemetry::config {
namespace {

constexpr std::string_view kSamplers =
    "always_on always_off traceidratio parentbased_always_on parentbased_always_off parentbased_traceidratio";

// NOLINTBEGIN(*designated*)
constexpr std::array kPlain{
    KeyRow<Config>{.section = "telemetry",
                   .key = "environment",
                   .place = +[](Config& c) -> Place { return &c.telemetry.environment; },
                   .says = "\"development\" keeps every trace; HONEYLINK_ENVIRONMENT and OTEL_RESOURCE_ATTRIBUTES win"},
    KeyRow<Config>{.section = "telemetry",
                   .key = "sampler",
                   .place = +[](Config& c) -> Place { return &c.telemetry.sampler; },
                   .one_of = kSamplers,
                   .says = "which traces are kept"},
    KeyRow<Config>{.section = "telemetry",
                   .key = "sampler_arg",
                   .place = +[](Config& c) -> Place { return &c.telemetry.sampler_arg; },
                   .least = 0,
                   .most = 1,
                   .says = "share of traces that traceidratio keeps"},
    KeyRow<Config>{.section = "telemetry",
                   .key = "retroactive",
                   .place = +[](Config& c) -> Place { return &c.telemetry.retroactive; },
                   .says = "record what the sampler leaves out too, so that an error can fetch it"},
    KeyRow<Config>{.section = "telemetry",
                   .key = "ring_mb",
                   .place = +[](Config& c) -> Place { return &c.telemetry.ring_mb; },
                   .least = 1,
                   .most = 1024,
                   .says = "ring file of a process, in 2^20 bytes"},
    KeyRow<Config>{.section = "store",
                   .key = "metrics_mb",
                   .place = +[](Config& c) -> Place { return &c.store.metrics_mb; },
                   .least = 5,
                   .most = 1e6,
                   .says = "cap of metrics.db with its -wal and -shm, in 10^6 bytes"},
    KeyRow<Config>{.section = "store",
                   .key = "traces_mb",
                   .place = +[](Config& c) -> Place { return &c.store.traces_mb; },
                   .least = 5,
                   .most = 1e6,
                   .says = "cap of traces.db with its -wal and -shm"},
    KeyRow<Config>{.section = "store",
                   .key = "logs_mb",
                   .place = +[](Config& c) -> Place { return &c.store.logs_mb; },
                   .least = 1,
                   .most = 1e6,
                   .says = "cap of all log files"},
    KeyRow<Config>{.section = "store",
                   .key = "rings_mb",
                   .place = +[](Config& c) -> Place { return &c.store.rings_mb; },
                   .least = 1,
                   .most = 1e5,
                   .says = "cap of all rings of this home"},
    KeyRow<Config>{.section = "alert",
                   .key = "toast",
                   .place = +[](Config& c) -> Place { return &c.alert.toast; },
                   .says = "desktop notifications"},
    KeyRow<Config>{.section = "alert",
                   .key = "alertmanager",
                   .place = +[](Config& c) -> Place { return &c.alert.alertmanager; },
                   .says = "a URL; nothing is sent without consent"},
    KeyRow<Config>{.section = "export",
                   .key = "metrics_interval_ms",
                   .place = +[](Config& c) -> Place { return &c.export_.metrics_interval_ms; },
                   .least = 10,
                   .most = 3.6e6,
                   .says = "shortest time between two exported points of a series"},
    KeyRow<Config>{.section = "export",
                   .key = "batch_kb",
                   .place = +[](Config& c) -> Place { return &c.export_.batch_kb; },
                   .least = 16,
                   .most = 3900,
                   .says = "largest request; a Collector refuses 4 MiB"},
    KeyRow<Config>{.section = "export",
                   .key = "compression",
                   .place = +[](Config& c) -> Place { return &c.export_.compression; },
                   .one_of = "auto none gzip",
                   .says = "of requests; auto: gzip to receivers elsewhere, none on this device"},
    KeyRow<Config>{.section = "view",
                   .key = "port",
                   .place = +[](Config& c) -> Place { return &c.view.port; },
                   .least = 0,
                   .most = 65535,
                   .says = "0: a free one, printed"},
    KeyRow<Config>{.section = "scrub",
                   .key = "ids",
                   .place = +[](Config& c) -> Place { return &c.scrub.ids; },
                   .says = "keys whose values are hashed; device_id, user_id and peer_id always are"},
    KeyRow<Config>{.section = "scrub",
                   .key = "refuse",
                   .place = +[](Config& c) -> Place { return &c.scrub.refuse; },
                   .says = "keys that are never stored; the built-in ones never are"},
};
constexpr std::array kSli{
    KeyRow<SliConfig>{.section = "sli", .key = "module", .place = +[](SliConfig& s) -> Place { return &s.module; }},
    KeyRow<SliConfig>{.section = "sli",
                      .key = "quantile",
                      .place = +[](SliConfig& s) -> Place { return &s.quantile; },
                      .least = 0,
                      .most = 1},
    KeyRow<SliConfig>{
        .section = "sli", .key = "of", .place = +[](SliConfig& s) -> Place { return &s.of; }, .says = "a histogram"},
    KeyRow<SliConfig>{.section = "sli",
                      .key = "ratio",
                      .place = +[](SliConfig& s) -> Place { return &s.ratio; },
                      .says = "two counters: numerator, denominator"},
    KeyRow<SliConfig>{.section = "sli", .key = "unit", .place = +[](SliConfig& s) -> Place { return &s.unit; }},
    KeyRow<SliConfig>{
        .section = "sli", .key = "yellow", .place = +[](SliConfig& s) -> Place { return &s.yellow; }, .least = 0},
    KeyRow<SliConfig>{
        .section = "sli", .key = "orange", .place = +[](SliConfig& s) -> Place { return &s.orange; }, .least = 0},
    KeyRow<SliConfig>{
        .section = "sli", .key = "red", .place = +[](SliConfig& s) -> Place { return &s.red; }, .least = 0},
    KeyRow<SliConfig>{
        .section = "sli", .key = "objective", .place = +[](SliConfig& s) -> Place { return &s.objective; }, .least = 0},
    KeyRow<SliConfig>{.section = "sli",
                      .key = "evaluation_window",
                      .place = +[](SliConfig& s) -> Place { return Seconds{&s.evaluation_window_s}; },
                      .least = 10,
                      .most = 86400},
    KeyRow<SliConfig>{.section = "sli",
                      .key = "consecutive_breaches_required",
                      .place = +[](SliConfig& s) -> Place { return &s.consecutive_breaches_required; },
                      .least = 1,
                      .most = 1000},
    KeyRow<SliConfig>{.section = "sli",
                      .key = "min_samples",
                      .place = +[](SliConfig& s) -> Place { return &s.min_samples; },
                      .least = 0,
                      .most = 1e9},
    KeyRow<SliConfig>{
        .section = "sli", .key = "burn_alerts", .place = +[](SliConfig& s) -> Place { return &s.burn_alerts; }},
};
// NOLINTEND(*designated*)
constexpr std::array<std::string_view, 7> kSections{"telemetry", "store", "sli", "alert", "export", "view", "scrub"};

SliConfig quantile_sli(const char* name, const char* module, const char* of, double yellow, double orange, double red,
                       double objective) {
  SliConfig sli;
  sli.name = name, sli.module = module, sli.of = of, sli.unit = "s";
  sli.yellow = yellow, sli.orange = orange, sli.red = red, sli.objective = objective;
  return sli;
}
SliConfig ratio_sli(const char* name, const char* module, const char* bad, const char* all, double yellow,
                    double orange, double red) {
  SliConfig sli;
  sli.name = name, sli.module = module, sli.ratio = {bad, all};
  sli.yellow = yellow, sli.orange = orange, sli.red = red, sli.objective = 0.01;
  return sli;
}

std::string number(double value) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  return {text, end};
}
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      constexpr char kHex[] = "0123456789abcdef";
      out += "\\u00", out += kHex[(c >> 4) & 15], out += kHex[c & 15];
    } else {
      out += c;
    }
  }
  return out + '"';
}

struct Writer {
  std::string operator()(const bool* v) const { return *v ? "true" : "false"; }
  std::string operator()(const std::int64_t* v) const { return std::to_string(*v); }
  std::string operator()(const double* v) const { return number(*v); }
  std::string operator()(const std::string* v) const { return quoted(*v); }
  std::string operator()(const Seconds& v) const {
    return *v.value % 60 == 0 ? quoted(std::to_string(*v.value / 60) + "m") : quoted(std::to_string(*v.value) + "s");
  }
  std::string operator()(const std::vector<std::string>* v) const {
    std::string out = "[";
    for (const auto& text : *v) out += (out.size() > 1 ? ", " : "") + quoted(text);
    return out + "]";
  }
};

}  // namespace

std::span<const KeyRow<Config>> plain_keys() noexcept { return kPlain; }
std::span<const KeyRow<SliConfig>> sli_keys() noexcept { return kSli; }
std::span<const std::string_view> section_names() noexcept { return kSections; }
std::string to_toml(const Place& place) { return std::visit(Writer{}, place); }

Config default_config() {
  Config config;
  config.slis = {
      quantile_sli("session_establishment_latency_p95", "session-orchestrator",
                   "session_establishment_duration_seconds", 0.4, 0.5, 0.8, 0.5),
      quantile_sli("policy_update_latency_p95", "policy-engine", "policy_update_duration_seconds", 0.25, 0.3, 0.5, 0.3),
      quantile_sli("encryption_latency_p95", "crypto", "encryption_duration_seconds", 0.015, 0.02, 0.05, 0.02),
      ratio_sli("packet_loss_rate", "transport", "packets_lost_total", "packets_sent_total", 0.05, 0.1, 0.2),
      ratio_sli("qos_packet_drop_rate", "qos-scheduler", "qos_packets_dropped_total", "qos_packets_total", 0.005, 0.01,
                0.05),
  };
  return config;
}

std::vector<KeyValue> list_keys(const Config& config) {
  Config now = config, defaults = default_config();
  std::vector<KeyValue> list;
  for (const auto& row : kPlain) {
    const std::string value = to_toml(row.place(now));
    list.push_back({std::string(row.section), std::string(row.key), value, std::string(row.says),
                    value == to_toml(row.place(defaults))});
  }
  for (auto& sli : now.slis) {
    SliConfig usual;
    for (const auto& known : defaults.slis)
      if (known.name == sli.name) usual = known;
    for (const auto& row : kSli) {
      const std::string value = to_toml(row.place(sli));
      list.push_back(
          {"sli." + sli.name, std::string(row.key), value, std::string(row.says), value == to_toml(row.place(usual))});
    }
  }
  return list;
}

}  // namespace honeylink::telemetry::config
