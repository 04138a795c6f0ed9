// Receipts as files, forged in every way that F14 names, and the permits that come of them.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

#include "base/file.h"
#include "consent/gate.h"
#include "consent/testing_home.h"

namespace honeylink::telemetry::consent {
namespace {

constexpr const char* kTo = "https://collector.example:4317";

std::string content(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}
void put(const std::string& path, const std::string& text, mode_t mode = 0600) {
  std::string why;
  ASSERT_TRUE(replace_file(path, text, mode, why)) << why;
}
std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const std::size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return at == std::string::npos ? text : text.replace(at, what.size(), by);
}

class Consent : public testing::Test {
 protected:
  Gate::Answer ask(Signal signal = Signal::metrics, const std::string& to = kTo) {
    return gate_.ask(TestHome::endpoint(to), signal);
  }
  void expect_refused(const std::string& what) {
    const Gate::Answer answer = ask();
    EXPECT_FALSE(answer.permit) << what;
    EXPECT_EQ(answer.refusal, Refusal::refused) << what << ": " << answer.why;
    EXPECT_FALSE(answer.why.empty()) << what;
  }
  TestHome home_;
  ManualClock clock_{1'790'000'000'000'000'000};
  Gate gate_{home_.path(), clock_};
};

TEST_F(Consent, NothingGrantedNothingPermitted) {
  const Gate::Answer answer = ask();
  EXPECT_FALSE(answer.permit);
  EXPECT_EQ(answer.refusal, Refusal::no_receipt);
  EXPECT_FALSE(std::filesystem::exists(home_.path() + "/consent")) << "asking writes nothing";
}

TEST_F(Consent, IsForItsEndpointAndItsSignals) {
  home_.grant({.endpoint = TestHome::endpoint(kTo), .signals = {Signal::metrics, Signal::logs}}, clock_);
  ASSERT_TRUE(ask().permit);
  EXPECT_TRUE(ask().permit->valid());
  EXPECT_EQ(ask().permit->endpoint().text(), kTo);
  EXPECT_TRUE(ask(Signal::logs).permit);
  EXPECT_EQ(ask(Signal::traces).refusal, Refusal::not_this_signal);
  EXPECT_EQ(ask(Signal::metrics, "https://collector.example:4318").refusal, Refusal::no_receipt);
  EXPECT_EQ(ask(Signal::metrics, "https://collector.example:4317/other").refusal, Refusal::no_receipt);
}

TEST_F(Consent, EndsWithRevoking) {
  home_.grant({.endpoint = TestHome::endpoint(kTo), .signals = {Signal::metrics}}, clock_);
  const Permit permit = *ask().permit, copy = permit;
  EXPECT_TRUE(home_.revoke(kTo, false, clock_));
  EXPECT_FALSE(permit.valid());
  EXPECT_FALSE(copy.valid());
  EXPECT_EQ(ask().refusal, Refusal::no_receipt);
  EXPECT_FALSE(home_.revoke(kTo, false, clock_)) << "there is nothing left to revoke";
}

TEST_F(Consent, EndsInTimeAlsoWhenTheClockIsSetBack) {
  home_.grant({.endpoint = TestHome::endpoint(kTo), .signals = {Signal::metrics}, .lasts_ns = kDayNs}, clock_);
  const Permit permit = *ask().permit;
  clock_.advance(kDayNs - 1);
  EXPECT_TRUE(permit.valid());
  clock_.step(-kDayNs);
  EXPECT_TRUE(permit.valid());
  clock_.advance(1);
  EXPECT_FALSE(permit.valid()) << "a day has passed, whatever the clock on the wall says";
}

TEST_F(Consent, OverIsSaidAndPutAside) {
  const std::string path =
      home_.grant({.endpoint = TestHome::endpoint(kTo), .signals = {Signal::metrics}, .lasts_ns = kDayNs}, clock_);
  clock_.advance(kDayNs);
  EXPECT_EQ(ask().refusal, Refusal::expired);
  EXPECT_FALSE(std::filesystem::exists(path));
  clock_.step(-kDayNs);
  EXPECT_FALSE(ask().permit) << "a clock that is set back brings nothing to life";
}

TEST_F(Consent, GrantedAnewEndsTheOlderPermit) {
  const Grant grant{.endpoint = TestHome::endpoint(kTo), .signals = {Signal::metrics}};
  home_.grant(grant, clock_);
  const Permit older = *ask().permit;
  home_.grant(grant, clock_);
  EXPECT_FALSE(older.valid());
  EXPECT_TRUE(ask().permit->valid());
}

TEST_F(Consent, EditedIsRefused) {
  const std::string path = home_.grant({.endpoint = TestHome::endpoint(kTo), .signals = {Signal::metrics}}, clock_);
  const std::string whole = content(path);
  put(path, replaced(whole, "\"signals\":{", "\"signals\":{\"logs\":\"0\","));
  expect_refused("another signal");
  put(path, replaced(whole, "\"metrics\":\"1790", "\"metrics\":\"0790"));
  expect_refused("an earlier moment");
  put(path, replaced(whole, "\"expires_unix_nano\":\"17", "\"expires_unix_nano\":\"18"));
  expect_refused("a longer time");
  put(path, replaced(whole, "\"uid\":", "\"uid\":1"));
  expect_refused("another user");
  put(path, whole + "\n");
  expect_refused("a line more");
  put(path, whole.substr(0, whole.size() - 1));
  expect_refused("a byte less");
  put(path, whole.substr(0, whole.size() / 2));
  expect_refused("half of it");
  put(path, "");
  expect_refused("nothing");
  put(path, replaced(whole, "{\"honeylink_consent\":1,", "{\"honeylink_consent\":1, "));
  expect_refused("a space");
  put(path, whole);
  EXPECT_TRUE(ask().permit) << "the test itself changes nothing else";
}

TEST_F(Consent, EveryFlippedBitIsRefused) {
  const std::string path = home_.grant({.endpoint = TestHome::endpoint(kTo), .signals = {Signal::metrics}}, clock_);
  const std::string whole = content(path);
  const bool all = std::getenv("HONEYLINK_TEST_LONG") != nullptr;
  std::size_t refused = 0, flips = 0;
  for (std::size_t bit = 0; bit < whole.size() * 8; bit += all ? 1 : 13) {
    std::string flipped = whole;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    Receipt receipt;
    std::string why;
    audit::PublicKey install{};
    ASSERT_EQ(audit::read_consent_public_key(home_.path(), install, why), audit::KeyState::ready);
    refused += read_receipt(flipped, install, receipt, why) ? 0 : 1, ++flips;
  }
  EXPECT_EQ(refused, flips);
}

TEST_F(Consent, CopiedToAnotherEndpointIsRefused) {
  const std::string path =
      home_.grant({.endpoint = TestHome::endpoint("https://elsewhere.example"), .signals = {Signal::metrics}}, clock_);
  const std::string here = consent_directory(home_.path()) + "/" + receipt_name(TestHome::endpoint(kTo));
  put(here, content(path));
  expect_refused("a copy");
  EXPECT_NE(ask().why.find("elsewhere.example"), std::string::npos) << ask().why;
  ASSERT_EQ(list_receipts(home_.path(), clock_).size(), 2U);
}

TEST_F(Consent, OfAnotherHomeIsRefused) {
  const TestHome other;
  const Grant grant{.endpoint = TestHome::endpoint(kTo), .signals = {Signal::metrics}};
  const std::string path = home_.grant(grant, clock_);
  put(path, content(other.grant(grant, clock_)));
  expect_refused("another home's");
}

TEST_F(Consent, SignedBySomebodyElseUnderOurNameIsRefused) {
  const std::string path = home_.grant({.endpoint = TestHome::endpoint(kTo), .signals = {Signal::metrics}}, clock_);
  audit::PublicKey install{};
  std::string why;
  ASSERT_EQ(audit::read_consent_public_key(home_.path(), install, why), audit::KeyState::ready);
  Receipt receipt;
  ASSERT_TRUE(read_receipt(content(path), install, receipt, why)) << why;
  put(path, write_receipt(receipt, *audit::SigningKey::make()));
  expect_refused("a stranger's signature");
}

TEST_F(Consent, OfAnotherUserIsRefused) {
  std::string why;
  Receipt receipt;
  ASSERT_TRUE(prepare_grant(home_.path(), {.endpoint = TestHome::endpoint(kTo), .signals = {Signal::metrics}}, clock_,
                            receipt, why));
  receipt.uid = ::geteuid() + 1;
  ASSERT_TRUE(write_grant(home_.path(), receipt, clock_, why)) << why;
  expect_refused("signed as another user");
  if (::geteuid() != 0) return;  // to give a file away one must be root
  receipt.uid = 0;
  ASSERT_TRUE(write_grant(home_.path(), receipt, clock_, why)) << why;
  ASSERT_EQ(::chown((consent_directory(home_.path()) + "/" + receipt_name(receipt.endpoint)).c_str(), 65534, 65534), 0);
  expect_refused("a file of another user");
}

TEST_F(Consent, OpenToOthersIsRefused) {
  const std::string path = home_.grant({.endpoint = TestHome::endpoint(kTo), .signals = {Signal::metrics}}, clock_);
  for (const mode_t mode : {0666U, 0606U, 0660U, 0644U, 0620U}) {
    ASSERT_EQ(::chmod(path.c_str(), mode), 0);
    expect_refused("mode " + std::to_string(mode));
  }
  ASSERT_EQ(::chmod(path.c_str(), 0600), 0);
  EXPECT_TRUE(ask().permit);
  ASSERT_EQ(::chmod(consent_directory(home_.path()).c_str(), 0777), 0);
  expect_refused("a directory that anybody may write");
}

TEST_F(Consent, TouchedEndsThePermit) {
  const std::string path = home_.grant({.endpoint = TestHome::endpoint(kTo), .signals = {Signal::metrics}}, clock_);
  const Permit permit = *ask().permit;
  ASSERT_EQ(::chmod(path.c_str(), 0666), 0);
  EXPECT_FALSE(permit.valid());
}

TEST_F(Consent, BehindALinkIsRefused) {
  const std::string path = home_.grant({.endpoint = TestHome::endpoint(kTo), .signals = {Signal::metrics}}, clock_);
  std::filesystem::rename(path, home_.path() + "/moved");
  std::filesystem::create_symlink(home_.path() + "/moved", path);
  expect_refused("a link");
  std::filesystem::remove(path);
  std::filesystem::create_directory(path);
  expect_refused("a directory");
}

TEST_F(Consent, WithoutItsKeyOrWithADamagedOneIsRefused) {
  home_.grant({.endpoint = TestHome::endpoint(kTo), .signals = {Signal::metrics}}, clock_);
  const std::string key = audit::key_path(home_.path(), "consent.key");
  std::filesystem::resize_file(key, 10);
  expect_refused("a damaged key");
  std::filesystem::remove(key);
  expect_refused("no key");
}

TEST_F(Consent, IsBoundToTheCertificatesThatWereGranted) {
  const std::string authority = home_.path() + "/ca.pem";
  put(authority, "-----BEGIN CERTIFICATE-----\n", 0644);
  home_.grant({.endpoint = TestHome::endpoint(kTo), .signals = {Signal::metrics}, .ca_file = authority}, clock_);
  ASSERT_TRUE(ask().permit);
  EXPECT_EQ(ask().permit->ca_pem(), "-----BEGIN CERTIFICATE-----\n");
  put(authority, "-----BEGIN CERTIFICATE-----\nanother\n", 0644);
  expect_refused("another authority in the same file");
  std::filesystem::remove(authority);
  expect_refused("no file of certificates");
}

TEST_F(Consent, WhatCannotBeGrantedIsSaid) {
  const auto refused = [&](const Grant& grant) {
    Receipt receipt;
    std::string why;
    EXPECT_FALSE(prepare_grant(home_.path(), grant, clock_, receipt, why));
    EXPECT_FALSE(why.empty());
  };
  const Endpoint to = TestHome::endpoint(kTo), here = TestHome::endpoint("http://127.0.0.1:9093");
  const std::vector<Signal> metrics{Signal::metrics};
  refused({.endpoint = to, .signals = {}});
  refused({.endpoint = to, .signals = metrics, .lasts_ns = 367 * kDayNs});
  refused({.endpoint = to, .signals = metrics, .lasts_ns = 0});
  refused({.endpoint = to, .signals = metrics, .ca_file = "/nonexistent/ca.pem"});
  refused({.endpoint = to, .signals = metrics, .ca_file = "relative.pem"});
  refused({.endpoint = to, .signals = metrics, .ca_file = "/proc/self/status"});
  refused({.endpoint = to, .signals = metrics, .pin = "sha256//short="});
  refused({.endpoint = to, .signals = metrics, .cert_file = "/proc/self/status"});
  refused({.endpoint = here, .signals = metrics, .pin = "sha256//" + std::string(43, 'A') + "="});
}

TEST_F(Consent, AfterRevokingALaterGrantGoesOnFromTheSameMomentUnlessPurged) {
  const Grant grant{.endpoint = TestHome::endpoint(kTo), .signals = {Signal::metrics}};
  home_.grant(grant, clock_);
  const std::int64_t began = ask().permit->from_unix_ns();
  EXPECT_EQ(began, clock_.realtime_ns());
  clock_.advance(kDayNs);
  ASSERT_TRUE(home_.revoke(kTo, false, clock_));
  home_.grant(Grant{.endpoint = grant.endpoint, .signals = {Signal::metrics, Signal::logs}}, clock_);
  EXPECT_EQ(ask().permit->from_unix_ns(), began);
  EXPECT_EQ(ask(Signal::logs).permit->from_unix_ns(), clock_.realtime_ns()) << "what is new begins now";
  ASSERT_TRUE(home_.revoke(kTo, true, clock_));
  clock_.advance(kDayNs);
  home_.grant(grant, clock_);
  EXPECT_EQ(ask().permit->from_unix_ns(), clock_.realtime_ns());
}

TEST_F(Consent, ListsAllByEndpoint) {
  home_.grant({.endpoint = TestHome::endpoint("https://b.example"), .signals = {Signal::traces}}, clock_);
  home_.grant({.endpoint = TestHome::endpoint("https://a.example"), .signals = {Signal::metrics}}, clock_);
  put(consent_directory(home_.path()) + "/0123.receipt", "nonsense");
  const std::vector<Checked> all = list_receipts(home_.path(), clock_);
  ASSERT_EQ(all.size(), 3U);
  std::size_t valid = 0, refused = 0;
  for (const Checked& one : all) valid += one.state == State::valid, refused += one.state == State::refused;
  EXPECT_EQ(valid, 2U);
  EXPECT_EQ(refused, 1U);
}

}  // namespace
}  // namespace honeylink::telemetry::consent
