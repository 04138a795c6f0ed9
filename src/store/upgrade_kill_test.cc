// F53: an upgrade that is killed has not happened, one that ended has; a file that needs a newer version is left alone.
#include "store/upgrade.h"

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <iterator>
#include <random>
#include <thread>

#include "base/killpoint.h"
#include "store/database.h"
#include "store/test_support.h"
#include "store/test_traces.h"
#include "store/trace_store.h"

namespace honeylink::telemetry::store {
namespace {

constexpr UpgradeStep kSteps[] = {
    {2, 0, "CREATE TABLE moved(id INTEGER PRIMARY KEY, n INTEGER NOT NULL); INSERT INTO moved SELECT id, n FROM hot"},
    {3, 2, "ALTER TABLE moved ADD COLUMN twice INTEGER; UPDATE moved SET twice = 2 * n"}};

bool always(double) { return true; }

struct Home {
  TempHome home;
  std::string path;
  Home() {
    std::string said;
    auto store = open_traces(home.options(), said);
    path = store->path();
    const Source source = make_source(1, {"_other", "a"});
    for (std::uint64_t n = 0; n < 2'000; ++n) {
      store->add(make_span(source, n));
      if (n % 20 != 19) continue;
      EXPECT_EQ(store->commit({}, stored(20), false), CommitResult::ok);
    }
  }
  /// Old or new as a whole, and sound. True: new.
  bool is_new() {
    Connection connection;
    EXPECT_EQ(connection.open(path, Access::read_only, 1000), SQLITE_OK);
    const std::int64_t version = connection.integer("PRAGMA user_version", -1);
    const std::int64_t tables = connection.integer("SELECT count(*) FROM sqlite_schema WHERE name = 'moved'", -1);
    const std::int64_t writer = connection.integer("SELECT value FROM meta WHERE key = 'min_writer'", -1);
    EXPECT_TRUE((version == 1 && tables == 0 && writer == 1) || (version == 3 && tables == 1 && writer == 2))
        << version << ' ' << tables << ' ' << writer;
    EXPECT_EQ(connection.integer("SELECT sum(n) FROM hot", -1), 2'000);
    if (version == 3) { EXPECT_EQ(connection.integer("SELECT sum(twice) FROM moved", -1), 4'000); }
    EXPECT_EQ(connection.integer("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'", -1), 1);
    return version == 3;
  }
};

/// A child that upgrades; killed after `us` unless that is negative.
void upgrade_in_child(const std::string& path, const char* point, int pass, std::int64_t us) {
  const pid_t child = ::fork();
  if (child == 0) {
#ifdef HONEYLINK_KILLPOINTS
    if (point != nullptr) arm_killpoint(point, pass);
#else
    static_cast<void>(pass);
#endif
    ::_exit(upgrade_database(path, kSteps, always).result == Upgraded::Result::upgraded ? 0 : 1);
  }
  if (us >= 0) {
    std::this_thread::sleep_for(std::chrono::microseconds(us));
    ::kill(child, SIGKILL);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status) || us >= 0) << "nobody was killed";
}

#ifdef HONEYLINK_KILLPOINTS
TEST(UpgradeKilled, AtEveryPointItHasHappenedWhollyOrNotAtAll) {
  for (const char* point :
       {"upgrade.after_begin", "upgrade.after_step", "upgrade.before_commit", "upgrade.after_commit"}) {
    for (int pass = 1; pass <= (std::string_view(point) == "upgrade.after_step" ? 2 : 1); ++pass) {
      Home home;
      upgrade_in_child(home.path, point, pass, -1);
      EXPECT_EQ(home.is_new(), std::string_view(point) == "upgrade.after_commit") << point;
      const Upgraded again = upgrade_database(home.path, kSteps, always);
      EXPECT_NE(again.result, Upgraded::Result::failed) << again.why;
      EXPECT_TRUE(home.is_new());
    }
  }
}
#endif

TEST(UpgradeKilled, AHundredTimesAtRandomMomentsItHasHappenedWhollyOrNotAtAll) {
  std::random_device seed;
  const auto number = seed();
  SCOPED_TRACE(number);
  std::mt19937 random(number);
  int done = 0;
  for (int i = 0; i < 100; ++i) {
    Home home;
    upgrade_in_child(home.path, nullptr, 0, static_cast<std::int64_t>(random() % 8'000));
    done += home.is_new() ? 1 : 0;
    EXPECT_NE(upgrade_database(home.path, kSteps, always).result, Upgraded::Result::failed);
    EXPECT_TRUE(home.is_new());
  }
  RecordProperty("finished_before_the_kill", done);
}

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

TEST(Upgrade, OfAFileThatNeedsANewerVersionChangesNothing) {
  Home home;
  EXPECT_EQ(upgrade_database(home.path, kSteps, always).result, Upgraded::Result::upgraded);
  EXPECT_EQ(upgrade_database(home.path, kSteps, always).result, Upgraded::Result::current);
  [&] {
    Connection connection;
    EXPECT_EQ(connection.open(home.path, Access::read_write, 1000), SQLITE_OK);
    EXPECT_EQ(connection.execute("UPDATE meta SET value = 99 WHERE key = 'min_writer'; PRAGMA user_version = 99"),
              SQLITE_OK);
    EXPECT_EQ(connection.execute("PRAGMA wal_checkpoint(TRUNCATE)"), SQLITE_OK);
  }();
  const std::string before = bytes_of(home.path);
  const Upgraded refused = upgrade_database(home.path, kSteps, always);
  EXPECT_EQ(refused.result, Upgraded::Result::newer);
  EXPECT_NE(refused.why.find("min_writer 99"), std::string::npos) << refused.why;
  EXPECT_EQ(bytes_of(home.path), before);
}

TEST(Upgrade, GivenUpByItsCallerChangesNothing) {
  Home home;
  const Upgraded stopped = upgrade_database(home.path, kSteps, [](double share) { return share < 0.4; });
  EXPECT_EQ(stopped.result, Upgraded::Result::failed);
  EXPECT_EQ(stopped.why, "interrupted");
  EXPECT_FALSE(home.is_new());
}

TEST(Upgrade, WithoutStepsADatabaseOfThisVersionIsCurrent) {
  Home home;
  EXPECT_EQ(upgrade_database(home.path, upgrade_steps(), always).result, Upgraded::Result::current);
  EXPECT_FALSE(home.is_new());
}

}  // namespace
}  // namespace honeylink::telemetry::store
