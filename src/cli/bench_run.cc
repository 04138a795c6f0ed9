// See bench_run.h.
#include "cli/bench_run.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "base/file.h"
#include "cli/progress.h"
#include "query/json.h"
#include "query/ledger.h"
#include "query/metric_reader.h"
#include "query/status.h"
#include "ring/home.h"

extern char** environ;

namespace honeylink::telemetry::cli {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kSettle = std::chrono::seconds(20);

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
    else if (name == "floor_seconds") r.floor_seconds = n;
    else if (name == "floor_p99_9") r.floor_p99_9 = n;
    else if (name == "floor_p99_99") r.floor_p99_99 = n;
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
    while (!ended_ && ::wait4(pid_, &status, 0, &usage_) < 0 && errno == EINTR) {}
    ended_ = true;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  [[nodiscard]] double cpu_seconds() const noexcept {
    const auto seconds = [](const timeval& t) {
      return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
    };
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
    for (const auto& s : summaries.value())
      calls += s.series.is_histogram() ? s.all.sketch().count : static_cast<std::uint64_t>(s.all.sum);
  }
  return calls;
}

std::uint64_t lost(const query::SignalBalance& signal) {
  std::uint64_t n = 0;
  for (const auto& [reason, dropped] : signal.counts.dropped) n += reason == "sampled_out" ? 0 : dropped;
  return n;
}

/// Waits until every recorded event is stored or counted as dropped, at most kSettle.
void settle(const std::string& home, BenchOutcome& out, Clock::time_point began) {
  const auto deadline = Clock::now() + kSettle;
  for (;;) {
    const auto balance = query::read_balance(home);
    if (balance.ok()) {
      const query::Balance& b = balance.value();
      const std::uint64_t metric_calls = stored_metric_calls(home);
      out.dropped = lost(b.spans) + lost(b.logs);
      const std::uint64_t spans = std::min(b.spans.counts.stored, out.recorded.spans),
                          logs =
                              std::min(b.logs.counts.stored, out.recorded.logs);  // the engine's own lines are not ours
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
    if (seconds_expected > 0)
      progress.update(std::chrono::duration<double>(Clock::now() - began).count() / seconds_expected);
    if ((waiting.revents & (POLLIN | POLLHUP)) == 0) continue;
    std::array<char, 4096> buffer{};
    const ssize_t n = ::read(fd, buffer.data(), buffer.size());
    if (n <= 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(n));
  }
}

}  // namespace

std::string recorder_json(const BenchResult& r) {
  query::JsonWriter json;
  json.begin_object()
      .key("metrics")
      .count(r.metrics)
      .key("spans")
      .count(r.spans)
      .key("logs")
      .count(r.logs)
      .key("seconds")
      .real(r.seconds);
  json.key("p50")
      .real(r.p50)
      .key("p99")
      .real(r.p99)
      .key("p99_9")
      .real(r.p99_9)
      .key("p99_99")
      .real(r.p99_99)
      .key("worst")
      .real(r.worst);
  json.key("floor_seconds").real(r.floor_seconds).key("floor_p99_9").real(r.floor_p99_9);
  json.key("floor_p99_99").real(r.floor_p99_99).end_object();
  return json.str();
}

query::Answer<BenchOutcome> measure_bench(const Call& call, const BenchPlan& plan, const std::string& mix) {
  const TemporaryHome home;
  if (home.path.empty())
    return query::Problem{query::ProblemKind::environment, "no temporary home", "TMPDIR cannot be written", ""};
  Child engine({"honeytel", "agent", "--home", home.path}, -1);
  for (int i = 0; engine.started() && i < 200 && query::read_engine(home.path).mode == "none"; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return query::Problem{query::ProblemKind::environment, "no pipe", "", ""};
  const Fd reading(ends[0]);
  Fd writing(ends[1]);
  BenchOutcome out;
  const auto began = Clock::now();
  std::vector<std::string> words{"honeytel",  "__bench-recorder",
                                 "--home",    home.path,
                                 "--events",  std::to_string(plan.events),
                                 "--threads", std::to_string(plan.threads),
                                 "--rate",    plan.rate > 0 ? query::json_number(plan.rate) : "max",
                                 "--mix",     mix};
  if (plan.even) words.emplace_back("--even");
  Child recorder(words, writing.get());
  writing = Fd();
  Progress progress(call.terminal, "recording");
  const std::string line =
      read_line(reading.get(), progress, plan.rate > 0 ? static_cast<double>(plan.events) / plan.rate : 0);
  progress.clear();
  if (recorder.wait() != 0 || !read_recorder(line.substr(0, line.find('\n')), out.recorded))
    return query::Problem{query::ProblemKind::failed, "the recorder did not finish", line, ""};
  const std::chrono::duration<double> floor(out.recorded.floor_seconds);  // nothing was recorded during it
  settle(home.path, out, began + std::chrono::duration_cast<Clock::duration>(floor));
  engine.stop();
  engine.wait();
  out.cpu_recorder = recorder.cpu_seconds(), out.cpu_engine = engine.cpu_seconds();
  out.rss_recorder = recorder.rss_bytes(), out.rss_engine = engine.rss_bytes();
  return out;
}

}  // namespace honeylink::telemetry::cli
