// What travels: every encoding is read back as it was written, and no bytes whatever break a decoder.
#include "wire.h"

#include <gtest/gtest.h>

#include <random>

#include "window.h"

namespace honeylink::link {
namespace {

Bytes random_bytes(std::mt19937_64& random, std::size_t size) {
  Bytes out(size);
  for (std::uint8_t& byte : out) byte = static_cast<std::uint8_t>(random());
  return out;
}

TEST(Wire, HeaderIsReadBack) {
  const HeaderBytes bytes = encode(Header{Type::report, 0x0123456789abcdefULL, 0xfedcba9876543210ULL});
  const auto header = decode_header(bytes);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->type, Type::report);
  EXPECT_EQ(header->session, 0x0123456789abcdefULL);
  EXPECT_EQ(header->counter, 0xfedcba9876543210ULL);
}

TEST(Wire, HeaderOfAnotherProtocolVersionOrTypeIsRefused) {
  const HeaderBytes good = encode(Header{Type::data, 1, 1});
  for (const auto& [at, value] : {std::pair{0, 'X'}, {1, 'X'}, {2, '\2'}, {3, '\0'}, {3, '\5'}}) {
    HeaderBytes bad = good;
    bad[static_cast<std::size_t>(at)] = static_cast<std::uint8_t>(value);
    EXPECT_FALSE(decode_header(bad)) << at;
  }
  for (std::size_t size = 0; size < kHeaderBytes; ++size) EXPECT_FALSE(decode_header(ByteView(good).first(size)));
}

TEST(Wire, TraceContextSurvivesTheDatagram) {
  tel::TraceId trace;
  tel::SpanId span;
  for (std::size_t i = 0; i < 16; ++i) trace.bytes[i] = static_cast<std::uint8_t>(i + 1);
  for (std::size_t i = 0; i < 8; ++i) span.bytes[i] = static_cast<std::uint8_t>(0xf0 + i);
  const tel::Context sender(tel::SpanContext(trace, span, 1));
  const auto hello = decode_hello(encode(Hello{{}, trace_fields(sender)}));
  ASSERT_TRUE(hello);
  const tel::Context received = tel::extract(hello->trace);
  EXPECT_EQ(received.span().trace_id(), trace);
  EXPECT_EQ(received.span().span_id(), span);
  EXPECT_TRUE(received.span().is_sampled());
  EXPECT_TRUE(received.span().is_remote());

  const auto message = decode_message(encode(Message{Kind::confirm, trace_fields(sender), {1, 2, 3}}));
  ASSERT_TRUE(message);
  EXPECT_EQ(tel::extract(message->trace).span().span_id(), span);
  EXPECT_EQ(message->body, (Bytes{1, 2, 3}));
}

TEST(Wire, NoTraceIsNoField) {
  EXPECT_TRUE(trace_fields(tel::Context()).empty());
  const auto hello = decode_hello(encode(Hello{}));
  ASSERT_TRUE(hello);
  EXPECT_FALSE(tel::extract(hello->trace).span().is_valid());
}

TEST(Wire, FieldThatDoesNotFitStaysBehindWhole) {
  const TraceFields fields{
      {"traceparent", std::string(55, 'x')}, {"tracestate", std::string(5'000, 'y')}, {"baggage", "a=b"}};
  const auto hello = decode_hello(encode(Hello{{}, fields}));
  ASSERT_TRUE(hello);
  EXPECT_EQ(hello->trace, (TraceFields{fields[0], fields[2]}));
}

TEST(Wire, TruncatedHelloMessageOrReportIsRefused) {
  const Bytes hello = encode(Hello{{}, {{"traceparent", "abc"}}}), report = encode(Report{9, {1, 2, 3, 4}});
  for (std::size_t size = 0; size < hello.size(); ++size)
    EXPECT_FALSE(decode_hello(ByteView(hello).first(size))) << size;
  for (std::size_t size = 0; size < report.size(); ++size)
    EXPECT_FALSE(decode_report(ByteView(report).first(size))) << size;
  const Bytes message = encode(Message{Kind::payload, {{"n", "v"}}, {}});
  for (std::size_t size = 0; size < message.size(); ++size)
    EXPECT_FALSE(decode_message(ByteView(message).first(size))) << size;
  ASSERT_TRUE(decode_report(report));
  EXPECT_EQ(decode_report(report)->below, (std::array<std::uint64_t, 4>{1, 2, 3, 4}));
}

TEST(Wire, BodyOverItsLimitIsRefused) {
  EXPECT_TRUE(decode_message(encode(Message{Kind::payload, {}, Bytes(kBodyBytesMax)})));
  EXPECT_FALSE(decode_message(encode(Message{Kind::payload, {}, Bytes(kBodyBytesMax + 1)})));
}

TEST(Wire, RandomBytesNeverBreakADecoderAndWhatIsReadIsWrittenAlike) {
  std::mt19937_64 random(3);
  int read = 0;
  for (int i = 0; i < 200'000; ++i) {
    Bytes bytes = random_bytes(random, random() % 80);
    if (!bytes.empty()) bytes[0] = static_cast<std::uint8_t>(bytes[0] % 6);  // near the valid kinds
    if (bytes.size() > 1 && i % 2 == 0) bytes[1] = static_cast<std::uint8_t>(bytes[1] % 3);
    static_cast<void>(decode_header(bytes));
    static_cast<void>(decode_report(bytes));
    static_cast<void>(decode_hello(bytes));
    if (const auto message = decode_message(bytes)) {
      ++read;
      ASSERT_EQ(encode(*message), bytes);
    }
  }
  EXPECT_GT(read, 100);
}

TEST(ReceiveWindow, TakesEveryCounterOnceInAnyOrder) {
  std::mt19937_64 random(11);
  ReceiveWindow window;
  std::vector<bool> taken(5'000, false);
  std::uint64_t highest = 0;
  for (int i = 0; i < 50'000; ++i) {
    const std::uint64_t low = highest > 300 ? highest - 300 : 0;
    const std::uint64_t counter = std::min<std::uint64_t>(low + random() % 320, taken.size() - 1);
    const bool expected = counter > 0 && (counter > highest || (highest - counter < 256 && !taken[counter]));
    ASSERT_EQ(window.accept(counter), expected) << counter << " of " << highest;
    if (!expected) continue;
    taken[counter] = true;
    highest = std::max(highest, counter);
    for (std::uint64_t c = highest < 256 ? 1 : highest - 255; c <= highest; ++c)
      ASSERT_EQ(window.seen().has(c), taken[c]) << c;
  }
  EXPECT_EQ(highest, taken.size() - 1);
}

TEST(ReceiveWindow, HugeJumpForgetsTheOldAtOnce) {
  ReceiveWindow window;
  EXPECT_TRUE(window.accept(1));
  EXPECT_TRUE(window.accept(~std::uint64_t{0}));
  EXPECT_FALSE(window.accept(1));
  EXPECT_FALSE(window.accept(~std::uint64_t{0}));
  EXPECT_FALSE(window.accept(0));
  EXPECT_TRUE(window.accept(~std::uint64_t{0} - 255));
  EXPECT_FALSE(window.is_fresh(~std::uint64_t{0} - 256));
}

}  // namespace
}  // namespace honeylink::link
