// When what waits to be told is tried again.
#include "engine/alert_ways.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <thread>

#include "engine/core.h"
#include "engine/testing_home.h"

namespace honeylink::telemetry::engine {
namespace {

std::uint64_t tries(const AlertWays& ways) { return ways.outbox()->counts().toast.unreachable; }

bool eventually(const std::function<bool()>& holds) {
  for (int i = 0; i < 500 && !holds(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  return holds();
}

TEST(AlertWays, AProgramThatRingsOftenDoesNotMakeTheBusBeAskedOften) {
  TestHome home;
  ::setenv("DBUS_SESSION_BUS_ADDRESS", ("unix:path=" + home.path() + "/none").c_str(), 1);
  Core core;
  core.home = home.path(), core.clock = &system_clock(), core.config = config::default_config();
  AlertWays ways;
  ways.begin(core);
  AlertEvent event;
  event.alert_id = "alert_1", event.sli_name = "packet_loss_rate";
  core.alerts.fired(event);
  ASSERT_TRUE(eventually([&] { return tries(ways) == 1; }));
  for (int i = 0; i < 30; ++i) {
    ways.configure(core);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_LE(tries(ways), 2U);  // the second is the back-off's own, after half a second
  // A consent that comes or goes is another matter: it may be what the alert waited for.
  const std::uint64_t before = tries(ways);
  ASSERT_EQ(::mkdir((home.path() + "/consent").c_str(), 0700), 0);
  ways.configure(core);
  EXPECT_TRUE(eventually([&] { return tries(ways) > before; }));
  ::unsetenv("DBUS_SESSION_BUS_ADDRESS");
}

}  // namespace
}  // namespace honeylink::telemetry::engine
