// honeytel bench: how much this machine records and stores, with everything persisted. An engine and a recorder, each a
// process of its own, in a temporary home; afterwards every event is looked for in the stores.
#include <honeylink/telemetry.h>

#include <cstdio>

#include "cli/bench_run.h"
#include "cli/commands.h"
#include "cli/history_run.h"
#include "query/json.h"
#include "query/time_text.h"

namespace honeylink::telemetry::cli {
namespace {

std::string to_json(const BenchOutcome& o, bool passed) {
  query::JsonWriter json;
  json.begin_object()
      .key("schema")
      .integer(1)
      .key("events")
      .count(o.recorded.events())
      .key("seconds")
      .real(o.recorded.seconds);
  json.key("events_per_second").real(static_cast<double>(o.recorded.events()) / o.recorded.seconds);
  json.key("stored")
      .count(o.stored)
      .key("stored_per_second")
      .real(static_cast<double>(o.stored) / o.seconds_until_stored);
  json.key("seconds_until_stored")
      .real(o.seconds_until_stored)
      .key("dropped")
      .count(o.dropped)
      .key("missing")
      .count(o.missing)
      .key("balance_exact")
      .boolean(o.exact);
  json.key("cpu_seconds")
      .begin_object()
      .key("recorder")
      .real(o.cpu_recorder)
      .key("engine")
      .real(o.cpu_engine)
      .end_object();
  json.key("rss_bytes")
      .begin_object()
      .key("recorder")
      .count(o.rss_recorder)
      .key("engine")
      .count(o.rss_engine)
      .end_object();
  json.key("latency_ns")
      .begin_object()
      .key("p50")
      .real(o.recorded.p50)
      .key("p99")
      .real(o.recorded.p99)
      .key("p99_9")
      .real(o.recorded.p99_9);
  json.key("p99_99").real(o.recorded.p99_99).key("max").real(o.recorded.worst);
  json.key("floor_p99_9").real(o.recorded.floor_p99_9).key("floor_p99_99").real(o.recorded.floor_p99_99).end_object();
  json.key("mix")
      .begin_object()
      .key("metrics")
      .count(o.recorded.metrics)
      .key("spans")
      .count(o.recorded.spans)
      .key("logs")
      .count(o.recorded.logs)
      .end_object();
  json.key("passed").boolean(passed).end_object();
  return json.str();
}

void print_outcome(const Call& call, const BenchOutcome& o, bool passed) {
  const auto line = [&](const char* what, const std::string& value) {
    char name[32];
    std::snprintf(name, sizeof name, "  %-12s ", what);
    call.terminal.print(name + value + "\n");
  };
  const auto per_second = [](double n) { return query::format_count(static_cast<std::uint64_t>(n)) + "/s"; };
  const auto ns = [](double v) { return query::format_duration(static_cast<std::int64_t>(v)); };
  char cpu[96];
  std::snprintf(cpu, sizeof cpu, "recorder %.2f s, engine %.2f s", o.cpu_recorder, o.cpu_engine);
  line("recorded", query::format_count(o.recorded.events()) + " in " + ns(o.recorded.seconds * 1e9) + ", " +
                       per_second(static_cast<double>(o.recorded.events()) / o.recorded.seconds));
  line("stored",
       query::format_count(o.stored) + ", " + per_second(static_cast<double>(o.stored) / o.seconds_until_stored));
  line("dropped", query::format_count(o.dropped) + ", unaccounted " + query::format_count(o.missing));
  line("a call", "p50 " + ns(o.recorded.p50) + ", p99 " + ns(o.recorded.p99) + ", p99.9 " + ns(o.recorded.p99_9) +
                     ", p99.99 " + ns(o.recorded.p99_99) + ", longest " + ns(o.recorded.worst));
  line("no call", "p99.9 " + ns(o.recorded.floor_p99_9) + ", p99.99 " + ns(o.recorded.floor_p99_99) +
                      " in the same loop: the machine's own part");
  line("CPU", cpu);
  line("memory", "recorder " + query::format_bytes(o.rss_recorder) + ", engine " + query::format_bytes(o.rss_engine));
  const Style& style = call.terminal.style;
  line("verdict", passed ? style.paint(Colour::blue, std::string(style.sign("● ", "")) + "every event is accounted for")
                         : style.paint(Colour::red, std::string(style.sign("■ ", "")) + "events were lost"));
}

bool read_plan(const Call& call, BenchPlan& plan, query::Problem& problem) {
  const auto threads = call.count("threads", 1, problem);
  if (!threads) return false;
  if (*threads < 1 || *threads > 64) return problem = usage_problem("--threads is from 1 to 64"), false;
  plan.threads = *threads;
  const std::string rate = call.text("rate", "max");
  if (rate != "max") {
    const auto value = call.real("rate", 0, problem);
    if (!value || *value <= 0)
      return problem = usage_problem("--rate cannot be '" + rate + "'", "it takes events per second, or max"), false;
    plan.rate = *value;
  }
  plan.even = call.has("even");
  if (plan.even && plan.rate == 0) return problem = usage_problem("--even needs a --rate"), false;
  const auto duration = call.duration("duration", 0, problem);
  const auto events = call.count("events",
                                 duration.value_or(0) > 0 && plan.rate > 0
                                     ? static_cast<std::uint64_t>(plan.rate * static_cast<double>(*duration) / 1e9)
                                     : 1'000'000,
                                 problem);
  if (!duration || !events) return false;
  if (*duration > 0 && plan.rate == 0)
    return problem = usage_problem("--duration needs a --rate", "at the highest rate say how many: --events"), false;
  if (*events < 100) return problem = usage_problem("--events is 100 at least"), false;
  plan.events = *events;
  std::string why;
  if (parse_mix(call.text("mix", "metrics=70,spans=15,logs=15"), plan, why)) return true;
  return problem = usage_problem("--mix cannot be '" + call.text("mix") + "'", why), false;
}

int run(Call& call) {
  if (call.has("history")) return bench_history(call);
  BenchPlan plan;
  query::Problem problem;
  if (!read_plan(call, plan, problem)) return report(call.terminal, problem);
  const auto outcome = measure_bench(call, plan, call.text("mix", "metrics=70,spans=15,logs=15"));
  if (!outcome.ok()) return report(call.terminal, outcome.problem());
  const BenchOutcome& o = outcome.value();
  // At the highest rate drops are expected where the disk is slower than the program; at a given rate they are a
  // failure.
  const bool passed = o.exact && o.missing == 0 && (plan.rate == 0 || o.dropped == 0);
  if (call.format() == Format::table) print_outcome(call, o, passed);
  else call.terminal.print(to_json(o, passed) + "\n");
  return passed ? kOk : kFailed;
}

int run_recorder(Call& call) {
  BenchPlan plan;
  query::Problem problem;
  const auto home = call.home();
  if (!home.ok() || !read_plan(call, plan, problem)) return report(call.terminal, problem);
  const Status status =
      start({.resource = {.service_name = "honeytel-bench"}, .home = home.value(), .sampler = Sampler::always_on()});
  if (!status.ok())
    return report(call.terminal,
                  {query::ProblemKind::environment, "nothing can be recorded", std::string(status.message()), ""});
  call.terminal.print(recorder_json(record_bench(plan)) + "\n");
  return kOk;
}

constexpr Option kOptions[] = {
    {"events", "N", "How many (default: 1000000)"},
    {"threads", "T", "Recording threads (default: 1)"},
    {"rate", "N|max", "Events per second in all (default: max)"},
    {"duration", "TIME", "Instead of --events, with --rate"},
    {"even", "", "With --rate: each event at its own time, by waiting awake; needs a core for itself"},
    {"mix", "MIX", "Shares in per cent (default: metrics=70,spans=15,logs=15)"},
    {"history", "TIME", "Instead: write so long a history of ticks (13mo) and check every point of it"},
    {"series", "N", "With --history: scalar series (default: 40)"},
    {"histograms", "M", "With --history: histograms of up to 100 observations a tick (default: 0)"},
    {"keep", "DIR", "With --history: leave it there, as a home"},
};

}  // namespace

extern const Command kBench{
    .name = "bench",
    .summary = "How much this machine records and stores, everything persisted",
    .usage = "[--events N] [--threads T] [--rate N|max] [--even] [--mix metrics=70,spans=15,logs=15]\n"
             "  honeytel bench --history 13mo [--series N] [--histograms M] [--keep DIR]",
    .about =
        "Uses a temporary home. Afterwards every event is looked for in the stores: exit 1 where one is\nunaccounted "
        "for, or dropped at a given --rate. With --history the store of metrics is driven by a clock of its own\nand "
        "without waiting for the disk; exit 1 where a stored point is not what was recorded.",
    .example = "honeytel bench --rate 300000 --duration 60s\ntaskset -c 0 honeytel bench --events 10000000 --json\n"
               "honeytel bench --history 13mo --series 40",
    .options = kOptions,
    .reads = true,
    .run = run,
    .needs_directory = true};

extern const Command kBenchRecorder{.name = "__bench-recorder",
                                    .summary = "",
                                    .usage = "",
                                    .about = "",
                                    .example = "",
                                    .options = kOptions,
                                    .run = run_recorder,
                                    .hidden = true};

}  // namespace honeylink::telemetry::cli
