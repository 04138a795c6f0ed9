// How long the transaction of a tick takes: `commit_bench FOLDER SERIES COMMITS` prints one line of JSON. Each commit
// is durable, on the disk that FOLDER is on; packing and the checkpoint run between commits, as in the engine; another
// process asks all the while. After each commit the disk itself is asked for a write of 4 KiB and an fdatasync. A slice
// is what one call of maintain() takes, which the engine makes between two rounds; upkeep: all that follow one commit.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "cli/history_data.h"
#include "query/metric_reader.h"
#include "store/metric_store.h"

namespace {

namespace tel = honeylink::telemetry;
namespace store = honeylink::telemetry::store;
namespace query = honeylink::telemetry::query;
constexpr std::int64_t kBegin = 1'699'488'000, kTickNs = 10'000'000'000, kBudgetNs = 5'000'000;
constexpr std::size_t kWarmUp = 50;
constexpr useconds_t kRestUs = 20'000;

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "commit_bench: %s\n", why.c_str());
  std::exit(1);
}

double milliseconds(std::chrono::steady_clock::time_point began) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count();
}

struct Shared {
  std::atomic<bool> go{false}, end{false};
  std::atomic<std::uint64_t> asked{0};
};

/// The reader: a process of its own, as `honeytel metrics` is. It rests between questions: commits come a thousand
/// times as fast as in an engine, and a -wal that is never without a reader never ends.
void ask_until_the_end(const std::string& home, Shared& shared) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  while (!shared.go) ::usleep(1'000);
  while (!shared.end) {
    auto reader = query::MetricReader::open(home);
    if (!reader.ok()) continue;
    const auto& series = reader.value()->series();
    if (series.empty()) continue;
    const auto points = reader.value()->points({&series[shared.asked % series.size()]}, {});
    if (points.ok()) ++shared.asked;
    reader.value().reset();
    ::usleep(kRestUs);
  }
}

class Disk {
 public:
  explicit Disk(const std::string& path) : fd_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)), path_(path) {
    if (fd_ < 0 || ::posix_fallocate(fd_, 0, kPages * kPage) != 0) give_up(path + " cannot be written");
    std::memset(page_, 7, sizeof page_);
  }
  ~Disk() {
    ::close(fd_);
    ::unlink(path_.c_str());
  }
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;
  double sync() {
    const auto began = std::chrono::steady_clock::now();
    if (::pwrite(fd_, page_, kPage, static_cast<off_t>(n_++ % kPages * kPage)) != kPage || ::fdatasync(fd_) != 0)
      give_up("the disk refused");
    return milliseconds(began);
  }

 private:
  static constexpr std::size_t kPage = 4096, kPages = 1024;
  int fd_;
  std::string path_;
  char page_[kPage];
  std::size_t n_ = 0;
};

class Ticks {
 public:
  Ticks(store::MetricStore& file, std::size_t series) : file_(file), data_(series, 0) {
    for (std::size_t i = 0; i < series; ++i) sids_.push_back(file_.series_id(data_.info(i)));
  }
  /// The next tick's points. Not timed: the engine has them from the rings.
  void next() {
    deltas_.clear();
    for (std::size_t i = 0; i < sids_.size(); ++i) {
      std::uint64_t value = 0;
      if (!data_.scalar(i, tick_, value)) continue;
      tel::MetricDelta delta;
      delta.sid = sids_[i], delta.kind = data_.kind(i);
      if (delta.kind == tel::MetricType::counter || delta.kind == tel::MetricType::up_down) delta.integer = value;
      else std::memcpy(&delta.real, &value, sizeof value);
      deltas_.push_back(delta);
    }
  }
  double commit() {
    store::Counts counts;
    counts.accepted = counts.stored = deltas_.size();
    store::LedgerSnapshot ledger;
    ledger.metrics.totals.accepted = ledger.metrics.totals.stored = points_ += deltas_.size();
    for (int tries = 0;; ++tries) {
      const auto began = std::chrono::steady_clock::now();
      const auto result =
          file_.commit_tick(kBegin + 10 * tick_, deltas_, static_cast<int>(tick_ % 2), 1, counts, ledger, true);
      const double took = milliseconds(began);
      if (result == store::CommitResult::ok) return ++tick_, took;
      // The reader was never away while 64 MB were written, which an engine writes in hours.
      if (result != store::CommitResult::reader_holds_wal || tries == 1'000) give_up("refused: " + file_.why());
      ++waits_;
      ::usleep(kRestUs / 4);
    }
  }
  [[nodiscard]] std::uint64_t points() const noexcept { return points_; }
  [[nodiscard]] std::uint64_t waits() const noexcept { return waits_; }

 private:
  store::MetricStore& file_;
  tel::cli::HistoryData data_;
  std::vector<std::uint32_t> sids_;
  std::vector<tel::MetricDelta> deltas_;
  std::int64_t tick_ = 0;
  std::uint64_t points_ = 0, waits_ = 0;
};

void print(const char* what, std::vector<double>& ms) {
  std::sort(ms.begin(), ms.end());
  std::printf("\"%s\": {\"p50_ms\": %.3f, \"p99_ms\": %.3f, \"max_ms\": %.3f}, ", what, ms[ms.size() / 2],
              ms[ms.size() * 99 / 100], ms.back());
}

}  // namespace

int main(int count, char** words) {
  if (count != 4) give_up("usage: commit_bench FOLDER SERIES COMMITS");
  const std::string home = std::string(words[1]) + "/home";
  const std::size_t series = std::strtoul(words[2], nullptr, 10), commits = std::strtoul(words[3], nullptr, 10);
  std::filesystem::create_directories(home);
  auto* shared =
      static_cast<Shared*>(::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  if (shared == MAP_FAILED || series == 0 || commits == 0) give_up("no memory, or nothing to do");
  new (shared) Shared;
  const pid_t child = ::fork();  // before SQLite is used
  if (child == 0) {
    ask_until_the_end(home, *shared);
    ::_exit(0);
  }
  tel::ManualClock clock(kBegin * 1'000'000'000);
  store::StoreOptions options;
  options.home = home, options.clock = &clock;
  std::string said;
  auto file = store::MetricStore::open(options, said);
  if (child < 0 || file == nullptr || file->begin_epoch() == 0) give_up(home + ": " + said);
  Ticks ticks(*file, series);
  Disk disk(std::string(words[1]) + "/disk");
  std::vector<double> commit_ms, disk_ms, slice_ms, upkeep_ms;
  for (std::size_t i = 0; i < commits + kWarmUp; ++i) {
    ticks.next();
    const double took = ticks.commit(), of_disk = disk.sync();
    shared->go = true;
    const auto began = std::chrono::steady_clock::now();
    clock.advance(kTickNs);
    for (bool more = true; more;) {
      const auto slice = std::chrono::steady_clock::now();
      more = file->maintain(clock.realtime_ns() / 1'000'000'000, kBudgetNs).more;
      slice_ms.push_back(milliseconds(slice));
    }
    file->checkpoint();
    if (i < kWarmUp) continue;
    commit_ms.push_back(took), disk_ms.push_back(of_disk), upkeep_ms.push_back(milliseconds(began));
  }
  shared->end = true;
  int status = 0;
  (void)::waitpid(child, &status, 0);
  std::printf("{\"series\": %zu, \"commits\": %zu, \"points\": %llu, ", series, commits,
              static_cast<unsigned long long>(ticks.points()));
  print("commit", commit_ms), print("fdatasync", disk_ms), print("slice", slice_ms), print("upkeep", upkeep_ms);
  std::printf("\"waits_for_the_reader\": %llu, \"reader_asked\": %llu, \"reader_exit\": %d}\n",
              static_cast<unsigned long long>(ticks.waits()), static_cast<unsigned long long>(shared->asked.load()),
              status);
  return 0;
}
