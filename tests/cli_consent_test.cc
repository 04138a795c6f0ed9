// honeytel consent as its owner uses it: granting in words, listing, taking back; what the exit codes say.
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "cli_support.h"

namespace honeylink::telemetry::test {
namespace {

constexpr const char* kTo = "https://collector.example:4317";

class CliConsent : public CliTest {
 protected:
  Said grant(std::vector<std::string> more = {}) {
    std::vector<std::string> words{"consent", "grant", "--endpoint", kTo, "--signals", "metrics,traces"};
    words.insert(words.end(), more.begin(), more.end());
    return honeytel(words);
  }
  nlohmann::json status() { return honeytel({"consent", "status", "--json"}).json()["consent"]; }
};

TEST_F(CliConsent, SaysWhatWouldLeaveAndAsksBeforeItGrants) {
  const Said asked = grant();
  EXPECT_EQ(asked.exit, 2) << asked.err;
  EXPECT_NE(asked.err.find("https://collector.example:4317"), std::string::npos) << asked.err;
  EXPECT_NE(asked.err.find("names, labels, values"), std::string::npos) << asked.err;
  EXPECT_NE(asked.err.find("(90 days)"), std::string::npos) << asked.err;
  EXPECT_NE(asked.err.find("--yes"), std::string::npos) << asked.err;
  EXPECT_EQ(asked.out, "");
  EXPECT_FALSE(std::filesystem::exists(home_ + "/consent"));
  EXPECT_EQ(honeytel({"consent", "status", kTo}).exit, 8);
}

TEST_F(CliConsent, IsGrantedListedAndTakenBack) {
  const Said granted = grant({"--yes", "--expires", "30d"});
  ASSERT_EQ(granted.exit, 0) << granted.err;
  const nlohmann::json list = status();
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(list[0]["endpoint"], kTo);
  EXPECT_EQ(list[0]["signals"], nlohmann::json({"metrics", "traces"}));
  EXPECT_EQ(list[0]["state"], "valid");
  EXPECT_EQ(list[0]["from"].size(), 2U);
  EXPECT_EQ(honeytel({"consent", "status", kTo}).exit, 0);
  EXPECT_EQ(honeytel({"consent", "revoke", kTo}).exit, 0);
  EXPECT_EQ(honeytel({"consent", "status", kTo}).exit, 8);
  EXPECT_EQ(honeytel({"consent", "revoke", kTo}).exit, 6);
  EXPECT_TRUE(status().empty());
}

TEST_F(CliConsent, RevokingWithoutANameTakesBackEverything) {
  ASSERT_EQ(grant({"--yes"}).exit, 0);
  ASSERT_EQ(honeytel({"consent", "grant", "--endpoint", "http://127.0.0.1:9093", "--signals", "alerts", "--yes"}).exit,
            0);
  ASSERT_EQ(status().size(), 2U);
  EXPECT_EQ(honeytel({"consent", "revoke", "--purge"}).exit, 0);
  EXPECT_TRUE(status().empty());
  for (const auto& entry : std::filesystem::directory_iterator(home_ + "/consent"))
    EXPECT_EQ(entry.path().filename(), ".lock");
}

TEST_F(CliConsent, AForgedReceiptIsListedWithItsReasonAndCanBeTakenAway) {
  ASSERT_EQ(grant({"--yes"}).exit, 0);
  const std::string path = status()[0]["receipt"];
  std::filesystem::permissions(path, std::filesystem::perms(0666));
  EXPECT_EQ(status()[0]["state"], "refused");
  EXPECT_NE(status()[0]["why"].get<std::string>().find("others"), std::string::npos);
  EXPECT_EQ(honeytel({"consent", "status", kTo}).exit, 8);
  EXPECT_EQ(honeytel({"consent", "revoke", kTo}).exit, 0);
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(CliConsent, FilesAreForTheirOwnerOnly) {
  const mode_t before = ::umask(0);
  ASSERT_EQ(grant({"--yes"}).exit, 0);
  ::umask(before);
  const auto mode_of = [](const std::string& path) {
    struct stat info {};
    return ::stat(path.c_str(), &info) == 0 ? info.st_mode & 07777 : 0;
  };
  EXPECT_EQ(mode_of(home_ + "/consent"), 0700U);
  EXPECT_EQ(mode_of(home_ + "/keys"), 0700U);
  EXPECT_EQ(mode_of(home_ + "/keys/consent.key"), 0600U);
  EXPECT_EQ(mode_of(status()[0]["receipt"]), 0600U);
}

TEST_F(CliConsent, NonsenseIsRefusedWithAWordOnWhatToDo) {
  const std::vector<std::vector<std::string>> nonsense{
      {"grant"},
      {"grant", "--endpoint", kTo},
      {"grant", "--endpoint", kTo, "--signals", "metric", "--yes"},
      {"grant", "--endpoint", "http://collector.example", "--signals", "metrics", "--yes"},
      {"grant", "--endpoint", "collector.example", "--signals", "metrics", "--yes"},
      {"grant", "--endpoint", kTo, "--signals", "metrics", "--expires", "400d", "--yes"},
      {"grant", "--endpoint", kTo, "--signals", "metrics", "--pin", "abc", "--yes"},
      {"grnat"},
      {"revoke", "no endpoint"},
      {"status", kTo, "more"}};
  for (std::vector<std::string> words : nonsense) {
    words.insert(words.begin(), "consent");
    const Said said = honeytel(words);
    EXPECT_EQ(said.exit, 2) << said.err;
    EXPECT_NE(said.err.find("honeytel: "), std::string::npos) << said.err;
  }
  EXPECT_EQ(honeytel({"consent", "grnat"}).err.find("did you mean 'grant'") != std::string::npos, true);
  EXPECT_EQ(grant({"--ca", "/nonexistent.pem", "--yes"}).exit, 3);
  EXPECT_FALSE(std::filesystem::exists(home_ + "/consent"));
}

TEST_F(CliConsent, SpeaksTheOwnersLanguageAndTheSameJson) {
  EXPECT_NE(grant({"--lang", "ja"}).err.find("同意"), std::string::npos);
  EXPECT_NE(grant({"--lang", "es"}).err.find("consentimiento"), std::string::npos);
  const std::vector<std::string> words{"consent", "grant", "--endpoint", kTo, "--signals", "metrics", "--yes"};
  EXPECT_NE(honeytel(words, {"LC_ALL=zh_CN.UTF-8"}).err.find("同意"), std::string::npos);
  EXPECT_NE(honeytel(words, {"LC_ALL=C"}).err.find("With your consent"), std::string::npos);
  const Said chinese = honeytel({"consent", "status", "--json"}, {"LC_ALL=zh_CN.UTF-8"});
  EXPECT_EQ(chinese.json()["consent"][0]["state"], "valid");
}

}  // namespace
}  // namespace honeylink::telemetry::test
