// honeytel bench: how much this machine records and stores, with everything persisted. An engine and a recorder, each a process of its
// own, in a temporary home; afterwards every event is looked for in the stores.
#include <honeylink/telemetry.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/file.h"
#include "cli/bench_recorder.h"
#include "cli/commands.h"
#include "cli/progress.h"
#include "query/json.h"
#include "query/ledger.h"
#include "query/metric_reader.h"
#include "query/status.h"
#include "query/time_text.h"
#include "ring/home.h"

extern char** environ;

namespace honeylink::telemetry::cli {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kSettle = std::chrono::seconds(20);

std::string recorder_json(const BenchResult& r) {
  query::JsonWriter json;
  json.begin_object().key("metrics").count(r.metrics).key("spans").count(r.spans).key("logs").count(r.logs).key("seconds").real(r.seconds);
  json.key("p50").real(r.p50).key("p99").real(r.p99).key("p99_9").real(r.p99_9).key("p99_99").real(r.p99_99).key("worst").real(r.worst).end_object();
  return json.str();
}

bool read_recorder(const std::string& line, BenchResult& r) {
  std::vector<query::JsonMember> members;
  if (!query::read_json_object(line, members)) return false;
  for (const auto& [name, value] : members) {
    double n = 0;
    std::from_chars(value.data(), value.data() + value.size(), n);
    const auto whole = static_cast<std::uint64_t>(n);
    if (name == "metrics") r.metrics = whole;
    else if (name == "spans") r.spans = whole;
    else if (name == "logs") r.logs = whole;
    else if (name == "seconds") r.seconds = n;
    else if (name == "p50") r.p50 = n;
    else if (name == "p99") r.p99 = n;
    else if (name == "p99_9") r.p99_9 = n;
    else if (name == "p99_99") r.p99_99 = n;
    else if (name == "worst") r.worst = n;
  }
  return true;
}

/// A child of this same program. Ended and waited for by its owner, whatever happens.
class Child {
 public:
  Child(const std::vector<std::string>& words, int output) {
    std::vector<char*> argv;
    for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    if (output >= 0) ::posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    else ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    if (::posix_spawn(&pid_, "/proc/self/exe", &actions, nullptr, argv.data(), environ) != 0) pid_ = -1;
    ::posix_spawn_file_actions_destroy(&actions);
  }
  ~Child() {
    if (pid_ > 0 && !ended_) ::kill(pid_, SIGKILL), wait();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  [[nodiscard]] bool started() const noexcept { return pid_ > 0; }
  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  void stop() noexcept { ::kill(pid_, SIGTERM); }
  int wait() noexcept {
    int status = 0;
    while (!ended_ && ::wait4(pid_, &status, 0, &usage_) < 0 && errno == EINTR) {
    }
    ended_ = true;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  [[nodiscard]] double cpu_seconds() const noexcept {
    const auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6; };
    return seconds(usage_.ru_utime) + seconds(usage_.ru_stime);
  }
  [[nodiscard]] std::uint64_t rss_bytes() const noexcept { return static_cast<std::uint64_t>(usage_.ru_maxrss) * 1024; }

 private:
  pid_t pid_ = -1;
  bool ended_ = false;
  rusage usage_{};
};

struct TemporaryHome {
  std::string path;
  TemporaryHome() {
    const char* base = std::getenv("TMPDIR");
    path = std::string(base != nullptr && base[0] == '/' ? base : "/tmp") + "/honeytel-bench-XXXXXX";
    if (::mkdtemp(path.data()) == nullptr) path.clear();
  }
  ~TemporaryHome() {
    std::error_code ignored;
    if (path.empty()) return;
    for (const std::string& directory : ring::ring_directories(path)) std::filesystem::remove_all(directory, ignored);
    std::filesystem::remove_all(path, ignored);
  }
  TemporaryHome(const TemporaryHome&) = delete;
  TemporaryHome& operator=(const TemporaryHome&) = delete;
};

/// Metric calls that are in the store: what the counter counted and the histogram holds.
std::uint64_t stored_metric_calls(const std::string& home) {
  auto reader = query::MetricReader::open(home);
  if (!reader.ok()) return 0;
  std::uint64_t calls = 0;
  for (const char* name : {"bench.counter", "bench.histogram"}) {
    query::SeriesFilter filter;
    filter.name = name;
    const auto summaries = reader.value()->summarize(reader.value()->find(filter), {});
    if (!summaries.ok()) continue;
    for (const auto& s : summaries.value()) calls += s.series.is_histogram() ? s.sketch.count : static_cast<std::uint64_t>(s.total);
  }
  return calls;
}

std::uint64_t lost(const query::SignalBalance& signal) {
  std::uint64_t n = 0;
  for (const auto& [reason, dropped] : signal.counts.dropped) n += reason == "sampled_out" ? 0 : dropped;
  return n;
}

struct Outcome {
  BenchResult recorded;
  std::uint64_t stored = 0, dropped = 0, missing = 0;
  double seconds_until_stored = 0;
  bool exact = true;
  double cpu_recorder = 0, cpu_engine = 0;
  std::uint64_t rss_recorder = 0, rss_engine = 0;
};

/// Waits until every recorded event is stored or counted as dropped, at most kSettle.
void settle(const std::string& home, Outcome& out, Clock::time_point began) {
  const auto deadline = Clock::now() + kSettle;
  for (;;) {
    const auto balance = query::read_balance(home);
    if (balance.ok()) {
      const query::Balance& b = balance.value();
      const std::uint64_t metric_calls = stored_metric_calls(home);
      out.dropped = lost(b.spans) + lost(b.logs);
      const std::uint64_t spans = std::min(b.spans.counts.stored, out.recorded.spans), logs = std::min(b.logs.counts.stored, out.recorded.logs);  // the engine's own lines are not ours
      out.stored = metric_calls + spans + logs;
      out.exact = b.spans.error() == 0 && b.logs.error() == 0 && b.metrics.error() == 0;
      out.missing = out.recorded.events() - std::min(out.recorded.events(), out.stored + out.dropped);
    }
    out.seconds_until_stored = std::chrono::duration<double>(Clock::now() - began).count();
    if (out.missing == 0 || Clock::now() > deadline) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

std::string read_line(int fd, Progress& progress, double seconds_expected) {
  std::string text;
  const auto began = Clock::now();
  for (;;) {
    pollfd waiting{fd, POLLIN, 0};
    ::poll(&waiting, 1, 100);
    if (seconds_expected > 0) progress.update(std::chrono::duration<double>(Clock::now() - began).count() / seconds_expected);
    if ((waiting.revents & (POLLIN | POLLHUP)) == 0) continue;
    std::array<char, 4096> buffer{};
    const ssize_t n = ::read(fd, buffer.data(), buffer.size());
    if (n <= 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(n));
  }
}

query::Answer<Outcome> measure(const Call& call, const BenchPlan& plan, const std::string& mix) {
  const TemporaryHome home;
  if (home.path.empty()) return query::Problem{query::ProblemKind::environment, "no temporary home", "TMPDIR cannot be written", ""};
  Child engine({"honeytel", "agent", "--home", home.path}, -1);
  for (int i = 0; engine.started() && i < 200 && query::read_engine(home.path).mode == "none"; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return query::Problem{query::ProblemKind::environment, "no pipe", "", ""};
  const Fd reading(ends[0]);
  Fd writing(ends[1]);
  Outcome out;
  const auto began = Clock::now();
  Child recorder({"honeytel", "__bench-recorder", "--home", home.path, "--events", std::to_string(plan.events), "--threads", std::to_string(plan.threads), "--rate", plan.rate > 0 ? query::json_number(plan.rate) : "max", "--mix", mix}, writing.get());
  writing = Fd();
  Progress progress(call.terminal, "recording");
  const std::string line = read_line(reading.get(), progress, plan.rate > 0 ? static_cast<double>(plan.events) / plan.rate : 0);
  progress.clear();
  if (recorder.wait() != 0 || !read_recorder(line.substr(0, line.find('\n')), out.recorded)) return query::Problem{query::ProblemKind::failed, "the recorder did not finish", line, ""};
  settle(home.path, out, began);
  engine.stop();
  engine.wait();
  out.cpu_recorder = recorder.cpu_seconds(), out.cpu_engine = engine.cpu_seconds();
  out.rss_recorder = recorder.rss_bytes(), out.rss_engine = engine.rss_bytes();
  return out;
}

std::string to_json(const Outcome& o, bool passed) {
  query::JsonWriter json;
  json.begin_object().key("schema").integer(1).key("events").count(o.recorded.events()).key("seconds").real(o.recorded.seconds);
  json.key("events_per_second").real(static_cast<double>(o.recorded.events()) / o.recorded.seconds);
  json.key("stored").count(o.stored).key("stored_per_second").real(static_cast<double>(o.stored) / o.seconds_until_stored);
  json.key("seconds_until_stored").real(o.seconds_until_stored).key("dropped").count(o.dropped).key("missing").count(o.missing).key("balance_exact").boolean(o.exact);
  json.key("cpu_seconds").begin_object().key("recorder").real(o.cpu_recorder).key("engine").real(o.cpu_engine).end_object();
  json.key("rss_bytes").begin_object().key("recorder").count(o.rss_recorder).key("engine").count(o.rss_engine).end_object();
  json.key("latency_ns").begin_object().key("p50").real(o.recorded.p50).key("p99").real(o.recorded.p99).key("p99_9").real(o.recorded.p99_9);
  json.key("p99_99").real(o.recorded.p99_99).key("max").real(o.recorded.worst).end_object();
  json.key("mix").begin_object().key("metrics").count(o.recorded.metrics).key("spans").count(o.recorded.spans).key("logs").count(o.recorded.logs).end_object();
  json.key("passed").boolean(passed).end_object();
  return json.str();
}

void print_outcome(const Call& call, const Outcome& o, bool passed) {
  const auto line = [&](const char* what, const std::string& value) {
    char name[32];
    std::snprintf(name, sizeof name, "  %-12s ", what);
    call.terminal.print(name + value + "\n");
  };
  const auto per_second = [](double n) { return query::format_count(static_cast<std::uint64_t>(n)) + "/s"; };
  const auto ns = [](double v) { return query::format_duration(static_cast<std::int64_t>(v)); };
  char cpu[96];
  std::snprintf(cpu, sizeof cpu, "recorder %.2f s, engine %.2f s", o.cpu_recorder, o.cpu_engine);
  line("recorded", query::format_count(o.recorded.events()) + " in " + ns(o.recorded.seconds * 1e9) + ", " + per_second(static_cast<double>(o.recorded.events()) / o.recorded.seconds));
  line("stored", query::format_count(o.stored) + ", " + per_second(static_cast<double>(o.stored) / o.seconds_until_stored));
  line("dropped", query::format_count(o.dropped) + ", unaccounted " + query::format_count(o.missing));
  line("a call", "p50 " + ns(o.recorded.p50) + ", p99 " + ns(o.recorded.p99) + ", p99.9 " + ns(o.recorded.p99_9) + ", p99.99 " + ns(o.recorded.p99_99) + ", longest " + ns(o.recorded.worst));
  line("CPU", cpu);
  line("memory", "recorder " + query::format_bytes(o.rss_recorder) + ", engine " + query::format_bytes(o.rss_engine));
  const Style& style = call.terminal.style;
  line("verdict", passed ? style.paint(Colour::blue, std::string(style.sign("● ", "")) + "every event is accounted for") : style.paint(Colour::red, std::string(style.sign("■ ", "")) + "events were lost"));
}

bool read_plan(const Call& call, BenchPlan& plan, query::Problem& problem) {
  const auto threads = call.count("threads", 1, problem);
  if (!threads) return false;
  if (*threads < 1 || *threads > 64) return problem = usage_problem("--threads is from 1 to 64"), false;
  plan.threads = *threads;
  const std::string rate = call.text("rate", "max");
  if (rate != "max") {
    const auto value = call.real("rate", 0, problem);
    if (!value || *value <= 0) return problem = usage_problem("--rate cannot be '" + rate + "'", "it takes events per second, or max"), false;
    plan.rate = *value;
  }
  const auto duration = call.duration("duration", 0, problem);
  const auto events = call.count("events", duration.value_or(0) > 0 && plan.rate > 0 ? static_cast<std::uint64_t>(plan.rate * static_cast<double>(*duration) / 1e9) : 1'000'000, problem);
  if (!duration || !events) return false;
  if (*duration > 0 && plan.rate == 0) return problem = usage_problem("--duration needs a --rate", "at the highest rate say how many: --events"), false;
  if (*events < 100) return problem = usage_problem("--events is 100 at least"), false;
  plan.events = *events;
  std::string why;
  if (parse_mix(call.text("mix", "metrics=70,spans=15,logs=15"), plan, why)) return true;
  return problem = usage_problem("--mix cannot be '" + call.text("mix") + "'", why), false;
}

int run(Call& call) {
  BenchPlan plan;
  query::Problem problem;
  if (!read_plan(call, plan, problem)) return report(call.terminal, problem);
  const auto outcome = measure(call, plan, call.text("mix", "metrics=70,spans=15,logs=15"));
  if (!outcome.ok()) return report(call.terminal, outcome.problem());
  const Outcome& o = outcome.value();
  // At the highest rate drops are expected where the disk is slower than the program; at a given rate they are a failure.
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
  const Status status = start({.resource = {.service_name = "honeytel-bench"}, .home = home.value(), .sampler = Sampler::always_on()});
  if (!status.ok()) return report(call.terminal, {query::ProblemKind::environment, "nothing can be recorded", std::string(status.message()), ""});
  call.terminal.print(recorder_json(record_bench(plan)) + "\n");
  return kOk;
}

constexpr Option kOptions[] = {
    {"events", "N", "How many (default: 1000000)"},
    {"threads", "T", "Recording threads (default: 1)"},
    {"rate", "N|max", "Events per second in all (default: max)"},
    {"duration", "TIME", "Instead of --events, with --rate"},
    {"mix", "MIX", "Shares in per cent (default: metrics=70,spans=15,logs=15)"},
};

}  // namespace

extern const Command kBench{.name = "bench",
                            .summary = "How much this machine records and stores, everything persisted",
                            .usage = "[--events N] [--threads T] [--rate N|max] [--mix metrics=70,spans=15,logs=15]",
                            .about = "Uses a temporary home. Afterwards every event is looked for in the stores: exit 1 where one is\nunaccounted for, or dropped at a given --rate.",
                            .example = "honeytel bench --rate 300000 --duration 60s\ntaskset -c 0 honeytel bench --events 10000000 --json",
                            .options = kOptions,
                            .reads = true,
                            .run = run};

extern const Command kBenchRecorder{.name = "__bench-recorder", .summary = "", .usage = "", .about = "", .example = "", .options = kOptions, .run = run_recorder, .hidden = true};

}  // namespace honeylink::telemetry::cli
