// honeytel record: a counter, gauge, histogram or log line from a shell script, through the same library that programs
// use.
#include <honeylink/telemetry.h>

#include <charconv>
#include <cmath>
#include <utility>

#include "base/limits.h"
#include "cli/commands.h"
#include "query/log_line.h"
#include "query/status.h"

namespace honeylink::telemetry::cli {
namespace {

constexpr std::size_t kPairsMax = 8;

using Pairs = std::vector<std::pair<std::string, std::string>>;

bool read_pairs(const Call& call, Pairs& pairs, query::Problem& problem) {
  const auto given = call.options.find("label");
  if (given == call.options.end()) return true;
  for (const std::string& pair : given->second) {
    const std::size_t equals = pair.find('=');
    if (equals == std::string::npos || equals == 0)
      return problem = usage_problem("--label cannot be '" + pair + "'", "it takes key=value"), false;
    pairs.emplace_back(pair.substr(0, equals), pair.substr(equals + 1));
  }
  if (pairs.size() > kPairsMax)
    problem = usage_problem("more than 8 labels", "each set of values is a series of its own");
  return pairs.size() <= kPairsMax;
}

Label label(const Pairs& pairs, std::size_t i) {
  return {LabelKey::runtime(pairs[i].first), std::string_view(pairs[i].second)};
}
Attribute attribute(const Pairs& pairs, std::size_t i) {
  return {Key::runtime(pairs[i].first), std::string_view(pairs[i].second)};
}

/// The API takes labels in braces; their number must be known to the compiler.
template <std::size_t... I>
void record_labelled(MetricKind kind, MetricName name, Unit unit, double value, const Pairs& pairs,
                     std::index_sequence<I...>) {
  record_metric(kind, name, unit, value, {label(pairs, I)...});
}
template <std::size_t... I>
void log_labelled(LogLevel level, EventName event, const Pairs& pairs, const LogOptions& options,
                  std::index_sequence<I...>) {
  kApplicationLogger.log(level, event, {attribute(pairs, I)...}, options);
}
template <std::size_t N = 0, class F>
void with_count(std::size_t count, F&& f) {
  if (count == N) f(std::make_index_sequence<N>());
  else if constexpr (N < kPairsMax) with_count<N + 1>(count, std::forward<F>(f));
}

bool is_metric_name(const std::string& name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (name.empty() || name.size() > kNameTextBytesMax || !letter(name.front())) return false;
  for (const char c : name) {
    if (!letter(c) && (c < '0' || c > '9') && c != '_' && c != '.' && c != '-' && c != '/') return false;
  }
  return true;
}

int metric(Call& call, MetricKind kind, const Pairs& pairs) {
  const std::string name = call.argument(1), given = call.argument(2), unit = call.text("unit", "1");
  double value = 1;
  if (!is_metric_name(name))
    return report(call.terminal, usage_problem("'" + name + "' is no metric name",
                                               "a letter, then letters, digits, _ . - /; at most 128",
                                               "for example: app.backup.duration"));
  if (given.empty() && kind != MetricKind::counter)
    return report(call.terminal, usage_problem("the value is missing", "honeytel record gauge NAME VALUE"));
  if (!given.empty()) {
    const auto [end, error] = std::from_chars(given.data(), given.data() + given.size(), value);
    if (error != std::errc{} || end != given.data() + given.size() || !std::isfinite(value))
      return report(call.terminal, usage_problem("'" + given + "' is no number"));
  }
  if (value < 0 && kind != MetricKind::gauge)
    return report(call.terminal, usage_problem("a " + call.argument(0) + " takes no negative value", "a gauge does"));
  if (unit.size() > 63)
    return report(call.terminal, usage_problem("a unit has at most 63 characters", "UCUM: s, ms, By, 1, {packet}"));
  with_count(pairs.size(), [&](auto indexes) {
    record_labelled(kind, MetricName::runtime(name), Unit::runtime(unit), value, pairs, indexes);
  });
  return kOk;
}

int log_line(Call& call, const Pairs& pairs) {
  const std::string event = call.argument(1), message = call.argument(2);
  const int level = query::level_number(call.text("level", "info"));
  if (event.empty() || event.size() > kNameTextBytesMax)
    return report(call.terminal,
                  usage_problem("the event's name is missing or over 128 bytes", "honeytel record log NAME [MESSAGE]"));
  if (level == 0)
    return report(call.terminal, usage_problem("--level cannot be '" + call.text("level") + "'",
                                               "it takes debug, info, warn or error"));
  const LogOptions options{.message = message};
  with_count(pairs.size(), [&](auto indexes) {
    log_labelled(static_cast<LogLevel>(level), EventName::runtime(event), pairs, options, indexes);
  });
  return kOk;
}

int run(Call& call) {
  query::Problem problem;
  Pairs pairs;
  if (!read_pairs(call, pairs, problem)) return report(call.terminal, problem);
  const auto home = call.home();
  if (!home.ok()) return report(call.terminal, home.problem());
  const std::string kind = call.argument(0);
  if (kind != "counter" && kind != "gauge" && kind != "histogram" && kind != "log") {
    return report(call.terminal,
                  usage_problem(kind.empty() ? "what is to be recorded?" : "cannot record '" + kind + "'",
                                "there is counter, gauge, histogram and log", "see: honeytel record --help"));
  }
  const std::string service = call.text("service", "shell"), module = call.text("module");
  const Status status = start({.resource = {.service_name = service, .module = module},
                               .home = home.value(),
                               .min_log_level = LogLevel::debug,
                               .buffer_bytes = kRingBytesMin});
  if (!status.ok())
    return report(call.terminal, {query::ProblemKind::environment, "nothing was recorded",
                                  std::string(status.message()), "honeytel doctor looks for the cause"});
  const int code = kind == "log" ? log_line(call, pairs)
                                 : metric(call,
                                          kind == "counter" ? MetricKind::counter
                                          : kind == "gauge" ? MetricKind::gauge
                                                            : MetricKind::histogram,
                                          pairs);
  if (code == kOk && query::read_engine(home.value()).mode == "none")
    call.terminal.say("recorded; no engine runs, so it waits in its ring: honeytel agent");
  return code;
}

constexpr Option kOptions[] = {
    {"label", "K=V", "A label, or a field of the log line", {}, 0, true},
    {"unit", "UNIT", "UCUM: s, ms, By, 1, {packet} (default: 1)"},
    {"level", "LEVEL", "Of a log line: debug, info, warn, error (default: info)"},
    {"service", "NAME", "Who speaks (default: shell)"},
    {"module", "NAME", "Which part of it"},
};

}  // namespace

extern const Command kRecord{
    .name = "record",
    .summary = "A metric or a log line from a shell script",
    .usage = "counter|gauge|histogram NAME [VALUE] | log EVENT [MESSAGE]",
    .about = "Takes about a millisecond and waits for nobody.",
    .example =
        "honeytel record counter backup.files 1200 --label host=nas\nhoneytel record histogram backup.duration 42.5 "
        "--unit s\nhoneytel record log backup.failed 'no space left' --level error",
    .options = kOptions,
    .arguments_max = 3,
    .run = run};

}  // namespace honeylink::telemetry::cli
