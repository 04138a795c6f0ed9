// Debian's Alertmanager with the routes of deploy/alertmanager.yml and a receiver of webhooks, and consent to post to
// it. Used by alert_manager_test.cc and alert_dunst_test.cc.
#pragma once
#include <map>
#include <regex>
#include <sstream>

#include "alert_support.h"
#include "base/file.h"
#include "consent/store.h"
#include "net/testing_server.h"

namespace honeylink::telemetry::test {

inline constexpr const char* kAlertmanager = "/usr/bin/prometheus-alertmanager";

/// A port of 127.0.0.1 that was free a moment ago.
inline std::uint16_t free_port() {
  const Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in here{};
  here.sin_family = AF_INET;
  here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof here;
  EXPECT_EQ(::bind(socket.get(), reinterpret_cast<sockaddr*>(&here), sizeof here), 0);
  EXPECT_EQ(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&here), &size), 0);
  return ntohs(here.sin_port);
}

/// One HTTP exchange without the client under test; the whole answer, or nothing.
inline std::string http_get(std::uint16_t port, const std::string& path) {
  const Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in there{};
  there.sin_family = AF_INET;
  there.sin_port = htons(port);
  there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket.get(), reinterpret_cast<sockaddr*>(&there), sizeof there) != 0) return {};
  const std::string request = "GET " + path + " HTTP/1.0\r\nHost: localhost\r\n\r\n";
  if (::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) return {};
  std::string answer;
  char bytes[65536];
  for (ssize_t n = 0; (n = ::recv(socket.get(), bytes, sizeof bytes, 0)) > 0;)
    answer.append(bytes, static_cast<std::size_t>(n));
  return answer;
}

/// What Alertmanager sent to one receiver.
struct Notified {
  std::string receiver, status;
  nlohmann::json alert;
  std::int64_t monotonic_ns = 0;
};

/// Takes Alertmanager's webhooks: POST /<receiver>.
class Webhooks {
 public:
  Webhooks() : server_([this](const std::string& request) { return take(request); }) {}
  [[nodiscard]] std::string url() const { return server_.url(); }
  [[nodiscard]] std::vector<Notified> all() const {
    const std::lock_guard lock(mutex_);
    return notified_;
  }
  /// The receivers that were told of this service level with this status and severity.
  [[nodiscard]] std::string receivers(const std::string& sli, const std::string& status,
                                      const std::string& severity) const {
    std::string names;
    for (const Notified& one : all()) {
      if (one.alert["labels"].value("sli_name", "") == sli && one.status == status &&
          one.alert["labels"].value("severity", "") == severity)
        names += one.receiver + " ";
    }
    return names;
  }

 private:
  std::string take(const std::string& request) {
    const std::int64_t now = system_clock().monotonic_ns();
    const std::size_t body = request.find("\r\n\r\n");
    const auto json = nlohmann::json::parse(request.substr(body + 4), nullptr, false);
    const std::string receiver = request.substr(6, request.find(' ', 6) - 6);
    const std::lock_guard lock(mutex_);
    if (json.is_object()) {
      for (const auto& alert : json["alerts"]) notified_.push_back({receiver, alert["status"], alert, now});
    }
    return "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
  }
  mutable std::mutex mutex_;
  std::vector<Notified> notified_;
  net::TestServer server_;
};

class RealAlertmanager {
 public:
  void start(const std::string& directory, const Webhooks& hooks) {
    std::filesystem::create_directories(directory);
    std::ofstream(directory + "/am.yml") << config_for(hooks);
    port_ = port_ == 0 ? free_port() : port_;
    const std::string address = "127.0.0.1:" + std::to_string(port_);
    peer_.start({kAlertmanager, "--config.file=" + directory + "/am.yml", "--storage.path=" + directory,
                 "--web.listen-address=" + address, "--cluster.listen-address="});
    ASSERT_TRUE(eventually([this] { return http_get(port_, "/-/ready").find(" 200 ") != std::string::npos; }, 20'000));
  }
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  /// What it holds, resolved alerts left out.
  [[nodiscard]] nlohmann::json alerts() const {
    const std::string answer = http_get(port_, "/api/v2/alerts");
    const std::size_t body = answer.find("\r\n\r\n");
    return nlohmann::json::parse(body == std::string::npos ? "[]" : answer.substr(body + 4), nullptr, false);
  }
  Peer& peer() { return peer_; }

  /// deploy/alertmanager.yml with its own routes, and webhooks in place of accounts that a test has not.
  static std::string config_for(const Webhooks& hooks) {
    std::ifstream file(HONEYLINK_SOURCE_DIR "/deploy/alertmanager.yml");
    std::stringstream bytes;
    bytes << file.rdbuf();
    std::string config = bytes.str().substr(0, bytes.str().find("\nreceivers:"));
    config = std::regex_replace(config, std::regex("group_interval: 1m"), "group_interval: 1s");
    config += "\nreceivers:\n";
    for (const char* name : {"slack", "pagerduty-low", "pagerduty-high"})
      config += std::string("  - name: ") + name + "\n    webhook_configs:\n      - url: " + hooks.url() + "/" + name +
                "\n        send_resolved: true\n";
    return config;
  }

 private:
  Peer peer_;
  std::uint16_t port_ = 0;
};

/// As `honeytel consent grant --endpoint … --signals alerts --yes`.
inline void grant_alerts(const std::string& home, const std::string& url) {
  std::string why;
  consent::Grant grant;
  const auto endpoint = consent::parse_endpoint(url, why);
  ASSERT_TRUE(endpoint) << why;
  grant.endpoint = *endpoint;
  grant.signals = {consent::Signal::alerts};
  consent::Receipt receipt;
  ASSERT_TRUE(consent::prepare_grant(home, grant, system_clock(), receipt, why)) << why;
  ASSERT_TRUE(consent::write_grant(home, receipt, system_clock(), why)) << why;
}

class AlertmanagerTest : public AlertTest {
 protected:
  void SetUp() override {
    AlertTest::SetUp();
    options_.toast = false;
    options_.linger_ms = 200;
  }
  /// An outbox that may post to `url`.
  std::unique_ptr<alert::Outbox> allowed(const std::string& url) {
    options_.alertmanager = url;
    grant_alerts(home_, url);
    return alert::Outbox::start(options_);
  }
  static bool has_alertmanager() { return is_there(kAlertmanager); }
};

}  // namespace honeylink::telemetry::test
