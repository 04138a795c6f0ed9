// honeytel consent test against peers that are good and bad in every way: openssl s_server, Debian's Alertmanager, and
// none at all. What happened is said in words, and nothing is sent to whom it is not for.
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>

#include "cli_support.h"
#include "net/testing_server.h"
#include "net/testing_tls.h"

namespace honeylink::telemetry::test {
namespace {

using net::TestCertificates;
using net::TestServer;
using net::TlsPeer;

class CliConsentProbe : public CliTest {
 protected:
  void grant(const std::string& to, const std::string& signals, std::vector<std::string> more = {}) {
    std::vector<std::string> words{"consent", "grant", "--endpoint", to, "--signals", signals, "--yes"};
    words.insert(words.end(), more.begin(), more.end());
    const Said said = honeytel(words);
    ASSERT_EQ(said.exit, 0) << said.err;
  }
  /// The one test of the one thing that is granted.
  nlohmann::json tried(int exit) {
    const Said said = honeytel({"consent", "test", "--json"});
    EXPECT_EQ(said.exit, exit) << said.out << said.err;
    const nlohmann::json tests = said.json()["tests"];
    EXPECT_EQ(tests.size(), 1U) << said.out;
    return tests.empty() ? nlohmann::json() : tests[0];
  }
  void expect_refused(const TestCertificates& certificates, const std::string& name, std::vector<std::string> options,
                      const std::string& failure, const std::string& word) {
    const TlsPeer peer(certificates, name, std::move(options));
    grant(peer.url() + "/otlp", "metrics", {"--ca", certificates.pem("ca")});
    EXPECT_EQ(tried(1)["failure"], failure);
    const Said said = honeytel({"consent", "test"});
    EXPECT_EQ(said.exit, 1);
    EXPECT_NE(said.out.find(word), std::string::npos) << said.out;
    EXPECT_EQ(peer.said().find("POST"), std::string::npos) << "the peer read what was not for it";
    ASSERT_EQ(honeytel({"consent", "revoke", "--purge"}).exit, 0);
  }
};

TEST_F(CliConsentProbe, WithoutConsentNothingIsTried) {
  TestServer server([](const std::string&) { return "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"; });
  EXPECT_EQ(honeytel({"consent", "test"}).exit, 8);
  EXPECT_EQ(honeytel({"consent", "test", server.url()}).exit, 8);
  grant("http://127.0.0.1:9", "metrics");
  EXPECT_EQ(honeytel({"consent", "test", server.url()}).exit, 8) << "consent for another is none for this one";
  EXPECT_EQ(server.connections(), 0);
}

TEST_F(CliConsentProbe, TheNetworksLibrariesAreOpenedByConsentOnly) {
  const std::vector<std::string> telling{"LD_DEBUG=files"};
  const std::string kNames[] = {"libcurl", "libngtcp2", "libnghttp3", "libgnutls"};
  for (const char* command : {"status", "doctor"})
    for (const std::string& name : kNames)
      EXPECT_EQ(honeytel({command}, telling).err.find(name), std::string::npos) << command << " maps " << name;
  EXPECT_EQ(honeytel({"consent", "test"}, telling).err.find("libngtcp2"), std::string::npos);
  grant("https://127.0.0.1:9", "metrics");
  const std::string by_tcp = honeytel({"consent", "test"}, telling).err;
  EXPECT_NE(by_tcp.find("libcurl"), std::string::npos) << by_tcp.size();
  EXPECT_EQ(by_tcp.find("libngtcp2"), std::string::npos);
  ASSERT_EQ(honeytel({"consent", "revoke", "--purge"}).exit, 0);
  grant("h3://127.0.0.1:9", "metrics");
  const std::string by_quic = honeytel({"consent", "test"}, telling).err;
  EXPECT_NE(by_quic.find("libngtcp2"), std::string::npos) << by_quic.size();
}

TEST_F(CliConsentProbe, APeerThatTakesItIsSaidToDoSo) {
  TestServer server([](const std::string&) { return "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"; });
  grant(server.url() + "/otlp", "traces,logs,metrics");
  const Said said = honeytel({"consent", "test"});
  EXPECT_EQ(said.exit, 0) << said.out << said.err;
  EXPECT_NE(said.out.find("takes metrics"), std::string::npos) << said.out;
  const std::string arrived = server.received();
  for (const char* path : {"POST /otlp/v1/traces ", "POST /otlp/v1/logs ", "POST /otlp/v1/metrics "})
    EXPECT_NE(arrived.find(path), std::string::npos) << arrived;
  EXPECT_NE(arrived.find("Content-Length: 0"), std::string::npos) << "an empty request: " << arrived;
  const Said shown = honeytel({"audit", "show", "--event", "consent.test", "--json"});
  EXPECT_EQ(shown.json()["audit"].size(), 3U) << "what was sent is written down";
}

TEST_F(CliConsentProbe, APeerThatAnswersNoIsSaidToHaveSaidSo) {
  TestServer server([](const std::string&) { return "HTTP/1.1 401 No\r\ncontent-length: 0\r\n\r\n"; });
  grant(server.url(), "alerts");
  const nlohmann::json test = tried(1);
  EXPECT_EQ(test["failure"], "none");
  EXPECT_EQ(test["taken"], false);
  EXPECT_NE(honeytel({"consent", "test"}).out.find("401"), std::string::npos);
}

TEST_F(CliConsentProbe, NobodyThereIsSaid) {
  std::string url;
  {
    const TestServer gone([](const std::string&) { return ""; });
    url = gone.url();
  }
  grant(url, "alerts");
  EXPECT_EQ(tried(1)["failure"], "unreachable");
  EXPECT_NE(honeytel({"consent", "test", "--lang", "ja"}).out.find("接続を受け付ける"), std::string::npos);
  EXPECT_NE(honeytel({"consent", "test", "--lang", "es"}).out.find("nadie escucha"), std::string::npos);
}

TEST_F(CliConsentProbe, ARevokedOrForgedReceiptIsNotUsed) {
  TestServer server([](const std::string&) { return "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"; });
  grant(server.url(), "alerts");
  const std::string path = honeytel({"consent", "status", "--json"}).json()["consent"][0]["receipt"];
  std::filesystem::permissions(path, std::filesystem::perms(0666));
  const Said said = honeytel({"consent", "test"});
  EXPECT_EQ(said.exit, 8);
  EXPECT_NE(said.err.find("others"), std::string::npos) << said.err;
  EXPECT_EQ(server.connections(), 0);
}

// F37 as the owner meets it.
TEST_F(CliConsentProbe, EachWayInWhichTlsIsWrongHasItsWords) {
  if (::access(net::kOpenssl, X_OK) != 0) GTEST_SKIP() << "needs Debian's openssl";
  const TestCertificates certificates;
  certificates.certificate("good", "IP:127.0.0.1", 30);
  certificates.certificate("expired", "IP:127.0.0.1", -1);
  certificates.certificate("elsewhere", "DNS:other.example", 30);
  certificates.authority("selfsigned");
  certificates.authority("stranger");
  certificates.certificate("vouched", "IP:127.0.0.1", 30, "stranger");
  expect_refused(certificates, "expired", {}, "tls_expired", "not valid at this time");
  expect_refused(certificates, "vouched", {}, "tls_unknown_ca", "vouches for its certificate");
  expect_refused(certificates, "selfsigned", {}, "tls_unknown_ca", "vouches for its certificate");
  expect_refused(certificates, "elsewhere", {}, "tls_wrong_name", "for another name");
  expect_refused(certificates, "good", {"-tls1_2"}, "tls_version", "does not speak TLS 1.3");
  TestServer plain([](const std::string&) { return ""; });
  grant("https://127.0.0.1:" + std::to_string(plain.port()) + "/otlp", "metrics");
  EXPECT_EQ(honeytel({"consent", "revoke"}).exit, 0);
  EXPECT_EQ(plain.connections(), 0);
}

TEST_F(CliConsentProbe, DebiansAlertmanagerTakesAnEmptyListOfAlerts) {
  constexpr const char* kAlertmanager = "/usr/bin/prometheus-alertmanager";
  if (::access(kAlertmanager, X_OK) != 0) GTEST_SKIP() << "needs Debian's prometheus-alertmanager";
  std::string url;
  {
    const TestServer port([](const std::string&) { return ""; });
    url = port.url();
  }
  std::ofstream(home_ + "/am.yml") << "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n";
  const std::string config = "--config.file=" + home_ + "/am.yml", storage = "--storage.path=" + home_ + "/am",
                    listen = "--web.listen-address=" + url.substr(7);
  const pid_t pid = ::fork();
  if (pid == 0) {
    const int nowhere = ::open("/dev/null", O_RDWR);
    ::dup2(nowhere, 1), ::dup2(nowhere, 2);
    ::execl(kAlertmanager, kAlertmanager, config.c_str(), storage.c_str(), listen.c_str(),
            "--cluster.listen-address=", static_cast<char*>(nullptr));
    ::_exit(127);
  }
  grant(url, "alerts");
  Said said;
  for (int i = 0; i < 100 && said.exit != 0; ++i) {
    said = honeytel({"consent", "test"});
    ::poll(nullptr, 0, 100);
  }
  ::kill(pid, SIGKILL), ::waitpid(pid, nullptr, 0);
  EXPECT_EQ(said.exit, 0) << said.out << said.err;
  EXPECT_NE(said.out.find("takes alerts"), std::string::npos) << said.out;
}

}  // namespace
}  // namespace honeylink::telemetry::test
