// The engine is killed at every named point between judging a tick and telling of it; the next one goes on. Whatever
// was killed when: the table holds each alert once, in the order of an engine that nobody killed, the log names each
// once, and nobody is left untold.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/killpoint.h"
#include "engine/testing_sli.h"
#include "store/test_support.h"

#ifdef HONEYLINK_KILLPOINTS
namespace honeylink::telemetry::engine {
namespace {

// Yellow, Orange, Red, all clear, Red again.
constexpr std::array<std::uint64_t, 16> kLost{140, 140, 140, 300, 300, 300, 500, 0, 0, 0, 0, 0, 0, 500, 0, 0};

/// Time and progress, and who was told, outlive the process.
struct Shared {
  std::int64_t realtime, monotonic;
  std::size_t ticks;           // fed
  std::size_t fired, cleared;  // calls of the hooks
};
class SharedClock final : public Clock {
 public:
  explicit SharedClock(Shared& shared) : shared_(shared) {}
  [[nodiscard]] std::int64_t realtime_ns() const noexcept override { return shared_.realtime; }
  [[nodiscard]] std::int64_t monotonic_ns() const noexcept override { return shared_.monotonic; }
  [[nodiscard]] std::int64_t boottime_ns() const noexcept override { return shared_.monotonic; }

 private:
  Shared& shared_;
};

class Trial {
 public:
  Trial() : link(home, 1) {
    shared = static_cast<Shared*>(
        ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    const std::int64_t now = system_clock().realtime_ns();
    *shared = {now - now % 10'000'000'000 + 10'000'000'000, 1'000'000'000'000, 0, 0, 0};
  }
  ~Trial() { ::munmap(shared, sizeof(Shared)); }
  Trial(const Trial&) = delete;
  Trial& operator=(const Trial&) = delete;

  /// Leads and goes on from where the last one was killed, to the end.
  int live() {
    const SharedClock clock(*shared);
    std::string why;
    const AlertHooks hooks{
        [&](const AlertEvent&) { ++shared->fired; }, [&](const AlertEvent&) { ++shared->cleared; }, {}};
    const auto engine = Engine::start({home.path(), Mode::agent, &clock, hooks}, why);
    if (engine == nullptr || !engine->try_lead(why)) return 2;
    const auto settle = [&] {
      for (int i = 0; i < 30 && engine->step(); ++i) {}
    };
    settle();
    while (shared->ticks < kLost.size()) {
      link.packets(kLost[shared->ticks], 2000);
      ++shared->ticks;
      shared->realtime += 10'000'000'000, shared->monotonic += 10'000'000'000;
      settle();
      shared->realtime += 300'000'000, shared->monotonic += 300'000'000;
      settle();
      shared->realtime -= 300'000'000;  // the next tick begins on its boundary again
    }
    return 0;
  }
  [[nodiscard]] std::vector<std::string> alerts() const {
    return rows_of(home, "SELECT severity, cleared_at IS NOT NULL FROM alerts ORDER BY rowid");
  }
  void expect_all_told(bool killed) const {
    EXPECT_EQ(alerts(), (std::vector<std::string>{"yellow 1", "orange 1", "red 1", "red 0"}));
    const auto ids = rows_of(home, "SELECT alert_id FROM alerts");
    EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), ids.size());
    EXPECT_EQ(count_in_log(home, "\"alert.fired\""), 4U);
    EXPECT_EQ(count_in_log(home, "\"alert.cleared\""), 3U);
    // The hooks tell at least once; a kill before it is known that they did lets them tell once more.
    EXPECT_GE(shared->fired, 4U);
    EXPECT_LE(shared->fired, killed ? 5U : 4U);
    EXPECT_GE(shared->cleared, 3U);
    EXPECT_LE(shared->cleared, killed ? 4U : 3U);
  }
  TestHome home;
  SliProgram link;
  Shared* shared;
};

TEST(SliKill, WithoutAKillTheAlertsAreThese) {
  Trial trial;
  ASSERT_EQ(store::in_child([&] { return trial.live(); }), 0);
  trial.expect_all_told(false);
}

TEST(SliKill, AlertsAreNeitherRepeatedNorLost) {
  for (const char* point :
       {"sli.after_judging", "metric.before_bases", "metric.after_bases", "metric.before_begin", "metric.after_row",
        "sli.before_rows", "sli.after_rows", "metric.before_commit", "metric.after_commit", "metric.after_tick",
        "sli.after_commit", "sli.after_telling", "log.before_write", "log.after_state", "drain.after_log_commit"}) {
    for (const int pass : {1, 3, 4, 5, 7, 8, 10, 14}) {
      SCOPED_TRACE(std::string(point) + " pass " + std::to_string(pass));
      Trial trial;
      const int code = store::in_child([&] {
        arm_killpoint(point, pass);
        return trial.live();
      });
      ASSERT_TRUE(code == -SIGKILL || code == 0) << code;
      ASSERT_EQ(code == 0 ? 0 : store::in_child([&] { return trial.live(); }), 0);
      trial.expect_all_told(code != 0);
      if (HasFailure()) return;
    }
  }
}

TEST(SliKill, ARestoringEngineThatIsKilledForgetsNothing) {
  for (const int engines : {1, 2, 3}) {
    Trial trial;
    int code = store::in_child([&] {
      arm_killpoint("sli.after_commit", 4);
      return trial.live();
    });
    ASSERT_EQ(code, -SIGKILL);
    for (int i = 0; i < engines; ++i) {
      code = store::in_child([&] {
        arm_killpoint("sli.after_restoring", 1);
        return trial.live();
      });
      ASSERT_EQ(code, -SIGKILL);
    }
    ASSERT_EQ(store::in_child([&] { return trial.live(); }), 0);
    EXPECT_EQ(trial.alerts(), (std::vector<std::string>{"yellow 1", "orange 1", "red 1", "red 0"}));
    EXPECT_EQ(count_in_log(trial.home, "\"alert.fired\""), 4U);
  }
}

}  // namespace
}  // namespace honeylink::telemetry::engine
#endif
