// Options, scenarios and the lines between the processes.
#include <gtest/gtest.h>

#include <random>

#include "report_line.h"

namespace honeylink::link {
namespace {

TEST(LinkOptions, ArgumentsAreReadBack) {
  LinkOptions options;
  options.scenario = Scenario::outage;
  options.duration_s = 0.1 + 0.2;
  options.loss = 1.0 / 3;
  options.delay_ms = 20;
  options.jitter_ms = 0.5;
  options.policy_delay_ms = 340;
  options.sessions = 3;
  options.packets_per_s = 99.5;
  options.bandwidth_bytes_per_s = 1e6;
  options.seed = 4'294'967'295U;
  options.home = "/tmp/a b";
  options.environment = "staging";
  LinkOptions read;
  std::string error;
  ASSERT_TRUE(parse_options(to_arguments(options), read, error)) << error;
  EXPECT_EQ(to_arguments(read), to_arguments(options));
  EXPECT_EQ(read.loss, options.loss);
  EXPECT_EQ(read.duration_s, options.duration_s);
  EXPECT_EQ(read.seed, options.seed);
  EXPECT_EQ(read.home, options.home);
}

TEST(LinkOptions, DurationsTakeUnits) {
  for (const auto& [text, seconds] :
       {std::pair{"20s", 20.0}, {"2m", 120.0}, {"1h", 3600.0}, {"500ms", 0.5}, {"7", 7.0}}) {
    LinkOptions options;
    std::string error;
    ASSERT_TRUE(parse_options({"--duration", text}, options, error)) << text;
    EXPECT_EQ(options.duration_s, seconds) << text;
  }
}

TEST(LinkOptions, WrongValueNamesTheOptionAndItsRange) {
  for (const auto& [flag, value] : {std::pair{"--loss", "1.1"},
                                    {"--loss", "-0.1"},
                                    {"--loss", "nan"},
                                    {"--loss", "7%"},
                                    {"--loss", ""},
                                    {"--duration", "0s"},
                                    {"--duration", "s"},
                                    {"--duration", "1e9h"},
                                    {"--duration", "-1s"},
                                    {"--scenario", "good"},
                                    {"--sessions", "0"},
                                    {"--sessions", "2.5"},
                                    {"--sessions", "33"},
                                    {"--seed", "-1"},
                                    {"--delay-ms", "inf"},
                                    {"--home", ""}}) {
    LinkOptions options;
    std::string error;
    EXPECT_FALSE(parse_options({flag, value}, options, error)) << flag << ' ' << value;
    EXPECT_NE(error.find(flag), std::string::npos) << error;
    EXPECT_NE(error.find("must be"), std::string::npos) << error;
  }
  LinkOptions options;
  std::string error;
  EXPECT_FALSE(parse_options({"--loss"}, options, error));
  EXPECT_FALSE(parse_options({"--lose", "1"}, options, error));
  EXPECT_EQ(error, "unknown option --lose");
}

TEST(Scenario, NamesAreReadBack) {
  for (const Scenario scenario : {Scenario::healthy, Scenario::lossy, Scenario::slow, Scenario::outage}) {
    EXPECT_EQ(scenario_from(name(scenario)), scenario);
  }
  EXPECT_FALSE(scenario_from("Healthy"));
}

TEST(Scenario, ConditionsAreWhatTheirNamesSay) {
  LinkOptions options;
  EXPECT_LE(conditions_at(options, 0.5).loss, 0.005);
  options.scenario = Scenario::lossy;
  EXPECT_EQ(conditions_at(options, 0.49).loss, 0.07);
  EXPECT_EQ(conditions_at(options, 0.5).loss, 0.15);
  options.scenario = Scenario::slow;
  const Conditions slow = conditions_at(options, 0);
  EXPECT_GT(slow.policy_delay_ms + 4 * slow.delay_ms, 500) << "a policy fetch and two round trips";
  options.scenario = Scenario::outage;
  EXPECT_LT(conditions_at(options, 0.39).loss, 0.01);
  EXPECT_EQ(conditions_at(options, 0.4).loss, 1);
  EXPECT_LT(conditions_at(options, 0.7).loss, 0.01);
}

TEST(Scenario, OverridesReplaceTheNetworkButNotTheOutage) {
  LinkOptions options;
  options.scenario = Scenario::outage;
  options.loss = 0.3;
  options.delay_ms = 9;
  options.jitter_ms = 8;
  options.policy_delay_ms = 7;
  EXPECT_EQ(conditions_at(options, 0.1).loss, 0.3);
  EXPECT_EQ(conditions_at(options, 0.5).loss, 1);
  EXPECT_EQ(conditions_at(options, 0.1).delay_ms, 9);
  EXPECT_EQ(conditions_at(options, 0.1).jitter_ms, 8);
  EXPECT_EQ(conditions_at(options, 0.1).policy_delay_ms, 7);
}

TEST(ReportLine, StatsAndPeerAreReadBack) {
  LinkStats stats, read;
  stats.packets_sent = 12;
  stats.establish_last_us = ~std::uint64_t{0};
  stats.sessions_established = 3;
  ASSERT_TRUE(from_line(to_line(stats), read));
  EXPECT_EQ(to_line(read), to_line(stats));
  EXPECT_EQ(read.packets_sent.load(), 12U);

  Peer peer{65'535, 1, {}};
  for (std::size_t i = 0; i < 32; ++i) peer.public_key[i] = static_cast<std::uint8_t>(i * 8 + 1);
  const auto same = peer_from_line(to_line(peer));
  ASSERT_TRUE(same);
  EXPECT_EQ(same->relay_port, peer.relay_port);
  EXPECT_EQ(same->policy_port, peer.policy_port);
  EXPECT_EQ(same->public_key, peer.public_key);
}

TEST(ReportLine, DamagedLineChangesNothing) {
  LinkStats stats;
  stats.packets_sent = 5;
  const std::string good = to_line(stats);
  for (const std::string& bad : {std::string(), std::string("stats"), good + " 1",
                                 good.substr(0, good.size() - 1) + "x", "ready" + good.substr(5)}) {
    LinkStats read;
    EXPECT_FALSE(from_line(bad, read)) << bad;
    EXPECT_EQ(read.packets_sent.load(), 0U);
  }
  const std::string peer = to_line(Peer{1, 2, {}});
  std::mt19937_64 random(1);
  for (int i = 0; i < 20'000; ++i) {
    std::string line = peer.substr(0, random() % (peer.size() + 1));
    if (!line.empty()) line[random() % line.size()] = static_cast<char>(random());
    static_cast<void>(peer_from_line(line));
    EXPECT_FALSE(line.size() < peer.size() && peer_from_line(line)) << line;
  }
  EXPECT_FALSE(peer_from_line("ready 70000 1 " + hex({})));
  EXPECT_FALSE(peer_from_line("ready 0 1 " + hex({})));
}

}  // namespace
}  // namespace honeylink::link
