// The engine inside an application: starts, leads, commits on destruction, and leaves a fork child alone.
#include "honeylink/embedded.h"

#include <sys/wait.h>

#include "engine/testing_home.h"

namespace honeylink::telemetry::engine {
namespace {

bool leads_soon(const EmbeddedEngine& engine) {
  for (int i = 0; i < 1000 && !engine.leads(); ++i) ::usleep(5000);
  return engine.leads();
}

TEST(Embedded, StoresWhatARingHoldsAndCommitsWhenItEnds) {
  TestHome home;
  LivingRing ring(home, 1);
  ring->take(0, 0);
  ring->append(0, LivingRing::span(ring::kFlagKept, 1));
  {
    const EmbeddedEngine engine({.home = home.path()});
    ASSERT_TRUE(engine.status().ok()) << engine.status().message();
    ASSERT_TRUE(leads_soon(engine));
  }
  TestEngine after(home);
  ASSERT_TRUE(after.lead());
  EXPECT_EQ(after.spans().stored, 1U);
}

TEST(Embedded, ForkChildHasNoEngineAndDisturbsNone) {
  TestHome home;
  auto engine = std::make_unique<EmbeddedEngine>(EmbeddedOptions{.home = home.path()});
  ASSERT_TRUE(leads_soon(*engine));
  const pid_t child = fork();
  if (child == 0) {
    const bool leads = engine->leads();
    engine.reset();
    _exit(leads ? 1 : 0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(engine->leads());
}

TEST(Embedded, UnusableHomeIsAStatusAndNothingElse) {
  const EmbeddedEngine engine({.home = "/proc/no/such/home"});
  EXPECT_FALSE(engine.status().ok());
  EXPECT_FALSE(engine.leads());
}

}  // namespace
}  // namespace honeylink::telemetry::engine
