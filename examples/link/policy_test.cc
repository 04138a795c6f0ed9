// The policy and its way over real HTTP.
#include "policy.h"

#include <gtest/gtest.h>

#include <random>
#include <thread>

namespace honeylink::link {
namespace {

constexpr Policy kFirst{1, 900, 96}, kSecond{2, 700, 96};

TEST(Policy, TextIsReadBackAndAnythingElseIsRefused) {
  EXPECT_EQ(parse_policy(to_text(kFirst)), kFirst);
  for (const std::string_view bad : {"", "version: 1\n", "version: 0\npacket-bytes-max: 900\nqueue-packets-max: 96\n",
                                     "version: 1\npacket-bytes-max: 9000\nqueue-packets-max: 96\n",
                                     "version: 1\npacket-bytes-max: 900\nqueue-packets-max: 96",
                                     "version: 1\npacket-bytes-max: 900\nqueue-packets-max: 96\nother: 1\n",
                                     "version: -1\npacket-bytes-max: 900\nqueue-packets-max: 96\n",
                                     "version: 1x\npacket-bytes-max: 900\nqueue-packets-max: 96\n", "version\n: 1\n"}) {
    EXPECT_FALSE(parse_policy(bad)) << bad;
  }
  std::mt19937_64 random(2);
  for (int i = 0; i < 20'000; ++i) {
    std::string text = to_text(kFirst);
    for (int change = 0; change < 3; ++change) text[random() % text.size()] = static_cast<char>(random());
    if (const auto policy = parse_policy(text)) { ASSERT_LE(policy->packet_bytes_max, 1024U); }
  }
}

struct PolicyOverHttp : testing::Test {
  std::unique_ptr<PolicyServer> server = PolicyServer::start(kFirst, 2);
  LinkStats stats;
  PolicyClient client{server->port(), stats};
  std::string error;
};

TEST_F(PolicyOverHttp, UnchangedPolicyIsNotSentAgain) {
  EXPECT_EQ(client.fetch(error), kFirst);
  EXPECT_EQ(client.fetch(error), kFirst);
  EXPECT_EQ(stats.policy_fetches.load(), 2U);
  EXPECT_EQ(stats.policy_updates.load(), 1U);
  server->publish(kSecond);
  EXPECT_EQ(client.fetch(error), kSecond);
  EXPECT_EQ(stats.policy_updates.load(), 2U);
  EXPECT_EQ(error, "");
}

TEST_F(PolicyOverHttp, OlderAnswerDoesNotReplaceANewerPolicy) {
  server->publish(kSecond);
  EXPECT_EQ(client.fetch(error), kSecond);
  server->publish(kFirst);
  EXPECT_EQ(client.fetch(error), kSecond);
}

TEST_F(PolicyOverHttp, SenselessPolicyIsAnError) {
  server->publish({3, 1'000'000, 96});
  EXPECT_FALSE(client.fetch(error));
  EXPECT_EQ(error, "policy document refused");
}

TEST_F(PolicyOverHttp, AbsentServerIsAnErrorAndTheOldPolicyIsNotTakenForANewOne) {
  EXPECT_EQ(client.fetch(error), kFirst);
  server.reset();
  EXPECT_FALSE(client.fetch(error));
  EXPECT_NE(error, "");
}

TEST_F(PolicyOverHttp, ManySessionsMayAskAtOnce) {
  std::vector<std::thread> threads;
  std::atomic<int> answered{0};
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      std::string why;
      for (int n = 0; n < 10; ++n) answered += client.fetch(why).has_value() ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(answered.load(), 80);
  EXPECT_EQ(stats.policy_updates.load(), 1U);
}

TEST(PolicyServer, MayBeStoppedAtOnce) {
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(PolicyServer::start(kFirst, 1));
}

}  // namespace
}  // namespace honeylink::link
