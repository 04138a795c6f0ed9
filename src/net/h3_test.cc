// HTTP/3 at a real peer (Debian's caddy): what is sent arrives whole, over QUIC, through losses too; whoever is not who
// was granted gets nothing (F37, F38); revoking and cancelling end it at once (F13).
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <thread>

#include "consent/testing_home.h"
#include "net/client.h"
#include "net/testing_caddy.h"
#include "net/testing_server.h"

namespace honeylink::telemetry::net {
namespace {

using consent::Signal;

constexpr std::string_view kSecret = "SECRET-BODY-OF-OURS";
constexpr std::string_view kFine = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfine";

class Http3 : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (::access(kOpenssl, X_OK) != 0 || ::access(kCaddy, X_OK) != 0) return;
    certificates_ = new TestCertificates;
    certificates_->certificate("good", "IP:127.0.0.1,DNS:localhost", 30);
  }
  static void TearDownTestSuite() { delete certificates_, certificates_ = nullptr; }
  void SetUp() override {
    if (certificates_ == nullptr) GTEST_SKIP() << "needs Debian's openssl and caddy";
  }
  static consent::Grant grant(std::uint16_t port, const std::string& host = "127.0.0.1") {
    consent::Grant given{.endpoint = consent::TestHome::endpoint("h3://" + host + ":" + std::to_string(port)),
                         .signals = {Signal::metrics}};
    given.ca_file = certificates_->pem("ca");
    return given;
  }
  std::unique_ptr<Client> client(const consent::Grant& given, ClientOptions options = {}) {
    home_.grant(given);
    std::string why;
    auto made = Client::make(home_.permit(given.endpoint.text(), Signal::metrics), options, why);
    EXPECT_NE(made, nullptr) << why;
    return made;
  }
  static Request post(std::string_view body = kSecret, int timeout_ms = 10'000) {
    return {.path = "/v1/metrics",
            .headers = {"Content-Type: application/x-protobuf"},
            .body = body,
            .timeout_ms = timeout_ms};
  }
  void expect_refused(const consent::Grant& given, Failure as) {
    const Answer answer = client(given)->send(post());
    EXPECT_EQ(name_of(answer.failure), name_of(as)) << answer.said;
    EXPECT_TRUE(is_refusal(answer.failure));
    EXPECT_FALSE(answer.said.empty());
    EXPECT_EQ(behind_.received_bytes(), 0U) << "something of ours arrived";
  }
  void expect_refused(const std::string& certificate, Failure as, const std::string& called = "127.0.0.1") {
    const TestCaddy peer(*certificates_, certificate, behind_.port(), {}, called);
    expect_refused(grant(peer.port()), as);
  }
  inline static TestCertificates* certificates_ = nullptr;
  consent::TestHome home_;
  TestServer behind_{[](const std::string&) { return std::string(kFine); }};
};

TEST_F(Http3, ReachesAVerifiedPeerByQuic) {
  const TestCaddy peer(*certificates_, "good", behind_.port());
  for (const char* host : {"127.0.0.1", "localhost"}) {
    const Answer answer = client(grant(peer.port(), host))->send(post());
    EXPECT_TRUE(answer.ok()) << answer.said;
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "fine");
    EXPECT_EQ(answer.header("server"), "Caddy");
    const std::string arrived = behind_.received();
    for (const std::string_view word :
         {std::string_view("POST /v1/metrics HTTP/1.1"), std::string_view("X-Proto: HTTP/3"), kSecret,
          std::string_view("application/x-protobuf"), std::string_view("honeylink-telemetry/")})
      EXPECT_NE(arrived.find(word), std::string::npos) << word << " in " << arrived;
  }
}

TEST_F(Http3, StaysBelowItsEndpointsPathAndSendsAnEmptyBody) {
  const TestCaddy peer(*certificates_, "good", behind_.port());
  consent::Grant given = grant(peer.port());
  given.endpoint = consent::TestHome::endpoint(given.endpoint.text() + "/otlp");
  EXPECT_TRUE(client(given)->send(post("")).ok());
  EXPECT_TRUE(client(given)->send({.method = "GET"}).ok());
  EXPECT_NE(behind_.received().find("POST /otlp/v1/metrics "), std::string::npos) << behind_.received();
  EXPECT_NE(behind_.received().find("Content-Length: 0"), std::string::npos);
  EXPECT_NE(behind_.received().find("GET /otlp "), std::string::npos);
}

TEST_F(Http3, WhatCannotBeSaidInHttp3IsNotSent) {
  const auto to = client(grant(9));
  for (const char* header : {"Connection: close", "transfer-encoding: chunked", "bad name: x", ":path: /x"})
    EXPECT_EQ(to->send({.headers = {header}}).failure, Failure::bad_request) << header;
  EXPECT_EQ(to->send({.http2 = true}).failure, Failure::bad_request);
}

TEST_F(Http3, KeepsItsConnectionAndNoticesThatAPeerWasRestarted) {
  TestCaddy peer(*certificates_, "good", behind_.port());
  const TestRelay relay(peer.port());
  const auto to = client(grant(relay.port()));
  ASSERT_TRUE(to->send(post()).ok());
  ::poll(nullptr, 0, 200);
  ASSERT_TRUE(to->still_permitted());
  const int of_handshake = relay.handshake_datagrams();
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(to->send(post()).ok());
  EXPECT_EQ(relay.handshake_datagrams(), of_handshake) << "no second handshake";
  for (const int signal : {SIGTERM, SIGKILL}) {
    peer.stop(signal);
    peer.start();
    const Answer answer = to->send(post());
    EXPECT_TRUE(answer.ok()) << signal << ": " << answer.said;
  }
}

TEST_F(Http3, LargeBodiesArriveWhole) {
  const TestCaddy peer(*certificates_, "good", behind_.port());
  std::string body(8 << 20, '\0');
  std::mt19937 random(7);
  for (char& c : body) c = static_cast<char>(random());
  const Answer answer = client(grant(peer.port()))->send(post(body));
  EXPECT_TRUE(answer.ok()) << answer.said;
  EXPECT_NE(behind_.received().find(body), std::string::npos);
}

TEST_F(Http3, ATwentyPerCentLossEachWayCostsTimeAndNothingElse) {
  TestServer echo([](const std::string& request) {
    const std::string body = request.substr(request.find("\r\n\r\n") + 4, 8);
    return "HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n" + body;
  });
  const TestCaddy peer(*certificates_, "good", echo.port());
  const TestRelay relay(peer.port(), 0.2);
  const auto to = client(grant(relay.port()));
  std::mt19937 random(11);
  int tries = 0;
  for (int i = 0; i < 60; ++i) {
    std::string body = "id" + std::to_string(100'000 + i) + ":";
    body.resize(8 + random() % (i % 10 == 0 ? 300'000 : 3'000), static_cast<char>('a' + i % 26));
    Answer answer;
    do answer = to->send(post(body, 20'000)), ++tries;  // the caller's part
    while (!answer.ok() && tries < 120);
    ASSERT_TRUE(answer.ok()) << i << ": " << answer.said;
    EXPECT_EQ(answer.body, body.substr(0, 8)) << "an answer to another request";
    EXPECT_NE(echo.received().find(body), std::string::npos) << i << " did not arrive as it was";
  }
  EXPECT_GT(relay.dropped(), 50);
  RecordProperty("tries", tries);
}

// ---- F37: who is not who was granted

TEST_F(Http3, AnExpiredCertificateIsRefused) {
  certificates_->certificate("expired", "IP:127.0.0.1", -1);
  expect_refused("expired", Failure::tls_expired);
}

TEST_F(Http3, ACertificateOfAnotherAuthorityIsRefused) {
  certificates_->authority("stranger");
  certificates_->certificate("vouched", "IP:127.0.0.1", 30, "stranger");
  expect_refused("vouched", Failure::tls_unknown_authority);
}

TEST_F(Http3, ACertificateForAnotherNameIsRefused) {
  certificates_->certificate("elsewhere", "DNS:other.example,IP:127.0.0.2", 30);
  expect_refused("elsewhere", Failure::tls_wrong_name, "other.example");
}

TEST_F(Http3, AnotherPublicKeyThanThePinnedOneIsRefused) {
  const TestCaddy peer(*certificates_, "good", behind_.port());
  consent::Grant given = grant(peer.port());
  given.pin = certificates_->pin("ca");
  expect_refused(given, Failure::tls_wrong_pin);
  given.pin = certificates_->pin("good");
  EXPECT_TRUE(client(given)->send(post()).ok());
}

TEST_F(Http3, TheSystemsAuthoritiesDoNotVouchForAPrivateOne) {
  const TestCaddy peer(*certificates_, "good", behind_.port());
  consent::Grant given = grant(peer.port());
  given.ca_file.clear();
  expect_refused(given, Failure::tls_unknown_authority);
}

TEST_F(Http3, APeerThatAsksForACertificateGetsOursOrSaysWhy) {
  certificates_->certificate("ours", "DNS:device.example", 30);
  const TestCaddy peer(
      *certificates_, "good", behind_.port(),
      "client_auth {\n mode require_and_verify\n trusted_ca_cert_file " + certificates_->pem("ca") + "\n }");
  consent::Grant given = grant(peer.port());
  expect_refused(given, Failure::tls_own_certificate);
  given.cert_file = certificates_->pem("ours"), given.key_file = certificates_->key("good");
  expect_refused(given, Failure::own_key);
  given.key_file = certificates_->key("ours");
  const Answer answer = client(given)->send(post());
  EXPECT_TRUE(answer.ok()) << answer.said;
}

TEST_F(Http3, APeerOfAnotherVersionOfQuicIsRefused) {
  const TestUdp peer([](const std::string& initial) {
    // Version negotiation (RFC 9000, 17.2.1): version 0, the connection ids the other way round, what it speaks.
    const auto of_there = static_cast<std::size_t>(initial[5]),
               of_here = static_cast<std::size_t>(initial[6 + of_there]);
    const std::string there = initial.substr(5, 1 + of_there), here = initial.substr(6 + of_there, 1 + of_here);
    return std::string("\xc0\0\0\0\0", 5) + here + there + "\x1a\x2a\x3a\x4a";
  });
  expect_refused(grant(peer.port()), Failure::tls_no_http3);
}

// ---- peers that are not there, or not well

TEST_F(Http3, NobodyThereIsUnreachableAndASilentOneTimesOut) {
  std::uint16_t gone = 0;
  {
    const TestUdp nobody([](const std::string&) { return ""; });
    gone = nobody.port();
  }
  EXPECT_EQ(name_of(client(grant(gone))->send(post()).failure), "unreachable");
  const TestUdp silent([](const std::string&) { return ""; });
  ClientOptions options;
  options.connect_timeout_ms = 300;
  const std::int64_t began = now_ns();
  EXPECT_EQ(name_of(client(grant(silent.port()), options)->send(post()).failure), "timed_out");
  EXPECT_LT(now_ns() - began, 2'000'000'000);
}

TEST_F(Http3, GarbageIsNoAnswer) {
  std::mt19937 random(3);
  const TestUdp noisy([&](const std::string&) {
    std::string bytes(random() % 1'400, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    return bytes;
  });
  ClientOptions options;
  options.connect_timeout_ms = 1'500;
  EXPECT_FALSE(client(grant(noisy.port()), options)->send(post()).ok());
  EXPECT_GT(noisy.datagrams(), 1);
}

TEST_F(Http3, AnswersLargerThanAllowedAreRefusedAndRedirectsNotFollowed) {
  TestServer large([](const std::string& request) {
    if (request.find("/elsewhere") != std::string::npos)
      return std::string("HTTP/1.1 307 Go\r\nlocation: /there\r\ncontent-length: 0\r\n\r\n");
    return "HTTP/1.1 200 OK\r\ncontent-length: 200000\r\n\r\n" + std::string(200'000, 'x');
  });
  const TestCaddy peer(*certificates_, "good", large.port());
  ClientOptions options;
  options.answer_bytes_max = 100'000;
  const auto to = client(grant(peer.port()), options);
  const Answer answer = to->send(post());
  EXPECT_EQ(answer.failure, Failure::bad_answer);
  EXPECT_NE(answer.said.find("larger than 100000"), std::string::npos) << answer.said;
  EXPECT_EQ(to->send({.path = "/elsewhere"}).status, 307) << "and the client goes on";
  EXPECT_EQ(large.received().find("/there"), std::string::npos);
}

// ---- the end

TEST_F(Http3, RevokedInTheMiddleOfALargeBodySendsNothingMore) {
  behind_.read_at_most(200'000);
  const TestCaddy peer(*certificates_, "good", behind_.port());
  const TestRelay relay(peer.port());
  const consent::Grant given = grant(relay.port());
  const auto to = client(given);
  const std::string body(64 << 20, 'x');
  std::int64_t revoked = 0;
  std::thread owner([&] {
    while (relay.datagrams() < 200) ::poll(nullptr, 0, 5);
    EXPECT_TRUE(home_.revoke(given.endpoint.text()));
    revoked = now_ns();
  });
  const Answer answer = to->send(post(body, 60'000));
  owner.join();
  EXPECT_EQ(name_of(answer.failure), "not_permitted");
  const int so_far = relay.datagrams();
  ::poll(nullptr, 0, 1'500);
  EXPECT_LT(relay.newest_ns() - revoked, 1'000'000'000) << "the last byte leaves within a second";
  EXPECT_LE(relay.datagrams(), so_far + 1);
  EXPECT_FALSE(to->still_permitted());
  EXPECT_EQ(to->send(post()).failure, Failure::not_permitted);
}

TEST_F(Http3, WaitsWithoutWorkAndCancelEndsTheWait) {
  TestServer slow([](const std::string&) { return ""; });
  const TestCaddy peer(*certificates_, "good", slow.port());
  const auto to = client(grant(peer.port()));
  std::int64_t cancelled = 0;
  std::thread other([&] {
    ::poll(nullptr, 0, 2'000);
    cancelled = now_ns();
    to->cancel();
  });
  rusage before{}, after{};
  ::getrusage(RUSAGE_THREAD, &before);
  const Answer answer = to->send(post());
  const std::int64_t ended = now_ns();
  ::getrusage(RUSAGE_THREAD, &after);
  other.join();
  EXPECT_EQ(answer.failure, Failure::cancelled);
  EXPECT_LT(ended - cancelled, 200'000'000);
  const auto us = [](const timeval& t) { return t.tv_sec * 1'000'000 + t.tv_usec; };
  EXPECT_LT(us(after.ru_utime) + us(after.ru_stime) - us(before.ru_utime) - us(before.ru_stime), 200'000)
      << "two seconds of waiting are not two seconds of work";
}

TEST_F(Http3, ADeadlineIsKept) {
  TestServer slow([](const std::string&) { return ""; });
  const TestCaddy peer(*certificates_, "good", slow.port());
  const std::int64_t began = now_ns();
  EXPECT_EQ(client(grant(peer.port()))->send(post(kSecret, 700)).failure, Failure::timed_out);
  EXPECT_LT(now_ns() - began, 1'500'000'000);
}

}  // namespace
}  // namespace honeylink::telemetry::net
