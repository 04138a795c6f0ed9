// For tests: Debian's caddy as a front that speaks HTTP/3 and passes what it got on to a TestServer, with a header
// that says how it was reached.
#pragma once
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "net/testing_tls.h"
#include "net/testing_udp.h"

namespace honeylink::telemetry::net {

inline constexpr const char* kCaddy = "/usr/bin/caddy";

class TestCaddy {
 public:
  /// `tls`: more of its tls block ("client_auth { … }"); `called`: a name of the certificate, by which caddy finds it.
  TestCaddy(const TestCertificates& certificates, const std::string& name, std::uint16_t behind,
            const std::string& tls = {}, const std::string& called = "127.0.0.1") {
    char folder[] = "/tmp/honeylink_caddy_XXXXXX";
    folder_ = ::mkdtemp(folder);
    // A port that was free may be another test's by now.
    for (int tries = 0; tries < kTries; ++tries) {
      port_ = free_port();
      configure(certificates, name, behind, tls, called);
      if (run()) return;
      stop(SIGKILL);
    }
    ADD_FAILURE() << said();
  }
  ~TestCaddy() {
    stop(SIGKILL);
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  TestCaddy(const TestCaddy&) = delete;
  TestCaddy& operator=(const TestCaddy&) = delete;

  void start() { EXPECT_TRUE(run()) << said(); }
  void stop(int signal) {
    if (pid_ <= 0) return;
    ::kill(pid_, signal);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  [[nodiscard]] std::string said() const {
    std::ifstream in(folder_ + "/said");
    return {std::istreambuf_iterator<char>(in), {}};
  }

 private:
  static constexpr int kTries = 10;

  void configure(const TestCertificates& certificates, const std::string& name, std::uint16_t behind,
                 const std::string& tls, const std::string& called) const {
    std::ofstream(folder_ + "/Caddyfile")
        << "{\n  admin off\n  skip_install_trust\n  auto_https disable_redirects\n  default_sni " << called << "\n}\n"
        << "https://:" << port_ << " {\n  bind 127.0.0.1\n"
        << "  tls " << certificates.pem(name) << " " << certificates.key(name) << " {\n    " << tls << "\n  }\n"
        << "  reverse_proxy 127.0.0.1:" << behind << " {\n    header_up X-Proto {http.request.proto}\n  }\n}\n";
  }
  [[nodiscard]] bool run() {
    const std::string config = folder_ + "/Caddyfile", home = "HOME=" + folder_, output = folder_ + "/said";
    std::vector<std::string> words{"caddy", "run", "--adapter", "caddyfile", "--config", config};
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    std::string homes = home;
    char* environment[] = {homes.data(), nullptr};
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_addopen(&actions, 1, output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::posix_spawn_file_actions_adddup2(&actions, 1, 2);
    const int spawned = ::posix_spawn(&pid_, kCaddy, &actions, nullptr, argv.data(), environment);
    ::posix_spawn_file_actions_destroy(&actions);
    return spawned == 0 && wait_until_it_listens();
  }
  /// Of TCP and of UDP: caddy listens on both.
  static std::uint16_t free_port() {
    for (;;) {
      const TestUdp probe([](const std::string&) { return ""; });
      const int tcp = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      const sockaddr_in here = loopback(probe.port());
      const bool both = ::bind(tcp, reinterpret_cast<const sockaddr*>(&here), sizeof here) == 0;
      ::close(tcp);
      if (both) return probe.port();
    }
  }
  /// It listens for HTTP/2 on the same port of TCP, which can be seen.
  [[nodiscard]] bool wait_until_it_listens() {
    for (int i = 0; i < 500; ++i) {
      if (::waitpid(pid_, nullptr, WNOHANG) != 0) return pid_ = -1, false;
      const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      const sockaddr_in there = loopback(port_);
      const bool listens = ::connect(probe, reinterpret_cast<const sockaddr*>(&there), sizeof there) == 0;
      ::close(probe);
      if (listens) return true;
      ::poll(nullptr, 0, 20);
    }
    return false;
  }
  std::string folder_;
  std::uint16_t port_ = 0;
  pid_t pid_ = -1;
};

}  // namespace honeylink::telemetry::net
