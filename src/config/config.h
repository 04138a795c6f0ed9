// config.toml as values: every key of docs/formats/config.md with its default, and what is wrong with a file, by line.
//
// Read by the engine (lenient: warns, counts, keeps the last good value, so that two versions can share a home) and by
// commands that change things (strict: any problem is a refusal, exit 2). Recorders parse no TOML: the engine hands
// them run/recorder.opts. Plain values; every function may be called from any thread.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace honeylink::telemetry::config {

struct TelemetryConfig {
  std::string environment = "production";
  std::string sampler = "parentbased_traceidratio";  // OTEL_TRACES_SAMPLER's names
  double sampler_arg = 0.1;
  bool retroactive = true;
  std::int64_t ring_mb = 10;  // of 2^20 bytes
};

struct StoreConfig {  // of 10^6 bytes
  std::int64_t metrics_mb = 500, traces_mb = 500, logs_mb = 50, rings_mb = 64;
};

/// A service level indicator: a quantile of a histogram, or a ratio of two counters. Thresholds are in the metric's own
/// unit.
struct SliConfig {
  std::string name, module, unit = "1";
  double quantile = 0.95;
  std::string of;                  // histogram; empty where it is a ratio
  std::vector<std::string> ratio;  // numerator, denominator
  double yellow = 0, orange = 0, red = 0, objective = 0;
  std::int64_t evaluation_window_s = 300;
  std::int64_t consecutive_breaches_required = 3;
  std::int64_t min_samples = 0;  // 0: 20 observations, or 100 denominators
  bool burn_alerts = false;
};

struct AlertConfig {
  bool toast = true;
  std::string alertmanager;  // a URL; nothing is sent without consent
};

struct ExportConfig {
  std::int64_t metrics_interval_ms = 50;
  std::int64_t batch_kb = 3500;
  std::string compression = "auto";  // gzip to receivers elsewhere, none on this device
};

struct ViewConfig {
  std::int64_t port = 0;  // 0: a free one
};

struct ScrubConfig {
  std::vector<std::string> ids{"device_id", "user_id", "peer_id"};
  std::vector<std::string> refuse{"payload", "body", "password", "token"};
};

struct Config {
  TelemetryConfig telemetry;
  StoreConfig store;
  std::vector<SliConfig> slis;  // the built-in ones first; a section of the same name changes one
  AlertConfig alert;
  ExportConfig export_;
  ViewConfig view;
  ScrubConfig scrub;
};

/// Defaults, with the built-in service levels of HoneyLink's five modules.
[[nodiscard]] Config default_config();

struct Problem {
  std::string file;
  std::uint32_t line = 0, column = 0;      // 0: the file as a whole
  std::string key;                         // "store.metrics_mb"
  std::string what;                        // "unknown key", "must be a whole number, is a string", …
  std::string suggestion;                  // "did you mean store.metrics_mb?", or empty
  [[nodiscard]] std::string text() const;  // file:line:column: key: what; suggestion
};

struct Loaded {
  Config config;
  std::vector<Problem> problems;
  [[nodiscard]] bool sound() const noexcept { return problems.empty(); }
};

/// What stands in `text`; a key that is absent has its default, one that is wrong keeps its value in `last_good`. Never
/// throws.
[[nodiscard]] Loaded parse_config(std::string_view text, const std::string& file, const Config& last_good);
/// The same for <home>/config.toml. A missing file is sound; an unreadable one is a problem, and `last_good` is the
/// answer.
[[nodiscard]] Loaded load_config(const std::string& home, const Config& last_good);
[[nodiscard]] std::string config_path(const std::string& home);

/// For `config show`: every key in the file's order with its value as TOML.
struct KeyValue {
  std::string section, key, value, says;
  bool is_default = true;
};
[[nodiscard]] std::vector<KeyValue> list_keys(const Config&);

/// "5m", "90s", "1h", "2d" or "250ms" (rounded up to seconds); nothing else.
[[nodiscard]] std::optional<std::int64_t> parse_duration_s(std::string_view text) noexcept;

}  // namespace honeylink::telemetry::config
