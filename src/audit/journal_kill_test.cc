// A writer of the audit log is killed between any two steps; whoever comes next goes on, and the log verifies. The
// child is a fork that dies by SIGKILL at a named point.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "audit/testing_log.h"
#include "base/killpoint.h"

#ifdef HONEYLINK_KILLPOINTS
namespace honeylink::telemetry::audit {
namespace {

std::vector<std::string> points() {
  std::vector<std::string> found;
  for (const std::string_view name : kKillpoints)
    if (name.starts_with("audit.")) found.emplace_back(name);
  return found;
}

/// True where the child came by the point.
bool killed_at(TestLog& log, const std::string& point, bool ends_epoch) {
  const pid_t child = ::fork();
  if (child == 0) {
    arm_killpoint(point, 1);
    std::string why;
    const Journal journal(log.home(), log.clock);
    ::_exit((ends_epoch ? journal.heartbeat(why) : journal.append("config.changed", {}, Result::ok, why)) ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

class JournalKilled : public testing::TestWithParam<std::string> {};

TEST_P(JournalKilled, AtAnyPointTheLogGoesOnAndVerifies) {
  const std::string point = GetParam();
  bool passed = false;
  for (const bool ends_epoch : {false, true}) {
    TestLog log;
    passed = killed_at(log, point, ends_epoch) || passed;  // the very first append
    log.append();
    log.expect_sound(point + ": the first");
    log.live(2);
    passed = killed_at(log, point, ends_epoch) || passed;
    log.append();
    log.expect_sound(point);
    for (int day = 0; day < 430; day += 30) log.clock.advance(30 * kDayNs), log.append();
    for (int i = 0; i < 3; ++i) {  // rotation and pruning
      log.clock.advance(32 * kDayNs);
      passed = killed_at(log, point, ends_epoch) || passed;
      log.append();
      log.expect_sound(point + " at a rotation");
    }
  }
  EXPECT_TRUE(passed) << point << " was never passed: the test proved nothing";
}

INSTANTIATE_TEST_SUITE_P(EveryPoint, JournalKilled, testing::ValuesIn(points()), [](const auto& param) {
  std::string name = param.param;
  for (char& c : name)
    if (c == '.') c = '_';
  return name;
});

}  // namespace
}  // namespace honeylink::telemetry::audit
#endif
