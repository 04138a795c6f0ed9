// A peer that was refused is left in peace for a minute by all senders of a process, and stands in the audit log once;
// our own key is ours alone.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "audit/read.h"
#include "consent/own_key.h"
#include "consent/testing_home.h"

namespace honeylink::telemetry::consent {
namespace {

constexpr const char* kTo = "https://collector.example:4317";
constexpr std::int64_t kMinuteNs = 60'000'000'000;

class Refusals : public testing::Test {
 protected:
  void SetUp() override { grant(); }
  void grant() {
    home_.grant({.endpoint = TestHome::endpoint(kTo), .signals = {Signal::metrics, Signal::logs}}, clock_);
  }
  [[nodiscard]] Permit permit(Signal signal = Signal::metrics) const {
    return *Gate(home_.path(), clock_).ask(TestHome::endpoint(kTo), signal).permit;
  }
  [[nodiscard]] std::vector<std::string> written_down() const {
    std::vector<std::string> lines;
    std::string why;
    EXPECT_TRUE(audit::for_each_entry(
        home_.path(),
        [&](const audit::Entry* entry, std::string_view line) {
          if (entry != nullptr && entry->event == "peer.refused") lines.emplace_back(line);
          return true;
        },
        why));
    return lines;
  }
  const PeerRefusal expired_{10, "tls_expired", "the certificate has expired"};
  const PeerRefusal wrong_name_{12, "tls_wrong_name", "for another name"};
  TestHome home_;
  ManualClock clock_{1'790'000'000'000'000'000};
};

TEST_F(Refusals, HoldForAMinuteForEverySignalOfTheReceipt) {
  EXPECT_FALSE(permit().refused_lately());
  permit(Signal::metrics).peer_was_refused(expired_);
  const auto lately = permit(Signal::logs).refused_lately();
  ASSERT_TRUE(lately);
  EXPECT_EQ(lately->name, "tls_expired");
  clock_.advance(kMinuteNs - 1);
  EXPECT_TRUE(permit().refused_lately());
  clock_.step(-kMinuteNs);
  EXPECT_TRUE(permit().refused_lately()) << "a clock that is set neither shortens nor prolongs it";
  clock_.advance(1);
  EXPECT_FALSE(permit().refused_lately());
}

TEST_F(Refusals, AreWrittenDownOnceHoweverOftenAndAnewAfterSuccess) {
  for (int i = 0; i < 5; ++i) permit().peer_was_refused(expired_), clock_.advance(kMinuteNs);
  permit(Signal::logs).peer_was_refused(expired_);
  ASSERT_EQ(written_down().size(), 1U);
  for (const char* word : {kTo, "tls_expired", "the certificate has expired", "\"refused\""})
    EXPECT_NE(written_down()[0].find(word), std::string::npos) << word;
  permit().peer_was_refused(wrong_name_);
  EXPECT_EQ(written_down().size(), 2U) << "another reason is other news";
  permit().peer_was_reached();
  EXPECT_FALSE(permit().refused_lately());
  permit().peer_was_refused(wrong_name_);
  EXPECT_EQ(written_down().size(), 3U) << "it was well in between";
}

TEST_F(Refusals, EndWithAnotherGrant) {
  permit().peer_was_refused(expired_);
  grant();
  EXPECT_FALSE(permit().refused_lately()) << "the owner changed something: it is tried at once";
}

TEST(OwnKey, IsForItsOwnerOnly) {
  char name[] = "/tmp/honeylink_key_XXXXXX";
  const int fd = ::mkstemp(name);
  ::close(fd);
  std::string why;
  for (const mode_t mode : {0600U, 0400U}) {
    ASSERT_EQ(::chmod(name, mode), 0);
    EXPECT_TRUE(own_key_is_private(name, why)) << mode << ": " << why;
  }
  for (const mode_t mode : {0644U, 0604U, 0660U, 0610U, 0666U}) {
    ASSERT_EQ(::chmod(name, mode), 0);
    EXPECT_FALSE(own_key_is_private(name, why)) << mode;
    EXPECT_NE(why.find("chmod 600"), std::string::npos) << why;
  }
  ASSERT_EQ(::chmod(name, 0640), 0);
  EXPECT_EQ(own_key_is_private(name, why), ::geteuid() == 0) << "only root lends one to a group";
  ::unlink(name);
  EXPECT_FALSE(own_key_is_private(name, why));
  EXPECT_FALSE(own_key_is_private("/tmp", why));
}

}  // namespace
}  // namespace honeylink::telemetry::consent
