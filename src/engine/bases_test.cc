// Metric differences when the base files are lost, damaged, old or exchanged (PROTOCOL 6): never a value twice, what is
// not knowable is counted as base_lost, and a ring that began after the loss loses nothing.
#include "engine/bases.h"

#include <fstream>
#include <functional>

#include "engine/testing_home.h"
#include "store/metric_scan.h"
#include "store/sqlite.h"

namespace honeylink::telemetry::engine {
namespace {

namespace fs = std::filesystem;

/// Sum of the counter "requests" over all rows.
std::uint64_t stored(const TestHome& home) {
  store::Connection db;
  EXPECT_EQ(db.open(home.path() + "/metrics/metrics.db", store::Access::read_only, 1000), SQLITE_OK);
  const std::int64_t sid = db.integer("SELECT min(sid) FROM series WHERE name='requests'", -1);
  std::uint64_t sum = 0;
  store::MetricScan scan(db, {static_cast<std::uint32_t>(sid)}, {});
  for (store::MetricPart part; scan.next(part);)
    for (const std::uint64_t n : part.points->last) sum += n;
  return sum;
}

std::vector<std::string> base_files(const TestHome& home) {
  std::vector<std::string> files;
  for (const std::string& directory : ring::ring_directories(home.path()))
    for (const char* name : {"/bases.0", "/bases.1"})
      if (fs::exists(directory + name)) files.push_back(directory + name);
  return files;
}

class Bases : public testing::Test {
 protected:
  Bases() : ring_(home_, 1) {
    ring_->series(0, ring::InstrumentKind::counter, {3, 4, 0, 0});
    cells_ = ring_->slab(0, 0, 1);
  }
  /// An engine that sees `add` more before it leads and `later` more while it does.
  store::Counts lead(std::uint64_t add, std::uint64_t later) {
    cells_[0] += add;
    TestEngine e(home_);
    EXPECT_TRUE(e.lead());
    e.tick();
    cells_[0] += later;
    e.tick();
    return e.engine->core()->metrics->totals();
  }
  static void expect_balance(const store::Counts& counts) {
    EXPECT_EQ(counts.accepted, counts.stored + counts.dropped_total());
  }
  TestHome home_;
  LivingRing ring_;
  std::uint64_t* cells_ = nullptr;
};

TEST_F(Bases, KeptOverEnginesEveryIncrementIsStoredOnce) {
  for (int i = 0; i < 4; ++i) expect_balance(lead(5, 7));
  EXPECT_EQ(stored(home_), 48U);
}

TEST_F(Bases, LostTheOpenDifferenceIsCountedAndNothingIsStoredTwice) {
  lead(5, 7);
  ASSERT_EQ(stored(home_), 12U);
  const auto files = base_files(home_);
  ASSERT_FALSE(files.empty());
  for (const std::string& file : files) fs::remove(file);
  const store::Counts counts = lead(2, 3);
  EXPECT_EQ(stored(home_), 12U + 3U) << "2 are not knowable, 3 came after";
  EXPECT_EQ(counts.dropped.at("base_lost"), 1U) << "one changed series";
  expect_balance(counts);
  const store::Counts next = lead(4, 0);
  EXPECT_EQ(stored(home_), 19U) << "the loss is over with the next commit";
  EXPECT_EQ(next.dropped.at("base_lost"), 1U);
}

TEST_F(Bases, ARingThatBeganAfterTheLossLosesNothing) {
  lead(5, 0);
  for (const std::string& file : base_files(home_)) fs::remove(file);
  TestEngine e(home_);
  ASSERT_TRUE(e.lead());
  e.tick();
  LivingRing young(home_, 2);
  young->series(0, ring::InstrumentKind::counter, {3, 4, 0, 0});
  young->slab(0, 0, 1)[0] = 11;
  e.tick();
  EXPECT_EQ(stored(home_), 5U + 11U);
}

struct Damage {
  const char* name;
  std::function<void(const std::string& file)> inflict;
};
void change_byte(const std::string& file, std::int64_t at) {
  std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
  bytes.seekg(at);
  const auto was = static_cast<char>(bytes.get());
  bytes.seekp(at);
  bytes.put(static_cast<char>(was ^ 0x20));
}
const Damage kDamages[] = {
    {"Emptied", [](const std::string& file) { fs::resize_file(file, 0); }},
    {"Head", [](const std::string& file) { fs::resize_file(file, 20); }},
    {"LastByteGone", [](const std::string& file) { fs::resize_file(file, fs::file_size(file) - 1); }},
    {"ByteMore", [](const std::string& file) { std::ofstream(file, std::ios::app | std::ios::binary) << 'x'; }},
    {"Magic", [](const std::string& file) { change_byte(file, 3); }},
    {"CommitNumber", [](const std::string& file) { change_byte(file, 8); }},
    {"Checksum", [](const std::string& file) { change_byte(file, 25); }},
    {"Body", [](const std::string& file) { change_byte(file, static_cast<std::int64_t>(fs::file_size(file)) - 12); }},
    {"Zeroed",
     [](const std::string& file) {
       const auto size = fs::file_size(file);
       std::ofstream(file, std::ios::trunc | std::ios::binary) << std::string(size, '\0');
     }},
    {"Directory", [](const std::string& file) { fs::remove(file), fs::create_directory(file); }},
    {"Link",
     [](const std::string& file) { fs::rename(file, file + ".moved"), fs::create_symlink(file + ".moved", file); }},
};
class DamagedBases : public Bases, public testing::WithParamInterface<Damage> {};

TEST_P(DamagedBases, AreNotBelieved) {
  lead(5, 7);
  for (const std::string& file : base_files(home_)) GetParam().inflict(file);
  const store::Counts counts = lead(2, 3);
  EXPECT_EQ(stored(home_), 12U + 3U);
  EXPECT_EQ(counts.dropped.count("base_lost"), 1U);
  expect_balance(counts);
}
INSTANTIATE_TEST_SUITE_P(Files, DamagedBases, testing::ValuesIn(kDamages),
                         [](const auto& info) { return info.param.name; });

TEST_F(Bases, OfAnEarlierCommitAreNotTakenForTheLast) {
  lead(5, 7);
  std::map<std::string, std::string> old;
  for (const std::string& file : base_files(home_)) {
    std::string why;
    ASSERT_TRUE(read_whole(file, 1 << 20, old[file], why)) << why;
  }
  lead(20, 30);
  ASSERT_EQ(stored(home_), 62U);
  for (const auto& [file, bytes] : old) std::ofstream(file, std::ios::trunc | std::ios::binary) << bytes;
  const store::Counts counts = lead(2, 3);
  EXPECT_EQ(stored(home_), 62U + 3U) << "with the old bases 50 would be stored again";
  EXPECT_EQ(counts.dropped.count("base_lost"), 1U);
}

TEST_F(Bases, ExchangedWithEachOtherAreNotTakenForTheLast) {
  lead(5, 7);
  lead(1, 1);
  const auto files = base_files(home_);
  ASSERT_EQ(files.size(), 2U);
  fs::rename(files[0], files[0] + ".x");
  fs::rename(files[1], files[0]);
  fs::rename(files[0] + ".x", files[1]);
  lead(2, 3);
  EXPECT_EQ(stored(home_), 14U + 3U);
}

}  // namespace
}  // namespace honeylink::telemetry::engine
