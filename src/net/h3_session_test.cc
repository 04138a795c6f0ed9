// HTTP/3's frames (RFC 9114, QPACK of RFC 9204) without a network: what a request looks like on its stream, and what
// becomes of frames that are sound, late, too large, out of place or no frames at all.
#include "net/h3_session.h"

#include <gtest/gtest.h>

namespace honeylink::telemetry::net {
namespace {

constexpr std::int64_t kRequest = 0, kServersControl = 3;
constexpr std::size_t kAnswerBytesMax = 10'000;
// HEADERS with :status 200 and 103; a field "x-a: b", the interim "x-i: 1", the trailer "x-t: 9" (literal names).
const std::string kOk = std::string("\x01\x03\0\0\xd9", 5);
const std::string kOkWithField = std::string(
    "\x01\x09\0\0\xd9\x23x-a\x01"
    "b",
    11);
const std::string kInterim = std::string(
    "\x01\x09\0\0\xd8\x23x-i\x01"
    "1",
    11);
const std::string kTrailer = std::string(
    "\x01\x08\0\0\x23x-t\x01"
    "9",
    10);
const std::string kSettings = std::string("\0\x04\0", 3);  // a control stream's type, an empty SETTINGS frame

std::string data_frame(const std::string& content) {
  const auto size = static_cast<std::uint32_t>(content.size()) | 0x80000000U;
  std::string frame(1, '\0');
  for (int shift = 24; shift >= 0; shift -= 8) frame += static_cast<char>(size >> shift & 0xff);
  return frame + content;
}

class Wire final : public H3Wire {
 public:
  bool open_uni(std::int64_t& stream) override { return stream = next_uni_, next_uni_ += 4, true; }
  void consumed(std::int64_t, std::size_t bytes) override { consumed_ += bytes; }
  void stop_reading(std::int64_t, std::uint64_t code) override { stopped_ = code; }
  void stop_writing(std::int64_t, std::uint64_t code) override { stopped_ = code; }
  std::int64_t next_uni_ = 2;
  std::size_t consumed_ = 0;
  std::uint64_t stopped_ = 0;
};

class H3Frames : public testing::Test {
 protected:
  void SetUp() override {
    std::string why;
    const Quic* const quic = load_quic(why);
    if (quic == nullptr) GTEST_SKIP() << why;
    session_ = std::make_unique<H3Session>(*quic, wire_, kAnswerBytesMax);
    ASSERT_TRUE(session_->start());
  }
  std::shared_ptr<H3Exchange> ask(const std::string& body = "the body") {
    return session_->submit(
        kRequest, {{":method", "POST"}, {":scheme", "https"}, {":authority", "a.example"}, {":path", "/v1/x"}}, body,
        true);
  }
  std::uint64_t read(std::int64_t stream, const std::string& bytes, bool fin = false) {
    return session_->read(stream, {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}, fin);
  }
  /// All that is to be sent, by stream; those that end are in ended_.
  std::map<std::int64_t, std::string> written() {
    std::map<std::int64_t, std::string> streams;
    for (H3Session::Outgoing out; session_->next(out) && out.stream >= 0; out = {}) {
      std::size_t bytes = 0;
      for (std::size_t i = 0; i < out.count; ++i) {
        streams[out.stream].append(reinterpret_cast<const char*>(out.parts[i].base), out.parts[i].len);
        bytes += out.parts[i].len;
      }
      session_->wrote(out, bytes);
      if (out.fin) ended_.push_back(out.stream);
    }
    return streams;
  }
  Wire wire_;
  std::unique_ptr<H3Session> session_;
  std::vector<std::int64_t> ended_;
};

TEST_F(H3Frames, ARequestIsItsHeadersItsDataAndAnEnd) {
  const auto exchange = ask();
  const auto streams = written();
  ASSERT_EQ(streams.size(), 4U) << "control, two of QPACK, the request";
  EXPECT_EQ(streams.at(2).substr(0, 2), std::string("\0\x04", 2)) << "SETTINGS comes first";
  const std::string& request = streams.at(kRequest);
  EXPECT_EQ(request[0], '\x01') << "HEADERS";
  EXPECT_TRUE(request.ends_with(std::string("\0\x08", 2) + "the body")) << "one DATA frame";
  EXPECT_EQ(ended_, std::vector<std::int64_t>{kRequest});
  EXPECT_TRUE(exchange->sent);
}

TEST_F(H3Frames, AnAnswerHasItsStatusItsFieldsItsBodyAndItsTrailers) {
  const auto exchange = ask();
  (void)written();
  ASSERT_EQ(read(kServersControl, kSettings), 0U);
  const std::string bytes = kInterim + kOkWithField + data_frame("fi") + data_frame("ne") + kTrailer;
  for (const char byte : bytes) ASSERT_EQ(read(kRequest, std::string(1, byte)), 0U) << "in pieces of any size";
  EXPECT_FALSE(exchange->done);
  ASSERT_EQ(read(kRequest, "", true), 0U);
  EXPECT_TRUE(exchange->done);
  EXPECT_EQ(exchange->answer.status, 200);
  EXPECT_EQ(exchange->answer.body, "fine");
  EXPECT_EQ(exchange->answer.header("x-a"), "b");
  EXPECT_EQ(exchange->answer.header("x-t"), "9");
  EXPECT_EQ(exchange->answer.header("x-i"), "") << "an interim answer is not the answer";
  EXPECT_EQ(wire_.consumed_, kSettings.size() + bytes.size()) << "each byte is given back to the flow control once";
}

TEST_F(H3Frames, ARequestsBytesLiveUntilItsStreamIsClosed) {
  std::weak_ptr<H3Exchange> watched;
  {
    const auto exchange = ask();
    watched = exchange;
    (void)written();
    ASSERT_EQ(read(kRequest, kOk, true), 0U);
    EXPECT_TRUE(exchange->done);
  }
  EXPECT_FALSE(watched.expired()) << "QUIC may have to send them again";
  session_->closed(kRequest, NGHTTP3_H3_NO_ERROR);
  EXPECT_TRUE(watched.expired());
}

TEST_F(H3Frames, AStreamThatEndsTooSoonIsNoAnswer) {
  const auto exchange = ask();
  (void)written();
  ASSERT_EQ(read(kRequest, kOk + data_frame("ha")), 0U);
  session_->closed(kRequest, NGHTTP3_H3_REQUEST_REJECTED);
  EXPECT_FALSE(exchange->done);
  EXPECT_TRUE(exchange->ended);
  EXPECT_EQ(exchange->code, static_cast<std::uint64_t>(NGHTTP3_H3_REQUEST_REJECTED));
}

TEST_F(H3Frames, WhatIsTooLargeEndsTheConnection) {
  const auto exchange = ask();
  (void)written();
  EXPECT_NE(read(kRequest, kOk + data_frame(std::string(kAnswerBytesMax + 1, 'x'))), 0U);
  EXPECT_TRUE(exchange->too_much);
}

TEST_F(H3Frames, FramesOutOfPlaceAndGarbageAreErrors) {
  const std::pair<std::int64_t, std::string> wrong[] = {
      {kRequest, data_frame("before the headers")},
      {kRequest, std::string("\x04\0", 2)},                      // SETTINGS on a request
      {kRequest, std::string("\x01\x03\0\0\xff", 5)},            // a field that QPACK's table does not have
      {kRequest, std::string("\x01\x04\x02\0\x80\x10", 6)},      // of a dynamic table that was never allowed
      {kServersControl, std::string("\0\x07\x01\x04", 4)},       // GOAWAY before SETTINGS
      {kServersControl, kSettings + std::string("\x04\0", 2)},   // SETTINGS twice
      {kServersControl, kSettings + std::string("\0\x01x", 3)},  // DATA on the control stream
      {kServersControl, kSettings + std::string("\x02\0", 2)},   // HTTP/2's PRIORITY
  };
  for (const auto& [stream, bytes] : wrong) {
    SetUp();
    const auto exchange = ask();
    (void)written();
    EXPECT_NE(read(stream, bytes, stream == kRequest), 0U) << testing::PrintToString(bytes);
    EXPECT_FALSE(exchange->done);
  }
}

TEST_F(H3Frames, UnknownFramesAreSkipped) {
  const auto exchange = ask();
  (void)written();
  ASSERT_EQ(read(kServersControl, kSettings + std::string("\x21\x02hi", 4)), 0U);
  ASSERT_EQ(read(kRequest, std::string("\x21\x02hi", 4) + kOk, true), 0U);
  EXPECT_TRUE(exchange->done);
}

TEST_F(H3Frames, APeerThatGoesAwayGetsNoFurtherRequest) {
  ASSERT_EQ(read(kServersControl, kSettings), 0U);
  EXPECT_FALSE(session_->going_away());
  ASSERT_EQ(read(kServersControl, std::string("\x07\x01\x04", 3)), 0U);
  EXPECT_TRUE(session_->going_away());
}

TEST_F(H3Frames, WhatIsAnsweredEarlyIsNotSentToItsEnd) {
  const auto exchange = ask(std::string(100'000, 'x'));
  session_->blocked(kRequest);
  (void)written();
  ASSERT_EQ(read(kRequest, kOk, true), 0U);
  EXPECT_TRUE(exchange->done);
  EXPECT_FALSE(exchange->sent);
  session_->leave(*exchange);
  EXPECT_EQ(wire_.stopped_, static_cast<std::uint64_t>(NGHTTP3_H3_NO_ERROR));
  EXPECT_FALSE(written().contains(kRequest));
}

}  // namespace
}  // namespace honeylink::telemetry::net
