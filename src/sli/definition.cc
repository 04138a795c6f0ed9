// See definition.h.
#include "sli/definition.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/limits.h"

namespace honeylink::telemetry::sli {
namespace {

constexpr std::uint64_t kObservationsMin = 20, kDenominatorsMin = 100;  // DESIGN 9
constexpr std::int64_t kTickS = kTickNs / 1'000'000'000;
constexpr std::size_t kNameBytesMax = 128;

class Flaws {
 public:
  explicit Flaws(const Definition& of) : prefix_("sli." + of.name) {}
  void add(std::string_view key, std::string what, std::string suggestion, std::string unknown = {}) {
    list_.push_back({prefix_ + (key.empty() ? "" : "." + std::string(key)), std::move(what), std::move(suggestion),
                     std::move(unknown)});
  }
  [[nodiscard]] std::vector<Flaw> take() { return std::move(list_); }

 private:
  std::string prefix_;
  std::vector<Flaw> list_;
};

void judge_source(const Definition& d, Flaws& flaws) {
  if (d.of.empty() && d.ratio.empty())
    return flaws.add("of", "it names neither a histogram nor two counters",
                     "of = \"a histogram\" with quantile = 0.95, or ratio = [\"bad_total\", \"all_total\"]");
  if (!d.of.empty() && !d.ratio.empty())
    return flaws.add("ratio", "it names a histogram and two counters; it can be judged by one of them only",
                     "keep 'of', or 'ratio'");
  if (!d.of.empty()) {
    if (!(d.quantile > 0 && d.quantile < 1))
      flaws.add("quantile", "quantile (" + shortest_number(d.quantile) + ") must lie between 0 and 1, both excluded",
                "quantile = 0.95 is what 95 % of the observations stay below");
    return;
  }
  if (d.ratio.size() != 2)
    return flaws.add("ratio", "a ratio is of exactly two counters, here are " + std::to_string(d.ratio.size()),
                     "ratio = [\"bad_total\", \"all_total\"]");
  if (d.ratio[0].empty() || d.ratio[1].empty())
    return flaws.add("ratio", "one of its two counters has no name", "ratio = [\"bad_total\", \"all_total\"]");
  if (d.ratio[0] == d.ratio[1]) flaws.add("ratio", "both counters are " + d.ratio[0] + ": their ratio is always 1", "");
}

void judge_thresholds(const Definition& d, Flaws& flaws) {
  if (!(d.red > 0))
    return flaws.add("red", "red is missing or 0: anything would be Red", "give yellow, orange and red, in that order");
  std::array<double, 3> sorted{d.yellow, d.orange, d.red};
  std::sort(sorted.begin(), sorted.end());
  const std::string ordered = "order them: yellow = " + shortest_number(sorted[0]) +
                              ", orange = " + shortest_number(sorted[1]) + ", red = " + shortest_number(sorted[2]);
  const auto below = [&](const char* high, double h, const char* low, double l) {
    flaws.add(high,
              std::string(high) + " (" + shortest_number(h) + ") is below " + low + " (" + shortest_number(l) + ")",
              ordered);
  };
  if (d.orange < d.yellow) below("orange", d.orange, "yellow", d.yellow);
  if (d.red < d.orange) below("red", d.red, "orange", d.orange);
}

void judge_rule(const Definition& d, Flaws& flaws) {
  if (d.is_ratio() && d.ratio.size() == 2 && d.objective >= 1)
    flaws.add("objective", "objective (" + shortest_number(d.objective) + ") of a ratio is a share below 1",
              "objective = 0.01 allows one in a hundred");
  if (d.consecutive_breaches_required < 1) flaws.add("consecutive_breaches_required", "it must be at least 1", "");
  else if (const std::int64_t needed = d.consecutive_breaches_required * kTickS; d.evaluation_window_s < needed)
    flaws.add("evaluation_window",
              std::to_string(d.evaluation_window_s) + " s hold " + std::to_string(d.evaluation_window_s / kTickS) +
                  " evaluations, and consecutive_breaches_required is " +
                  std::to_string(d.consecutive_breaches_required) + ": no level could be reached",
              "evaluation_window = \"" + std::to_string(needed) + "s\" at the least");
}

bool fits(const Definition& d, MetricType kind) noexcept {
  return d.is_ratio() ? kind == MetricType::counter || kind == MetricType::counter_real : kind == MetricType::histogram;
}

}  // namespace

std::uint64_t Definition::samples_min() const noexcept {
  if (min_samples > 0) return static_cast<std::uint64_t>(min_samples);
  return is_ratio() ? kDenominatorsMin : kObservationsMin;
}

double Definition::allowed_share() const noexcept {
  if (!(objective > 0)) return 0;
  return is_ratio() ? objective : 1 - quantile;
}

double Definition::threshold(Level level) const noexcept {
  return level == Level::red ? red : level == Level::orange ? orange : yellow;
}

std::vector<Flaw> flaws_of(const Definition& d) {
  Flaws flaws(d);
  if (d.name.empty() || d.name.size() > kNameBytesMax)
    flaws.add("", "its name has " + std::to_string(d.name.size()) + " bytes; 1 to 128 are possible", "");
  judge_source(d, flaws);
  judge_thresholds(d, flaws);
  judge_rule(d, flaws);
  return flaws.take();
}

std::vector<Flaw> flaws_among(const Definition& d, std::span<const KnownMetric> known) {
  Flaws flaws(d);
  if (known.empty()) return {};
  const auto look = [&](const std::string& metric, const char* key) {
    const KnownMetric* other = nullptr;
    for (const KnownMetric& m : known) {
      if (m.name != metric) continue;
      if (!fits(d, m.kind)) {
        if (other == nullptr) other = &m;
      } else if (d.is_ratio() || d.unit == "1" || m.unit == d.unit) {
        return;
      } else {
        other = &m;
      }
    }
    if (other == nullptr) return flaws.add(key, "no program has recorded '" + metric + "'", "", metric);
    if (fits(d, other->kind))
      return flaws.add(
          "unit", "'" + metric + "' is recorded in " + std::string(other->unit) + ", the thresholds are in " + d.unit,
          "unit = \"" + std::string(other->unit) + "\", and the thresholds in it");
    const std::string is(kind_name(other->kind));
    if (d.is_ratio())
      return flaws.add(key, "'" + metric + "' is a " + is + ", a ratio needs counters",
                       other->kind == MetricType::histogram ? "of = \"" + metric + "\" judges a quantile of it" : "");
    flaws.add(key, "'" + metric + "' is a " + is + ", a quantile needs a histogram",
              other->kind == MetricType::counter || other->kind == MetricType::counter_real
                  ? "ratio = [\"" + metric + "\", \"a total\"] judges a share"
                  : "");
  };
  if (!d.is_ratio()) look(d.of, "of");
  else
    for (const std::string& metric : d.ratio) look(metric, "ratio");
  return flaws.take();
}

std::string_view kind_name(MetricType kind) noexcept {
  constexpr std::array<std::string_view, 5> kNames{"counter", "counter", "up-down counter", "gauge", "histogram"};
  return kNames[static_cast<std::size_t>(kind) % kNames.size()];
}

constexpr std::array<std::string_view, 4> kLevels{"ok", "yellow", "orange", "red"};

std::string_view level_name(Level level) noexcept { return kLevels[static_cast<std::size_t>(level) % kLevels.size()]; }

Level level_from(std::string_view name) noexcept {
  const auto at = std::find(kLevels.begin(), kLevels.end(), name);
  return at == kLevels.end() ? Level::ok : static_cast<Level>(at - kLevels.begin());
}

std::string rule_text(const Definition& d) {
  if (d.is_ratio()) return d.ratio.size() == 2 ? d.ratio[0] + " / " + d.ratio[1] : std::string();
  return "p" + shortest_number(std::round(d.quantile * 1e6) / 1e4) + " of " + d.of;
}

std::string shortest_number(double value) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return {text.data(), end};
}

}  // namespace honeylink::telemetry::sli
