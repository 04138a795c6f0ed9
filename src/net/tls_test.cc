// F37: a peer whose TLS is not what was granted is refused before anything of ours is sent, each for its own reason;
// and nothing is ever said in plaintext. The peers are openssl s_server.
#include <gtest/gtest.h>

#include "consent/testing_home.h"
#include "net/client.h"
#include "net/testing_server.h"
#include "net/testing_tls.h"

namespace honeylink::telemetry::net {
namespace {

using consent::Signal;

constexpr std::string_view kSecret = "SECRET-BODY-OF-OURS";

class Tls : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (::access(kOpenssl, X_OK) != 0) return;
    certificates_ = new TestCertificates;
    certificates_->certificate("good", "IP:127.0.0.1", 30);
  }
  static void TearDownTestSuite() { delete certificates_, certificates_ = nullptr; }
  void SetUp() override {
    if (certificates_ == nullptr) GTEST_SKIP() << "needs Debian's openssl";
  }
  consent::Grant grant(const std::string& to) const {
    consent::Grant given{.endpoint = consent::TestHome::endpoint(to), .signals = {Signal::metrics}};
    given.ca_file = certificates_->pem("ca");
    return given;
  }
  Answer send(const consent::Grant& given, std::string_view method = "POST", bool http2 = false) {
    home_.grant(given);
    std::string why;
    const auto client = Client::make(home_.permit(given.endpoint.text(), Signal::metrics), {}, why);
    EXPECT_NE(client, nullptr) << why;
    Request request;
    request.method = method;
    request.path = "/v1/metrics";
    request.body = kSecret;
    request.http2 = http2;
    request.timeout_ms = 5'000;
    return client->send(request);
  }
  void expect_refused(const TlsPeer& peer, const consent::Grant& given, Failure as, bool http2 = false) {
    const Answer answer = send(given, "POST", http2);
    EXPECT_EQ(name_of(answer.failure), name_of(as)) << answer.said;
    EXPECT_TRUE(is_refusal(answer.failure));
    EXPECT_FALSE(answer.said.empty());
    EXPECT_EQ(peer.said().find(kSecret), std::string::npos) << "the peer read what was not for it";
    EXPECT_EQ(peer.said().find("v1/metrics"), std::string::npos);
  }
  void expect_refused(const std::string& certificate, const std::vector<std::string>& options, Failure as) {
    const TlsPeer peer(*certificates_, certificate, options);
    expect_refused(peer, grant(peer.url()), as);
  }
  inline static TestCertificates* certificates_ = nullptr;
  consent::TestHome home_;
};

TEST_F(Tls, AVerifiedPeerIsReachedOverTls13) {
  const TlsPeer peer(*certificates_, "good");
  const Answer answer = send(grant(peer.url()), "GET");
  EXPECT_TRUE(answer.ok()) << answer.said;
  EXPECT_EQ(answer.status, 200);
  EXPECT_NE(answer.body.find("TLSv1.3"), std::string::npos) << answer.body;
}

TEST_F(Tls, AnExpiredCertificateIsRefused) {
  certificates_->certificate("expired", "IP:127.0.0.1", -1);
  expect_refused("expired", {}, Failure::tls_expired);
}

TEST_F(Tls, ACertificateOfAnotherAuthorityIsRefused) {
  certificates_->authority("stranger");
  certificates_->certificate("vouched", "IP:127.0.0.1", 30, "stranger");
  expect_refused("vouched", {}, Failure::tls_unknown_authority);
}

TEST_F(Tls, ASelfSignedCertificateIsRefusedUnlessItWasGrantedItself) {
  certificates_->authority("selfsigned");
  expect_refused("selfsigned", {}, Failure::tls_unknown_authority);
}

TEST_F(Tls, ACertificateForAnotherNameIsRefused) {
  certificates_->certificate("elsewhere", "DNS:other.example,IP:127.0.0.2", 30);
  expect_refused("elsewhere", {}, Failure::tls_wrong_name);
}

TEST_F(Tls, APeerThatSpeaksNothingNewerThanTls12IsRefused) {
  expect_refused("good", {"-tls1_2"}, Failure::tls_version);
}

TEST_F(Tls, APeerWithoutHttp2IsRefusedBeforeARequestThatNeedsIt) {
  {
    const TlsPeer silent(*certificates_, "good");
    expect_refused(silent, grant(silent.url()), Failure::tls_no_http2, true);
  }
  const TlsPeer older(*certificates_, "good", {"-alpn", "http/1.1"});
  expect_refused(older, grant(older.url()), Failure::tls_no_http2, true);
}

TEST_F(Tls, AnotherPublicKeyThanThePinnedOneIsRefused) {
  const TlsPeer peer(*certificates_, "good");
  consent::Grant given = grant(peer.url());
  given.pin = certificates_->pin("ca");
  expect_refused(peer, given, Failure::tls_wrong_pin);
  given.pin = certificates_->pin("good");
  EXPECT_TRUE(send(given, "GET").ok());
}

TEST_F(Tls, APeerThatAsksForACertificateGetsOursOrSaysWhy) {
  certificates_->certificate("ours", "DNS:device.example", 30);
  const TlsPeer peer(*certificates_, "good",
                     {"-Verify", "1", "-verify_return_error", "-CAfile", certificates_->pem("ca")});
  consent::Grant given = grant(peer.url());
  Answer answer = send(given, "GET");
  EXPECT_EQ(name_of(answer.failure), name_of(Failure::tls_own_certificate)) << answer.said;
  certificates_->authority("unknown");
  certificates_->certificate("foreign", "DNS:device.example", 30, "unknown");
  given.cert_file = certificates_->pem("foreign"), given.key_file = certificates_->key("foreign");
  answer = send(given, "GET");
  EXPECT_EQ(name_of(answer.failure), name_of(Failure::tls_own_certificate)) << answer.said;
  given.cert_file = certificates_->pem("ours"), given.key_file = certificates_->key("ours");
  answer = send(given, "GET");
  EXPECT_TRUE(answer.ok()) << answer.said;
}

TEST_F(Tls, OurKeyIsNotUsedOnceItIsOpenToOthersNorWithoutItsCertificate) {
  certificates_->certificate("ours", "DNS:device.example", 30);
  const TlsPeer peer(*certificates_, "good",
                     {"-Verify", "1", "-verify_return_error", "-CAfile", certificates_->pem("ca")});
  consent::Grant given = grant(peer.url());
  given.cert_file = certificates_->pem("ours"), given.key_file = certificates_->key("ours");
  ASSERT_TRUE(send(given, "GET").ok());
  std::string why;
  const auto client = Client::make(home_.permit(given.endpoint.text(), Signal::metrics), {}, why);
  ASSERT_EQ(::chmod(given.key_file.c_str(), 0644), 0);
  const Answer answer = client->send({.method = "GET", .path = "/"});
  EXPECT_EQ(name_of(answer.failure), name_of(Failure::own_key));
  EXPECT_NE(answer.said.find("chmod 600"), std::string::npos) << answer.said;
  ASSERT_EQ(::chmod(given.key_file.c_str(), 0600), 0);
  given.key_file = certificates_->key("good");
  EXPECT_EQ(name_of(send(given, "GET").failure), name_of(Failure::own_key)) << "not its key";
}

TEST_F(Tls, ARefusedPeerIsTriedOnceAMinuteByAllSendersTogether) {
  const TlsPeer older(*certificates_, "good", {"-tls1_2"});
  consent::Grant given = grant(older.url());
  given.signals = {Signal::metrics, Signal::traces, Signal::logs};
  home_.grant(given);
  for (int round = 0; round < 3; ++round) {
    for (const Signal signal : given.signals) {
      std::string why;
      const auto client = Client::make(home_.permit(given.endpoint.text(), signal), {}, why);
      const Answer answer = client->send({.path = "/v1/x", .body = kSecret, .timeout_ms = 2'000});
      EXPECT_EQ(name_of(answer.failure), name_of(Failure::tls_version)) << answer.said;
    }
  }
  std::size_t tries = 0;
  const std::string said = older.said();
  for (std::size_t at = said.find("unsupported protocol"); at != std::string::npos; ++tries)
    at = said.find("unsupported protocol", at + 1);
  EXPECT_EQ(tries, 1U) << said;
}

TEST_F(Tls, TheSystemsAuthoritiesDoNotVouchForAPrivateOne) {
  const TlsPeer peer(*certificates_, "good");
  consent::Grant given = grant(peer.url());
  given.ca_file.clear();
  expect_refused(peer, given, Failure::tls_unknown_authority);
}

TEST_F(Tls, AGrantedSelfSignedCertificateIsEnough) {
  TestCertificates own;
  std::filesystem::remove(own.pem("ca"));
  ASSERT_EQ(std::system(("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=own "
                         "-addext subjectAltName=IP:127.0.0.1 -keyout " +
                         own.key("ca") + " -out " + own.pem("ca") + " >/dev/null 2>&1")
                            .c_str()),
            0);
  const TlsPeer peer(own, "ca");
  consent::Grant given = grant(peer.url());
  given.ca_file = own.pem("ca");
  const Answer answer = send(given, "GET");
  EXPECT_TRUE(answer.ok()) << answer.said;
}

TEST_F(Tls, APeerWithoutTlsHearsAHandshakeAndNothingElse) {
  TestServer plain(
      [](const std::string&) { return "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"; });
  // It answers the first bytes, as a server of plaintext HTTP would.
  const std::string url = "https://127.0.0.1:" + std::to_string(plain.port());
  consent::Grant given = grant(url);
  home_.grant(given);
  std::string why;
  const auto client = Client::make(home_.permit(given.endpoint.text(), Signal::metrics), {}, why);
  Request request;
  request.path = "/v1/metrics", request.body = kSecret, request.timeout_ms = 1'000;
  EXPECT_FALSE(client->send(request).ok());
  EXPECT_EQ(plain.connections(), 1) << "no second try in plaintext";
  const std::string arrived = plain.received();
  ASSERT_FALSE(arrived.empty());
  EXPECT_EQ(arrived.substr(0, 2), std::string("\x16\x03")) << "a TLS handshake";
  for (const std::string_view word :
       {kSecret, std::string_view("POST"), std::string_view("v1/metrics"), std::string_view("honeylink")})
    EXPECT_EQ(arrived.find(word), std::string::npos) << word;
}

}  // namespace
}  // namespace honeylink::telemetry::net
