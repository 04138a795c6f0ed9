// Hostile datagrams against the responder: each kind is counted under its reason, none is answered twice, none crashes.
#include "session_table.h"

#include <gtest/gtest.h>

#include <random>

namespace honeylink::link {
namespace {

using namespace std::chrono_literals;
constexpr Time kStart{1'000s};

struct Table {
  KeyPair identity, initiator;
  std::vector<Bytes> sent;
  SessionTable table{
      identity, [this](const sockaddr_in&, ByteView datagram) { sent.emplace_back(datagram.begin(), datagram.end()); }};
  sockaddr_in from = loopback(9);

  void receive(ByteView datagram, Time now = kStart) { table.receive(datagram, from, now); }
  Bytes hello(std::uint64_t session, const KeyBytes& key) const {
    const HeaderBytes head = encode(Header{Type::hello, session, 0});
    const Bytes body = encode(Hello{key, {}});
    Bytes out(head.size() + body.size());
    std::ranges::copy(body, std::ranges::copy(head, out.begin()).out);
    return out;
  }
  // A session as a real initiator has it.
  Channel establish(std::uint64_t session = 5) {
    receive(hello(session, initiator.public_key()));
    const Bytes& welcome = sent.back();
    KeyBytes ephemeral{};
    std::copy_n(welcome.begin() + kHeaderBytes, kKeyBytes, ephemeral.begin());
    return std::move(*agree_as_initiator(session, initiator, identity.public_key(), ephemeral));
  }
  std::uint64_t refused(std::string_view reason) const {
    const auto found = table.refused().find(reason);
    return found == table.refused().end() ? 0 : found->second;
  }
};

Bytes payload(Channel& channel, Kind kind = Kind::payload) {
  return channel.seal(Type::data, encode(Message{kind, {}, {1, 2, 3}}));
}

TEST(SessionTable, ReplayedDatagramIsCountedAndNotTakenTwice) {
  Table table;
  Channel channel = table.establish();
  const Bytes first = payload(channel);
  table.receive(first);
  table.receive(first);
  EXPECT_EQ(table.table.accepted(), 1U);
  EXPECT_EQ(table.refused("replayed"), 1U);
}

TEST(SessionTable, TamperedDatagramIsCountedAndMovesNothing) {
  Table table;
  Channel channel = table.establish();
  Bytes forged = payload(channel);
  forged[12] = 200;  // a far counter, which must not push good ones out of the window
  table.receive(forged);
  EXPECT_EQ(table.refused("tampered"), 1U);
  table.receive(payload(channel));
  EXPECT_EQ(table.table.accepted(), 1U);
}

TEST(SessionTable, ShortForeignAndUnknownDatagramsAreCountedByReason) {
  Table table;
  Channel channel = table.establish();
  table.receive(Bytes{});
  table.receive(Bytes{1, 2, 3});
  table.receive(encode(Header{Type::report, 5, 1}));
  table.receive(encode(Header{Type::data, 6, 1}));
  table.receive(encode(Header{Type::data, 5, 1}));
  table.receive(encode(Header{Type::hello, 7, 0}));
  table.receive(table.hello(0, table.initiator.public_key()));
  table.receive(table.hello(8, KeyBytes{}));
  table.receive(table.hello(5, KeyPair().public_key()));
  table.receive(channel.seal(Type::data, Bytes{77}));
  EXPECT_EQ(table.refused("short"), 2U);
  EXPECT_EQ(table.refused("type"), 1U);
  EXPECT_EQ(table.refused("session"), 1U);
  EXPECT_EQ(table.refused("tampered"), 1U);
  EXPECT_EQ(table.refused("hello"), 3U);
  EXPECT_EQ(table.refused("conflict"), 1U) << "an open session is not taken over";
  EXPECT_EQ(table.refused("message"), 1U);
  EXPECT_EQ(table.sent.size(), 1U) << "none of them is answered";
  EXPECT_EQ(table.table.size(), 1U);
}

TEST(SessionTable, RepeatedHelloGetsTheSameWelcome) {
  Table table;
  const Bytes hello = table.hello(5, table.initiator.public_key());
  table.receive(hello);
  table.receive(hello);
  ASSERT_EQ(table.sent.size(), 2U);
  EXPECT_EQ(table.sent[0], table.sent[1]) << "a second key would leave the two sides with different ones";
  EXPECT_EQ(table.table.size(), 1U);
}

TEST(SessionTable, FloodOfHellosIsBoundedAndForgotten) {
  Table table;
  for (std::uint64_t session = 1; session <= 300; ++session)
    table.receive(table.hello(session, table.initiator.public_key()));
  EXPECT_EQ(table.table.size(), 256U);
  EXPECT_EQ(table.refused("full"), 44U);
  table.table.tick(kStart + 1h);
  EXPECT_EQ(table.table.size(), 0U);
}

TEST(SessionTable, RandomAndMutatedDatagramsNeverCrashAndAreNeverAccepted) {
  Table table;
  Channel channel = table.establish();
  std::mt19937_64 random(17);
  const Bytes good = payload(channel);
  constexpr int kCount = 50'000;
  for (int i = 0; i < kCount; ++i) {
    Bytes bytes = good;
    if (i % 2 == 0) bytes.resize(random() % 120);
    const std::size_t from = i % 4 < 2 ? 0 : 4;  // half of them keep magic, version and type
    for (std::size_t at = from; at < bytes.size(); ++at) {
      if (random() % 8 == 0) bytes[at] = static_cast<std::uint8_t>(random());
    }
    if (bytes == good) continue;
    table.receive(bytes);
  }
  EXPECT_EQ(table.table.accepted(), 0U);
  EXPECT_EQ(table.table.size(), 1U);
  table.receive(good);
  EXPECT_EQ(table.table.accepted(), 1U);
}

TEST(SessionTable, ReportComesAfterEightPacketsAfterItsTimeOrAtOnceWhenAsked) {
  Table table;
  Channel channel = table.establish();
  const auto reports = [&] { return table.sent.size() - 1; };
  for (int i = 0; i < 7; ++i) table.receive(payload(channel));
  EXPECT_EQ(reports(), 0U);
  table.receive(payload(channel));
  EXPECT_EQ(reports(), 1U);
  table.receive(payload(channel));
  table.table.tick(kStart + 19ms);
  EXPECT_EQ(reports(), 1U);
  table.table.tick(kStart + 20ms);
  EXPECT_EQ(reports(), 2U);
  table.receive(payload(channel, Kind::probe));
  EXPECT_EQ(reports(), 3U);
  const auto report = decode_report(*channel.open(table.sent.back()));
  ASSERT_TRUE(report);
  for (std::uint64_t counter = 1; counter <= 10; ++counter) EXPECT_TRUE(report->has(counter));
  EXPECT_FALSE(report->has(11));
}

}  // namespace
}  // namespace honeylink::link
