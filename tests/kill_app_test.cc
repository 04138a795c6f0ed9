// F01: an application is killed at random instants while it records. What its calls had returned for is in the ring, or
// was dropped by arithmetic, oldest first; nothing is torn, nothing is there twice; open spans are there with their
// attributes. 100 kills; HONEYLINK_TEST_LONG=1: 1,000. HONEYLINK_TEST_SEED repeats a run's instants.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cstring>
#include <random>

#include "base/limits.h"
#include "programs/killed_app.h"
#include "ring_contents.h"

namespace honeylink::telemetry::tests {
namespace {

void pause_ns(std::int64_t ns) {
  const timespec time{static_cast<time_t>(ns / 1'000'000'000), static_cast<long>(ns % 1'000'000'000)};
  nanosleep(&time, nullptr);
}

// Starts the program, kills it `after_ns` after it began to record. False: it did not come to record.
bool run_and_kill(const std::string& page_file, SidePage& side, std::uint64_t ring_bytes, std::int64_t after_ns) {
  const std::string program = HONEYLINK_PROGRAMS_DIR "/killed_app", bytes = std::to_string(ring_bytes);
  const pid_t child = fork();
  if (child == 0) {
    execl(program.c_str(), program.c_str(), page_file.c_str(), bytes.c_str(), nullptr);
    _exit(127);
  }
  int status = 0;
  while (side.ready.load() == 0)
    if (waitpid(child, &status, WNOHANG) == child) return false;
    else pause_ns(200'000);
  pause_ns(after_ns);
  kill(child, SIGKILL);
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

// `n` of the records of one thread: contiguous up to what was told, at most one beyond, none twice. Answers how many
// there are.
std::uint64_t expect_suffix(const RingContents& ring, const char* name, const char* number, std::int64_t thread,
                            std::uint64_t told) {
  std::uint64_t found = 0;
  std::int64_t last = -1;
  for (const Record& record : ring.records) {
    const auto of = record.numbers.find("thread");
    if (record.name != name || of == record.numbers.end() || of->second != thread) continue;
    const std::int64_t n = record.numbers.count(number) != 0 ? record.numbers.at(number) : -2;
    EXPECT_TRUE(found == 0 || n == last + 1) << name << " of thread " << thread << ": " << n << " follows " << last;
    last = n;
    ++found;
  }
  if (found != 0) {
    EXPECT_GE(last + 1, static_cast<std::int64_t>(told)) << name << " of thread " << thread << ": told and not there";
    EXPECT_LE(last + 1, static_cast<std::int64_t>(told) + 1)
        << name << " of thread " << thread << ": there and never made";
  }
  return found;
}

bool is_recorded(const RingContents& ring, std::uint64_t span) {
  return std::any_of(ring.records.begin(), ring.records.end(),
                     [&](const Record& r) { return !r.is_log && r.span == span; });
}

void expect_open_spans(const RingContents& ring, const SidePage& side) {
  for (const OpenRecord& open : ring.open) {
    EXPECT_TRUE(open.ending || !is_recorded(ring, open.span)) << "span " << open.span << " is open and ended";
    EXPECT_EQ(open.numbers.count("thread"), 1u) << "an open span without its attributes";
  }
  for (std::int64_t t = 0; t < kTellingThreads; ++t) {
    const std::int64_t round = side.told[t].open_round.load() - 1;
    if (round < 0) continue;
    const bool there = std::any_of(ring.open.begin(), ring.open.end(), [&](const OpenRecord& open) {
      return open.name == "lasting" && open.numbers.count("thread") != 0 && open.numbers.at("thread") == t &&
             open.numbers.count("round") != 0 && open.numbers.at("round") == round;
    });
    EXPECT_TRUE(there) << "the open span of thread " << t << ", round " << round << ", is gone";
  }
}

void expect_value(const RingContents& ring, const char* name, std::uint64_t told) {
  const auto value = ring.values.find(name);
  const double got = value != ring.values.end() ? value->second : 0;
  EXPECT_GE(got, static_cast<double>(told)) << name;
  EXPECT_LE(got, static_cast<double>(told) + kTellingThreads) << name;
}

void expect_whole(const RingContents& ring, const SidePage& side) {
  for (const std::string& what : ring.unsound) ADD_FAILURE() << what;
  std::uint64_t logs = 0, spans = 0, adds = 0, labelled = 0, values = 0;
  for (std::int64_t t = 0; t < kTellingThreads; ++t) {
    const Told& told = side.told[t];
    expect_suffix(ring, "log", "n", t, told.logs);
    expect_suffix(ring, "span", "n", t, told.spans);
    logs += told.logs, spans += told.spans + told.lasting, adds += told.adds, labelled += told.labelled,
        values += told.values;
  }
  EXPECT_GE(ring.accepted[2], logs);
  EXPECT_LE(ring.accepted[2], logs + kTellingThreads);
  EXPECT_GE(ring.accepted[0], spans);
  EXPECT_LE(ring.accepted[0], spans + kTellingThreads);
  EXPECT_LE(ring.records.size(), ring.accepted_in_all());
  expect_value(ring, "killed.adds", adds);
  expect_value(ring, "killed.labelled", labelled);
  expect_value(ring, "killed.values", values);
  expect_open_spans(ring, side);
  EXPECT_FALSE(ring.clean);
}

void kill_many(std::uint64_t ring_bytes, int kills, std::int64_t longest_ns) {
  const TestHome home;
  const std::string page_file = home.path() + "/page";
  const char* given = std::getenv("HONEYLINK_TEST_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  testing::Test::RecordProperty("seed", std::to_string(seed));
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 random(seed);
  Fd file(::open(page_file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  ASSERT_EQ(ftruncate(file.get(), sizeof(SidePage)), 0);
  void* page = mmap(nullptr, sizeof(SidePage), PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  ASSERT_NE(page, MAP_FAILED);
  auto& side = *static_cast<SidePage*>(page);
  std::uint64_t recorded = 0, stored = 0;
  for (int i = 0; i < kills && !testing::Test::HasFailure(); ++i) {
    std::memset(page, 0, sizeof(SidePage));
    const auto after = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(longest_ns));
    SCOPED_TRACE("kill " + std::to_string(i) + ", after " + std::to_string(after) + " ns, seed " +
                 std::to_string(seed));
    ASSERT_TRUE(run_and_kill(page_file, side, ring_bytes, after));
    const auto rings = home.rings();
    ASSERT_EQ(rings.size(), 1u);
    expect_whole(rings[0], side);
    recorded += rings[0].accepted_in_all();
    stored += rings[0].records.size();
    home.remove_rings();
  }
  std::printf("%d kills: %llu records accepted, %llu in the rings, %llu dropped by arithmetic\n", kills,
              static_cast<unsigned long long>(recorded), static_cast<unsigned long long>(stored),
              static_cast<unsigned long long>(recorded - stored));
  EXPECT_GT(recorded, static_cast<std::uint64_t>(kills));
  munmap(page, sizeof(SidePage));
}

int kills() {
  const char* is_long = std::getenv("HONEYLINK_TEST_LONG");
  return is_long != nullptr && *is_long == '1' ? 500 : 50;
}

TEST(KilledApp, SmallRingInWhichChunksAreTaken) { kill_many(kRingBytesMin, kills(), 20'000'000); }
TEST(KilledApp, RingThatHoldsEverything) { kill_many(std::uint64_t{16} << 20, kills(), 4'000'000); }

}  // namespace
}  // namespace honeylink::telemetry::tests
