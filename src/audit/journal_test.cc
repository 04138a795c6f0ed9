#include "audit/journal.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "audit/testing_log.h"
#include "base/file.h"
#include "base/text.h"

namespace honeylink::telemetry::audit {
namespace {

std::vector<Entry> entries_of(const TestLog& log) {
  std::vector<Entry> all;
  for (const std::string& file : list_files(log.home())) {
    for (const std::string& line : lines_of(content_of(file))) {
      std::string why;
      EXPECT_TRUE(read_entry(line, all.emplace_back(), why)) << why << ": " << line;
    }
  }
  return all;
}
std::vector<std::string> events_of(const TestLog& log) {
  std::vector<std::string> events;
  for (const Entry& entry : entries_of(log)) events.push_back(entry.event);
  return events;
}
using Events = std::vector<std::string>;

TEST(Entry, ComesBackAsItWasWhateverIsInIt) {
  const auto key = SigningKey::make();
  std::mt19937 random(7);
  for (int i = 0; i < 300; ++i) {
    Entry entry;
    entry.seq = 1 + random() % 1'000, entry.time_unix_ns = 1'790'000'000'000'000'001 + i, entry.epoch = 3;
    entry.event_id = "audit_1", entry.event = "config.changed", entry.program = "a\x1b\"\xff";
    std::string value(random() % 40, '\0');
    for (char& c : value) c = static_cast<char>(random());
    entry.context = {{"text", value}, {"line", "one\ntwo\xe2\x80\xa8three\xc2\x85"}};
    entry.result = static_cast<Result>(i % 3);
    if (i % 2 == 0) entry.next_key = key->public_key();
    const std::string line = write_entry(entry, *key);
    for (const char c : line) ASSERT_GE(static_cast<unsigned char>(c), 0x20) << "one entry is one line";
    Entry again;
    std::string why;
    ASSERT_TRUE(read_entry(line, again, why)) << why << ": " << line;
    EXPECT_TRUE(is_signed_by(again, key->public_key()));
    EXPECT_EQ(again.seq, entry.seq);
    EXPECT_EQ(again.time_unix_ns, entry.time_unix_ns);
    EXPECT_EQ(again.next_key, entry.next_key);
    EXPECT_EQ(again.result, entry.result);
  }
}

TEST(Journal, BeginsWithItsKeyAndIsPrivate) {
  TestLog log;
  const mode_t before = ::umask(0);
  log.append("consent.grant");
  ::umask(before);
  EXPECT_EQ(events_of(log), (Events{"journal.begin", "consent.grant"}));
  const auto mode_of = [](const std::string& path) {
    struct stat info {};
    return ::stat(path.c_str(), &info) == 0 ? info.st_mode & 07777 : 0;
  };
  EXPECT_EQ(mode_of(log.home() + "/audit"), 0700U);
  for (const char* file : {"/audit/audit.log", "/audit/head", "/audit/.lock", "/keys/audit.key"})
    EXPECT_EQ(mode_of(log.home() + file), 0600U) << file;
  log.expect_sound("two entries");
}

TEST(Journal, EntriesNameWhoDidWhatWhenWithWhatResult) {
  TestLog log;
  std::string why;
  ASSERT_TRUE(Journal(log.home(), log.clock).append("consent.refused", {{"why", "forged"}}, Result::refused, why))
      << why;
  const Entry entry = entries_of(log).back();
  EXPECT_EQ(entry.seq, 2U);
  EXPECT_TRUE(entry.event_id.starts_with("audit_0"));
  EXPECT_EQ(entry.time_unix_ns, log.clock.realtime_ns());
  EXPECT_EQ(entry.uid, ::geteuid());
  EXPECT_EQ(entry.pid, static_cast<std::uint64_t>(::getpid()));
  EXPECT_EQ(entry.program, "audit_test");
  EXPECT_EQ(entry.of("why"), "forged");
  EXPECT_EQ(entry.result, Result::refused);
}

TEST(Journal, AnHourIsAnEpochAndItsKeyIsGoneAfterwards) {
  TestLog log;
  log.append();
  EpochKey first, second;
  std::string why;
  ASSERT_EQ(read_epoch_key(log.home(), false, first, why), KeyState::ready) << why;
  log.clock.advance(kHourNs - 1);
  log.append();
  ASSERT_EQ(read_epoch_key(log.home(), false, second, why), KeyState::ready);
  EXPECT_EQ(first.key->public_key(), second.key->public_key());
  log.clock.advance(1);
  log.append();  // the last of its epoch
  ASSERT_EQ(read_epoch_key(log.home(), false, second, why), KeyState::ready);
  EXPECT_NE(first.key->public_key(), second.key->public_key());
  EXPECT_EQ(second.epoch, 2U);
  EXPECT_EQ(entries_of(log).back().next_key, second.key->public_key());
  Seed seed = first.key->seed();
  for (const auto& file : std::filesystem::recursive_directory_iterator(log.home())) {
    if (!file.is_regular_file()) continue;
    EXPECT_EQ(content_of(file.path()).find(hex(seed)), std::string::npos) << file.path();
  }
  log.append();
  EXPECT_EQ(entries_of(log).back().epoch, 2U);
  log.expect_sound("two epochs");
}

TEST(Journal, OfManyWritersIsOneChain) {
  TestLog log;
  const std::vector<int> writers{0, 1, 2, 3};
  std::vector<pid_t> children;
  for (const int writer : writers) {
    const pid_t child = ::fork();
    if (child == 0) {
      std::string why;
      bool all = true;
      for (int i = 0; i < 10; ++i)
        all = Journal(log.home(), log.clock, 60'000)
                  .append("config.changed", {{"writer", std::to_string(writer)}}, Result::ok, why) &&
              all;
      ::_exit(all ? 0 : 1);
    }
    children.push_back(child);
  }
  std::thread thread([&] {
    std::string why;
    for (int i = 0; i < 10; ++i) EXPECT_TRUE(Journal(log.home(), log.clock, 60'000).heartbeat(why)) << why;
  });
  for (const pid_t child : children) {
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  thread.join();
  EXPECT_EQ(entries_of(log).size(), 51U);
  log.expect_sound("51 entries of five writers");
}

TEST(Journal, ASlowWriterIsWaitedForNotForEver) {
  TestLog log;
  log.append();
  std::string why;
  const Fd held = open_file(log.home() + "/audit/.lock", O_RDWR, 0, why);
  ASSERT_TRUE(try_lock(held.get()));
  EXPECT_FALSE(Journal(log.home(), log.clock, 50).append("config.changed", {}, Result::ok, why));
  EXPECT_NE(why.find("another process"), std::string::npos) << why;
}

TEST(Journal, AClockThatGoesBackIsSaidAndEndsTheEpoch) {
  TestLog log;
  log.append();
  log.clock.step(-40 * kDayNs);
  log.append();
  EXPECT_EQ(events_of(log), (Events{"journal.begin", "config.changed", "clock.step", "config.changed"}));
  const std::vector<Entry> all = entries_of(log);
  EXPECT_EQ(all[2].of("seconds"), std::to_string(-40 * 86'400));
  EXPECT_EQ(all[3].epoch, 2U);
  EXPECT_EQ(all[3].seq, 4U) << "numbers never go back";
  log.clock.step(-kSecondNs / 2);
  log.append();
  EXPECT_EQ(events_of(log).size(), 5U) << "half a second is no step";
  log.expect_sound("a clock that went back");
}

TEST(Journal, OfTheYears1970And2106GoesOn) {
  TestLog log;
  log.append();
  log.clock.step(4'300'000'000 * kSecondNs - log.clock.realtime_ns());
  log.append();
  log.clock.step(5 * kSecondNs - log.clock.realtime_ns());
  log.append();
  log.expect_sound("1970");
}

TEST(Journal, ATornLastLineIsSetAsideAndSaid) {
  TestLog log;
  log.append();
  const std::string whole = content_of(log.log()), head = content_of(log.home() + "/audit/head");
  log.append();
  const std::string longer = content_of(log.log());
  const std::size_t step = std::getenv("HONEYLINK_TEST_LONG") != nullptr ? 1 : 29;
  for (std::size_t size = whole.size() + 1; size < longer.size(); size += step) {
    put_content(log.log(), longer.substr(0, size));
    put_content(log.home() + "/audit/head", head);
    const Verification torn = log.verify();
    ASSERT_EQ(torn.findings_total, 1U);
    EXPECT_EQ(torn.findings[0].fault, Fault::unsigned_end);
    log.append("engine.start");
    log.expect_sound("torn after " + std::to_string(size) + " bytes");
    const std::vector<Entry> all = entries_of(log);
    ASSERT_EQ(all.size(), 4U);
    EXPECT_EQ(all[2].event, "journal.repaired");
    EXPECT_EQ(content_of(std::string(all[2].of("file"))), longer.substr(whole.size(), size - whole.size()));
    put_content(log.log(), whole);
  }
}

TEST(Journal, ALogThatWasCutGoesOnBehindItsHeadAndTheGapStaysVisible) {
  TestLog log;
  log.live(3);
  const std::vector<std::string> lines = lines_of(content_of(log.log()));
  put_content(log.log(), joined({lines.begin(), lines.begin() + 7}));
  log.append("engine.start");
  const std::vector<Entry> all = entries_of(log);
  ASSERT_EQ(all.size(), 9U);
  EXPECT_EQ(all[7].event, "journal.gap");
  EXPECT_EQ(all[7].seq, lines.size() + 1);
  EXPECT_EQ(all[7].of("found_seq"), "7");
  log.live(2);
  EXPECT_FALSE(log.verify().sound());
  EXPECT_EQ(log.verify().findings[0].fault, Fault::missing);
}

TEST(Journal, WithoutItsKeyBeginsAnewAndNothingVouchesForThat) {
  for (const bool damaged : {false, true}) {
    TestLog log;
    log.live(2);
    const std::string key = key_path(log.home(), "audit.key");
    if (damaged) put_content(key, "nonsense");
    else std::filesystem::remove(key);
    log.append();
    EXPECT_EQ(entries_of(log)[entries_of(log).size() - 2].of("reason"), "lost_key");
    const Verification found = log.verify();
    EXPECT_EQ(found.findings_total, 1U);
    EXPECT_EQ(found.findings[0].fault, Fault::unvouched);
  }
}

TEST(Journal, WithAnOlderKeyPutBackBeginsAnew) {
  TestLog log;
  log.live(1);
  const std::string old = content_of(key_path(log.home(), "audit.key"));
  log.live(2);
  put_content(key_path(log.home(), "audit.key"), old);
  log.append();
  EXPECT_FALSE(log.verify().sound());
  EXPECT_EQ(log.verify().findings[0].fault, Fault::unvouched);
}

TEST(Journal, IsRotatedByAgeAndKeptForAYear) {
  TestLog log;
  for (int day = 0; day < 500; ++day) log.append(), log.clock.advance(kDayNs);
  const std::vector<std::string> files = list_files(log.home());
  EXPECT_GE(files.size(), 12U);
  EXPECT_LE(files.size(), 14U);
  const Verification found = log.verify();
  log.expect_sound("500 days");
  EXPECT_FALSE(found.began_here);
  EXPECT_GE(log.clock.realtime_ns() - found.first_unix_ns, 366 * kDayNs);
  EXPECT_LE(log.clock.realtime_ns() - found.first_unix_ns, (366 + 2 * 31 + 1) * kDayNs);
  EXPECT_EQ(entries_of(log).front().event, "journal.file");
}

TEST(Journal, AClockAYearAheadCostsAMonthOfTheLogAtMost) {
  TestLog log;
  for (int day = 0; day < 100; ++day) log.append(), log.clock.advance(kDayNs);
  const std::size_t before = list_files(log.home()).size();
  log.clock.step(400 * kDayNs);
  for (int i = 0; i < 10; ++i) log.append();
  log.clock.step(-400 * kDayNs);
  for (int i = 0; i < 10; ++i) log.append();
  EXPECT_GE(list_files(log.home()).size(), before);
  log.expect_sound("there and back");
}

TEST(Journal, BehindALinkIsNotWritten) {
  for (const char* file : {"/audit/audit.log", "/audit", "/keys/audit.key", "/audit/.lock"}) {
    TestLog log;
    log.append();
    const std::string victim = log.home() + "/victim";
    std::filesystem::rename(log.home() + file, victim);
    std::filesystem::create_symlink(victim, log.home() + file);
    const bool folder = std::filesystem::is_directory(victim);
    const std::string before = folder ? "" : content_of(victim);
    std::string why;
    EXPECT_FALSE(Journal(log.home(), log.clock).append("config.changed", {}, Result::ok, why)) << file;
    EXPECT_NE(why.find("symbolic link"), std::string::npos) << file << ": " << why;
    EXPECT_EQ(folder ? "" : content_of(victim), before) << file;
  }
}

TEST(Journal, ADiskThatIsFullLeavesNoHalfEntry) {
  TestLog log;
  log.append();
  const std::uintmax_t size = std::filesystem::file_size(log.log());
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{size + 100, size + 100};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    std::string why;
    ::_exit(Journal(log.home(), log.clock).append("config.changed", {}, Result::ok, why) ? 1 : 0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0) << "an entry that could not be written was reported as written";
  EXPECT_EQ(std::filesystem::file_size(log.log()), size);
  log.append();
  log.expect_sound("after there was room again");
}

}  // namespace
}  // namespace honeylink::telemetry::audit
