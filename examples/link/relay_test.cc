// The relay does what it was told: the share it loses, the delay it adds, the way back it finds.
#include "relay.h"

#include <gtest/gtest.h>

namespace honeylink::link {
namespace {

using namespace std::chrono_literals;

std::string receive_text(int fd) {
  std::array<std::uint8_t, kDatagramBytesMax> buffer{};
  if (!wait_readable(fd, Clock::now() + 5s)) return "nothing";
  const ByteView got = receive(fd, buffer);
  return {got.begin(), got.end()};
}
Bytes bytes(std::string_view text) { return {text.begin(), text.end()}; }

TEST(Impairment, LosesTheAskedShare) {
  for (const double share : {0.0, 0.002, 0.07, 0.15, 0.5, 1.0}) {
    Impairment impairment(99);
    constexpr int kCount = 200'000;
    int lost = 0;
    for (int i = 0; i < kCount; ++i) lost += impairment.loses({share, 0, 0}) ? 1 : 0;
    EXPECT_NEAR(lost / double{kCount}, share, 0.005) << share;
  }
}

TEST(Impairment, EqualSeedsLoseTheSameDatagrams) {
  Impairment a(5), b(5), c(6);
  int different = 0;
  for (int i = 0; i < 1'000; ++i) {
    const bool lost = a.loses({0.5, 0, 0});
    ASSERT_EQ(lost, b.loses({0.5, 0, 0}));
    different += lost != c.loses({0.5, 0, 0}) ? 1 : 0;
  }
  EXPECT_GT(different, 300);
}

TEST(Impairment, DelayStaysBetweenItsBounds) {
  Impairment impairment(1);
  std::chrono::nanoseconds low = 1h, high = 0s;
  for (int i = 0; i < 10'000; ++i) {
    const auto delay = impairment.delay({0, 20, 5});
    low = std::min(low, delay);
    high = std::max(high, delay);
  }
  EXPECT_GE(low, 20ms);
  EXPECT_LT(low, 20'100us);
  EXPECT_LE(high, 25ms);
  EXPECT_GT(high, 24'900us);
}

TEST(Relay, FindsTheWayBackToEachClient) {
  const Fd target = bind_udp();
  const auto relay = Relay::start(local_port(target.get()), {}, 1);
  ASSERT_TRUE(relay);
  const Fd first = connect_udp(relay->port()), second = connect_udp(relay->port());
  for (const auto& [client, text] : {std::pair{&first, "one"}, {&second, "two"}, {&first, "three"}}) {
    ASSERT_TRUE(send(client->get(), bytes(text)));
    std::array<std::uint8_t, 64> buffer{};
    ASSERT_TRUE(wait_readable(target.get(), Clock::now() + 5s));
    sockaddr_in from{};
    socklen_t length = sizeof from;
    const ssize_t size =
        ::recvfrom(target.get(), buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&from), &length);
    ASSERT_GT(size, 0);
    ::sendto(target.get(), buffer.data(), static_cast<std::size_t>(size), 0, reinterpret_cast<sockaddr*>(&from),
             length);
    EXPECT_EQ(receive_text(client->get()), text);
  }
}

TEST(Relay, EveryDatagramIsForwardedOrLostAndTheSeedDecides) {
  const auto run = [](unsigned seed) {
    const Fd target = bind_udp();
    const auto relay = Relay::start(local_port(target.get()), {0.3, 0, 0}, seed);
    const Fd client = connect_udp(relay->port());
    std::string arrived;
    for (int i = 0; i < 400; ++i) {
      const auto before = relay->towards_target();
      EXPECT_TRUE(send(client.get(), bytes(std::to_string(i))));
      RelayCounts now;
      do {
        std::this_thread::yield();
        now = relay->towards_target();
      } while (now.forwarded + now.lost == before.forwarded + before.lost);
      if (now.forwarded > before.forwarded) arrived += receive_text(target.get()) + ' ';
    }
    const RelayCounts counts = relay->towards_target();
    EXPECT_EQ(counts.forwarded + counts.lost, 400U);
    EXPECT_NEAR(static_cast<double>(counts.lost), 120, 4 * 9.2) << "four standard deviations";
    return arrived;
  };
  const std::string once = run(3);
  EXPECT_EQ(once, run(3));
  EXPECT_NE(once, run(4));
}

TEST(Relay, SettingsChangeWhileItRuns) {
  const Fd target = bind_udp();
  const auto relay = Relay::start(local_port(target.get()), {1, 0, 0}, 1);
  const Fd client = connect_udp(relay->port());
  ASSERT_TRUE(send(client.get(), bytes("lost")));
  while (relay->towards_target().lost == 0) std::this_thread::yield();
  relay->set({0, 30, 0});
  const Time sent = Clock::now();
  ASSERT_TRUE(send(client.get(), bytes("late")));
  EXPECT_EQ(receive_text(target.get()), "late");
  EXPECT_GE(Clock::now() - sent, 30ms);
}

TEST(Relay, MoreClientsThanItHoldsAreCountedAsRefused) {
  const Fd target = bind_udp();
  const auto relay = Relay::start(local_port(target.get()), {}, 1);
  std::vector<Fd> clients;
  for (int i = 0; i < 70; ++i) {
    clients.push_back(connect_udp(relay->port()));
    ASSERT_TRUE(send(clients.back().get(), bytes("x")));
  }
  RelayCounts counts;
  while (counts.forwarded + counts.refused < 70) counts = relay->towards_target();
  EXPECT_EQ(counts.forwarded, 64U);
  EXPECT_EQ(counts.refused, 6U);
}

TEST(Relay, GoneTargetIsNoReasonToEnd) {
  const auto relay = Relay::start(local_port(bind_udp().get()), {}, 1);
  const Fd client = connect_udp(relay->port());
  for (std::uint64_t i = 1; i <= 5; ++i) {
    ASSERT_TRUE(send(client.get(), bytes("x")));
    while (relay->towards_target().forwarded < i) std::this_thread::yield();
  }
}

}  // namespace
}  // namespace honeylink::link
