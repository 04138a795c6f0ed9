// A whole session over real sockets: what is measured follows the network, what fails fails cleanly.
#include "session.h"

#include "test_world.h"

namespace honeylink::link {
namespace {

using namespace std::chrono_literals;

// Long enough that a busy machine's pause is not taken for a loss.
constexpr SessionTimes kPatient{.transfer = 1s, .silence_max = 5s, .step_max = 10s, .loss_timeout = 1s};

LinkOptions fast() {
  LinkOptions options;
  options.packets_per_s = 1'200;
  options.bandwidth_bytes_per_s = 1e9;
  return options;
}

class MeasuredLoss : public testing::TestWithParam<double> {};
TEST_P(MeasuredLoss, FollowsTheRelay) {
  const double share = GetParam();
  World world({share, 1, 2}, fast());
  Session session = world.session(kPatient);
  ASSERT_TRUE(session.establish());
  ASSERT_TRUE(session.transfer());
  const auto sent = static_cast<double>(world.stats.packets_sent.load());
  const std::uint64_t lost = world.stats.packets_lost.load();
  EXPECT_GT(sent, 500);
  EXPECT_EQ(world.stats.packets_acknowledged.load() + lost, world.stats.packets_sent.load())
      << "every packet has one fate";
  // The relay also loses hellos, probes and the close, which are not packets: a handful.
  const RelayCounts relay = world.relay->towards_target();
  EXPECT_LE(lost, relay.lost);
  EXPECT_GE(lost + 30, relay.lost);
  const double deviation = std::sqrt(share * (1 - share) / sent);
  EXPECT_NEAR(static_cast<double>(lost) / sent, share, 5 * deviation + 0.001);
}
INSTANTIATE_TEST_SUITE_P(Shares, MeasuredLoss, testing::Values(0.0, 0.02, 0.07, 0.15, 0.3));

TEST(Session, EveryOfferedPacketIsSentOrDropped) {
  LinkOptions options = fast();
  options.packets_per_s = 2'000;
  options.bandwidth_bytes_per_s = 60'000;
  World world({}, options);
  Session session = world.session(kPatient);
  ASSERT_TRUE(session.establish());
  const std::uint64_t before = world.stats.packets_sent.load();
  ASSERT_TRUE(session.transfer());
  EXPECT_GT(world.stats.qos_dropped.load(), 100U) << "far more is offered than the bandwidth takes";
  EXPECT_EQ(world.stats.qos_offered.load(), world.stats.packets_sent.load() - before + world.stats.qos_dropped.load());
}

TEST(Session, AbsentResponderFailsCleanly) {
  World world({});
  world.peer.relay_port = unused_port();
  world.client = connect_udp(world.peer.relay_port);
  Session session = world.session({.step_max = 300ms});
  EXPECT_FALSE(session.establish());
  EXPECT_EQ(world.stats.sessions_failed.load(), 1U);
  EXPECT_EQ(world.stats.packets_sent.load(), 0U);
}

TEST(Session, AbsentPolicyServerFailsCleanly) {
  World world({});
  world.policy_server.reset();
  Session session = world.session();
  EXPECT_FALSE(session.establish());
  EXPECT_EQ(world.stats.sessions_failed.load(), 1U);
}

TEST(Session, ImpostorIsNotTakenForTheResponder) {
  World world({});
  world.peer.public_key = KeyPair().public_key();  // we expect someone else
  Session session = world.session({.step_max = 300ms});
  EXPECT_FALSE(session.establish());
  world.halt();
  EXPECT_EQ(world.table->accepted(), 0U);
}

TEST(Session, OutageBreaksATransferAndTheNextSessionRecovers) {
  World world({}, fast());
  {
    Session session = world.session({.transfer = 30s, .silence_max = 200ms, .loss_timeout = 50ms});
    ASSERT_TRUE(session.establish());
    world.relay->set({1, 0, 0});
    EXPECT_FALSE(session.transfer());
    EXPECT_GT(world.stats.packets_lost.load(), 0U);
    EXPECT_EQ(world.stats.packets_acknowledged.load() + world.stats.packets_lost.load(),
              world.stats.packets_sent.load());
  }
  Session during = world.session({.step_max = 200ms});
  EXPECT_FALSE(during.establish());
  EXPECT_EQ(world.stats.sessions_failed.load(), 2U);
  world.relay->set({});
  Session after = world.session(kPatient);
  EXPECT_TRUE(after.establish());
  EXPECT_EQ(world.stats.sessions_established.load(), 2U);
  EXPECT_EQ(world.stats.sessions_open.load(), 0U);
}

TEST(Session, StoppedRunIsNotAFailedSession) {
  World world({1, 0, 0});
  world.stop.store(true);
  Session session = world.session();
  EXPECT_FALSE(session.establish());
  EXPECT_EQ(world.stats.sessions_failed.load(), 0U);
}

TEST(Session, StopCountsNothingAsLostThatNobodyWaitedFor) {
  World world({0, 50, 0}, fast());
  Session session = world.session(kPatient);
  ASSERT_TRUE(session.establish());
  std::thread stopper([&world] {
    while (world.stats.packets_sent.load() < 50) std::this_thread::yield();
    world.stop.store(true);
  });
  EXPECT_TRUE(session.transfer());
  stopper.join();
  EXPECT_EQ(world.stats.packets_lost.load(), 0U);
  EXPECT_LT(world.stats.packets_acknowledged.load(), world.stats.packets_sent.load());
}

TEST(Session, SlowNetworkMakesASlowEstablishment) {
  World world({0, 40, 0});
  world.policy_server->set_delay_ms(60);
  Session session = world.session(kPatient);
  ASSERT_TRUE(session.establish());
  EXPECT_GE(world.stats.establish_last_us.load(), 60'000U + 4 * 40'000U) << "policy, then two round trips";
}

}  // namespace
}  // namespace honeylink::link
