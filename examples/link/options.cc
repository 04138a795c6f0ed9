// Scenarios and options of link.h: names, ranges, the command line.
#include <array>
#include <charconv>
#include <cmath>

#include "link.h"

namespace honeylink::link {
namespace {

constexpr std::array<std::string_view, 4> kScenarios{"healthy", "lossy", "slow", "outage"};

// strtod would take "0x1p3", "nan" and a locale's comma.
std::optional<double> number(std::string_view text, double low, double high) noexcept {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !(value >= low && value <= high)) return std::nullopt;
  return value;
}

std::optional<double> seconds(std::string_view text) noexcept {
  double unit = 1;
  if (text.ends_with("ms")) unit = 1e-3, text.remove_suffix(2);
  else if (text.ends_with('s')) text.remove_suffix(1);
  else if (text.ends_with('m')) unit = 60, text.remove_suffix(1);
  else if (text.ends_with('h')) unit = 3600, text.remove_suffix(1);
  const std::optional<double> value = number(text, 0, 1e9);
  if (!value || *value * unit < 0.1 || *value * unit > 86'400) return std::nullopt;
  return *value * unit;
}

template <class T>
bool set(T& field, std::optional<double> value) noexcept {
  if (!value) return false;
  if constexpr (std::is_integral_v<T>) {
    if (*value != std::floor(*value)) return false;
    field = static_cast<T>(*value);
  } else {
    field = *value;
  }
  return true;
}

struct Flag {
  std::string_view name, may_be;
  bool (*read)(LinkOptions&, std::string_view);
};
constexpr Flag kFlags[] = {
    {"--scenario", "healthy, lossy, slow or outage",
     [](LinkOptions& o, std::string_view v) {
       const auto scenario = scenario_from(v);
       if (scenario) o.scenario = *scenario;
       return scenario.has_value();
     }},
    {"--duration", "0.1s to 24h, for example 60s or 2m",
     [](LinkOptions& o, std::string_view v) { return set(o.duration_s, seconds(v)); }},
    {"--loss", "a share, 0 to 1", [](LinkOptions& o, std::string_view v) { return set(o.loss, number(v, 0, 1)); }},
    {"--delay-ms", "0 to 5000",
     [](LinkOptions& o, std::string_view v) { return set(o.delay_ms, number(v, 0, 5'000)); }},
    {"--jitter-ms", "0 to 5000",
     [](LinkOptions& o, std::string_view v) { return set(o.jitter_ms, number(v, 0, 5'000)); }},
    {"--policy-delay-ms", "0 to 5000",
     [](LinkOptions& o, std::string_view v) { return set(o.policy_delay_ms, number(v, 0, 5'000)); }},
    {"--sessions", "1 to 32", [](LinkOptions& o, std::string_view v) { return set(o.sessions, number(v, 1, 32)); }},
    {"--packets-per-s", "1 to 2000, of each session",
     [](LinkOptions& o, std::string_view v) { return set(o.packets_per_s, number(v, 1, 2'000)); }},
    {"--bandwidth", "1000 to 1e9 bytes per second, of each session",
     [](LinkOptions& o, std::string_view v) { return set(o.bandwidth_bytes_per_s, number(v, 1'000, 1e9)); }},
    {"--seed", "0 to 4294967295",
     [](LinkOptions& o, std::string_view v) { return set(o.seed, number(v, 0, 4'294'967'295.0)); }},
    {"--home", "a directory",
     [](LinkOptions& o, std::string_view v) {
       o.home = v;
       return !v.empty();
     }},
    {"--environment", "a name, such as development",
     [](LinkOptions& o, std::string_view v) {
       o.environment = v;
       return !v.empty();
     }},
};

std::string text(double value) {
  std::array<char, 32> out{};
  return {out.data(), std::to_chars(out.data(), out.data() + out.size(), value).ptr};
}

}  // namespace

std::string_view name(Scenario scenario) noexcept { return kScenarios[static_cast<std::size_t>(scenario)]; }
std::optional<Scenario> scenario_from(std::string_view text) noexcept {
  for (std::size_t i = 0; i < kScenarios.size(); ++i) {
    if (kScenarios[i] == text) return static_cast<Scenario>(i);
  }
  return std::nullopt;
}

Conditions conditions_at(const LinkOptions& options, double fraction) noexcept {
  Conditions now{0.002, 1, 4, 0};
  if (options.scenario == Scenario::lossy) now = {fraction < 0.5 ? 0.07 : 0.15, 4, 6, 5};
  if (options.scenario == Scenario::slow) now = {0.002, 70, 20, 340};
  now.loss = options.loss.value_or(now.loss);
  now.delay_ms = options.delay_ms.value_or(now.delay_ms);
  now.jitter_ms = options.jitter_ms.value_or(now.jitter_ms);
  now.policy_delay_ms = options.policy_delay_ms.value_or(now.policy_delay_ms);
  if (options.scenario == Scenario::outage && fraction >= 0.4 && fraction < 0.7) now.loss = 1;
  return now;
}

bool parse_options(const std::vector<std::string>& arguments, LinkOptions& options, std::string& error) {
  for (std::size_t i = 0; i < arguments.size(); i += 2) {
    const Flag* flag = nullptr;
    for (const Flag& known : kFlags) {
      if (known.name == arguments[i]) flag = &known;
    }
    if (flag == nullptr) {
      error = "unknown option " + arguments[i];
      return false;
    }
    if (i + 1 >= arguments.size() || !flag->read(options, arguments[i + 1])) {
      error = std::string(flag->name) + " must be " + std::string(flag->may_be);
      return false;
    }
  }
  return true;
}

std::vector<std::string> to_arguments(const LinkOptions& options) {
  std::vector<std::string> out{"--scenario", std::string(name(options.scenario)), "--duration",
                               text(options.duration_s) + "s"};
  const auto add = [&out](std::string_view flag, std::string value) {
    out.insert(out.end(), {std::string(flag), std::move(value)});
  };
  if (options.loss) add("--loss", text(*options.loss));
  if (options.delay_ms) add("--delay-ms", text(*options.delay_ms));
  if (options.jitter_ms) add("--jitter-ms", text(*options.jitter_ms));
  if (options.policy_delay_ms) add("--policy-delay-ms", text(*options.policy_delay_ms));
  add("--sessions", std::to_string(options.sessions));
  add("--packets-per-s", text(options.packets_per_s));
  add("--bandwidth", text(options.bandwidth_bytes_per_s));
  add("--seed", std::to_string(options.seed));
  if (!options.home.empty()) add("--home", options.home);
  if (!options.environment.empty()) add("--environment", options.environment);
  return out;
}

std::string_view options_help() noexcept {
  return "  --scenario healthy|lossy|slow|outage   what the network does (healthy)\n"
         "  --duration 60s                         how long\n"
         "  --loss 0.07 --delay-ms 20 --jitter-ms 5 --policy-delay-ms 300   instead of the scenario's\n"
         "  --sessions 6 --packets-per-s 120       load; packets of each session\n"
         "  --bandwidth 200000                     bytes per second that the QoS scheduler lets through, of each "
         "session\n"
         "  --home DIR --environment development   where telemetry goes, and its resource\n"
         "  --seed 1                               of losses, delays and traffic\n";
}

}  // namespace honeylink::link
