// F02: the engine is killed at every named point and at random instants while a program records; the next engine goes
// on, and in the end every record is there exactly once or counted, and the ledger balances.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <random>
#include <set>
#include <sstream>
#include <thread>

#include "account.h"
#include "base/killpoint.h"
#include "ring/home.h"
#include "store/log_archive.h"
#include "store/log_files.h"
#include "store/metric_scan.h"
#include "store/metric_store.h"
#include "store/sqlite.h"
#include "store/trace_codec.h"
#include "store/trace_store.h"

namespace {

using namespace honeylink::telemetry;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

const std::string kPrograms = HONEYLINK_PROGRAMS_DIR;
// What is waited for comes within a second; on a machine that has no time for the engine it must come at all.
constexpr milliseconds kPatience{90'000};

class Trial {
 public:
  Trial() {
    char name[] = "/tmp/hl_kill_XXXXXX";
    home_ = mkdtemp(name);
    const std::string file = home_ + "/account";
    const int fd = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (ftruncate(fd, sizeof(Account)) != 0) std::abort();
    account_ = static_cast<Account*>(mmap(nullptr, sizeof(Account), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    close(fd);
  }
  ~Trial() {
    for (const pid_t pid : {engine_, recorder_}) {
      if (pid > 0) kill(pid, SIGKILL), waitpid(pid, nullptr, 0);
    }
    munmap(account_, sizeof(Account));
    for (const auto& directory : ring::ring_directories(home_)) std::filesystem::remove_all(directory);
    std::filesystem::remove_all(home_);
  }
  Account& account() { return *account_; }
  const std::string& home() const { return home_; }

  void start_recorder() {
    account_->stop = 0, account_->ready = 0;
    recorder_ = spawn({kPrograms + "/steady_recorder", home_, home_ + "/account"}, {});
    wait_for([&] { return account_->ready != 0; });
  }
  void start_engine(const std::string& killpoint) { engine_ = spawn({kPrograms + "/engine_agent", home_}, killpoint); }
  void kill_engine() { kill(engine_, SIGKILL), waitpid(engine_, nullptr, 0), engine_ = 0; }
  /// True: killed by its own hand within the time.
  bool engine_died() {
    const bool died = wait_for([&] { return waitpid(engine_, nullptr, WNOHANG) == engine_; });
    if (died) engine_ = 0;
    return died;
  }
  void stop_engine() {
    kill(engine_, SIGTERM);
    waitpid(engine_, nullptr, 0);
    engine_ = 0;
  }
  void end_recorder(int signal) {
    if (signal == 0) account_->stop = 1;
    else kill(recorder_, signal);
    waitpid(recorder_, nullptr, 0);
    recorder_ = 0;
  }
  bool rings_gone() {
    return wait_for([&] { return ring::list_rings(home_).empty(); });
  }
  template <class Condition>
  static bool wait_for(Condition&& condition) {
    for (const auto end = Clock::now() + kPatience; Clock::now() < end; std::this_thread::sleep_for(milliseconds(5))) {
      if (condition()) return true;
    }
    return condition();
  }

  /// Everything recorded is there once, or counted; nothing else is.
  void verify() {
    EXPECT_GT(account_->spans_done.load(), 0U) << "nothing was recorded: nothing is proved";
    verify_spans();
    verify_logs();
    verify_counts();
  }

 private:
  static pid_t spawn(const std::vector<std::string>& arguments, const std::string& killpoint) {
    std::vector<char*> argv;
    for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    const pid_t pid = fork();
    if (pid != 0) return pid;
    unsetenv("HONEYLINK_KILLPOINT");
    if (!killpoint.empty()) setenv("HONEYLINK_KILLPOINT", killpoint.c_str(), 1);
    execv(argv[0], argv.data());
    _exit(127);
  }
  store::StoreOptions options() const {
    store::StoreOptions options;
    options.home = home_;
    return options;
  }
  void verify_spans() {
    std::string said;
    const auto store = store::TraceStore::open(options(), said);
    ASSERT_NE(store, nullptr) << said;
    const store::Counts totals = store->totals();
    EXPECT_GE(totals.accepted, account_->spans_done.load());
    EXPECT_LE(totals.accepted, account_->spans_begun.load());
    EXPECT_EQ(totals.accepted + totals.retro_kept, totals.stored + totals.dropped_total());
    for (const auto& [reason, n] : totals.dropped) EXPECT_TRUE(reason == "sampled_out" || n == 0) << reason << " " << n;
    std::string why;
    std::uint64_t rows = 0, blobs = 0;
    std::set<std::pair<std::uint32_t, std::uint64_t>> seen;
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open_v2(store->path().c_str(), &database, SQLITE_OPEN_READONLY, nullptr), SQLITE_OK);
    sqlite3_stmt* statement = nullptr;
    ASSERT_EQ(sqlite3_prepare_v2(database, "SELECT data FROM hot", -1, &statement, nullptr), SQLITE_OK);
    while (sqlite3_step(statement) == SQLITE_ROW) {
      store::TraceBlob blob({static_cast<const std::uint8_t*>(sqlite3_column_blob(statement, 0)),
                             static_cast<std::size_t>(sqlite3_column_bytes(statement, 0))});
      EXPECT_TRUE(blob.sound());
      ++blobs;
      for (store::StoredSpan span; blob.next(span);) {
        ++rows;
        EXPECT_TRUE(seen.emplace(span.source, span.span).second) << "a span is there twice";
      }
    }
    sqlite3_finalize(statement);
    sqlite3_close(database);
    EXPECT_EQ(rows, totals.stored);
  }
  static std::string text_of(const std::string& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void verify_logs() {
    std::string all;
    for (const store::RotatedLog& log : store::rotated_logs(home_ + "/logs"))
      all += log.compressed ? store::read_compressed_log(log.path, std::size_t{1} << 30) : text_of(log.path);
    std::istringstream file(all + text_of(home_ + "/logs/honeylink.log"));
    std::set<std::string> seen;
    std::uint64_t lines = 0;
    for (std::string line; std::getline(file, line);) {
      if (line.find("steady.line") == std::string::npos) continue;
      ++lines;
      const auto at = line.find("\"n\":");
      ASSERT_NE(at, std::string::npos) << line;
      EXPECT_TRUE(seen.insert(line.substr(at, line.find('}', at) - at)).second) << "a line is there twice: " << line;
    }
    EXPECT_GE(lines, account_->logs_done.load());
    EXPECT_LE(lines, account_->logs_begun.load());
    std::string said;
    const auto store = store::LogFiles::open(options(), said);
    ASSERT_NE(store, nullptr) << said;
    EXPECT_EQ(store->totals().accepted, store->totals().stored + store->totals().dropped_total());
    EXPECT_EQ(store->totals().dropped_total(), 0U);
  }
  void verify_counts() {
    store::Connection database;
    ASSERT_EQ(database.open(home_ + "/metrics/metrics.db", store::Access::read_only, 1000), SQLITE_OK);
    const std::int64_t calls = database.integer("SELECT sid FROM series WHERE name='steady.calls'", 0),
                       spent = database.integer("SELECT sid FROM series WHERE name='steady.spent'", 0);
    std::uint64_t sum = 0, observations = 0;
    store::MetricScan scan(database, {}, {});
    for (store::MetricPart part; scan.next(part);) {
      if (part.points->sid == calls) sum = std::accumulate(part.points->last.begin(), part.points->last.end(), sum);
      if (part.points->sid != spent) continue;
      for (const Sketch& sketch : part.points->sketches) observations += sketch.count;
    }
    EXPECT_EQ(scan.damaged(), 0U);
    EXPECT_GE(sum, account_->counts_done.load());
    EXPECT_LE(sum, account_->counts_begun.load());
    EXPECT_LE(observations, account_->counts_done.load());
    EXPECT_GE(observations + 1, account_->counts_done.load());
  }

  std::string home_;
  Account* account_ = nullptr;
  pid_t engine_ = 0, recorder_ = 0;
};

// Points that a run of this length does not come by: rotation, checkpoints, packing and upgrades have kill tests of
// their own.
bool is_passed_here(std::string_view point) {
  return !point.starts_with("log.rotate.") && !point.starts_with("checkpoint.") && !point.starts_with("pack.") &&
         !point.starts_with("tidy.") && !point.starts_with("segment.") && !point.starts_with("upgrade.") &&
         !point.starts_with("audit.");
}

class KillEngine : public testing::TestWithParam<std::string_view> {};

TEST_P(KillEngine, NothingIsLostAndNothingTwice) {
  const std::string point(GetParam());
  Trial run;
  run.start_recorder();
  const bool needs_death = point.starts_with("deadring.");
  run.start_engine(point + (point.starts_with("drain.") ? ":20" : ""));
  if (needs_death) {
    std::this_thread::sleep_for(milliseconds(300));
    run.end_recorder(SIGKILL);
  }
  EXPECT_TRUE(run.engine_died()) << "the point was never passed";
  if (!needs_death) {
    std::this_thread::sleep_for(milliseconds(50));
    run.start_engine({});
    std::this_thread::sleep_for(milliseconds(300));
    run.end_recorder(0);
  } else {
    run.start_engine({});
  }
  EXPECT_TRUE(run.rings_gone());
  run.stop_engine();
  run.verify();
}

std::vector<std::string_view> points() {
  std::vector<std::string_view> list;
  for (const auto point : kKillpoints) {
    if (is_passed_here(point)) list.push_back(point);
  }
  return list;
}
INSTANTIATE_TEST_SUITE_P(Points, KillEngine, testing::ValuesIn(points()), [](const auto& info) {
  std::string name(info.param);
  for (char& c : name) c = c == '.' ? '_' : c;
  return name;
});

TEST(KillEngineAtRandom, NothingIsLostAndNothingTwice) {
  const int kills = std::getenv("HONEYLINK_TEST_LONG") != nullptr ? 500 : 30;
  std::random_device seed;
  const unsigned seeded = seed();
  SCOPED_TRACE("seed " + std::to_string(seeded));
  std::mt19937 random(seeded);
  Trial run;
  run.start_recorder();
  for (int i = 0; i < kills; ++i) {
    run.start_engine({});
    std::this_thread::sleep_for(std::chrono::microseconds(5000 + random() % 150000));
    run.kill_engine();
  }
  run.start_engine({});
  run.end_recorder(0);
  EXPECT_TRUE(run.rings_gone());
  run.stop_engine();
  run.verify();
}

TEST(KillApplication, WhatACallRecordedIsThere) {
  const int kills = std::getenv("HONEYLINK_TEST_LONG") != nullptr ? 1000 : 20;
  std::random_device seed;
  const unsigned seeded = seed();
  SCOPED_TRACE("seed " + std::to_string(seeded));
  std::mt19937 random(seeded);
  for (int i = 0; i < kills; ++i) {
    Trial run;
    run.start_engine({});
    run.start_recorder();
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 60000));
    run.wait_for([&] { return run.account().counts_done != 0; });
    run.end_recorder(SIGKILL);
    ASSERT_TRUE(run.rings_gone());
    run.stop_engine();
    run.verify();
    if (HasFailure()) return;
  }
}

}  // namespace
