// For tests: certificates made by openssl, and its s_server as a peer that speaks TLS as badly as it is told. What the
// peer decrypted stands in said().
#pragma once
#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace honeylink::telemetry::net {

inline constexpr const char* kOpenssl = "/usr/bin/openssl";

/// A folder of keys and certificates.
class TestCertificates {
 public:
  TestCertificates() {
    char name[] = "/tmp/honeylink_tls_XXXXXX";
    folder_ = ::mkdtemp(name);
    authority("ca");
  }
  ~TestCertificates() { std::filesystem::remove_all(folder_); }
  TestCertificates(const TestCertificates&) = delete;
  TestCertificates& operator=(const TestCertificates&) = delete;

  [[nodiscard]] std::string pem(const std::string& name) const { return folder_ + "/" + name + ".pem"; }
  [[nodiscard]] std::string key(const std::string& name) const { return folder_ + "/" + name + ".key"; }
  /// Self-signed; may vouch for others.
  void authority(const std::string& name) const {
    run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=" + name +
        " -keyout " + key(name) + " -out " + pem(name));
  }
  /// `names`: "IP:127.0.0.1", "DNS:other.example". `days` may be negative: over already.
  void certificate(const std::string& name, const std::string& names, int days, const std::string& by = "ca") const {
    std::ofstream(folder_ + "/names") << "subjectAltName=" << names << "\n";
    run("openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=peer -keyout " + key(name) +
        " -out " + folder_ + "/request");
    run("openssl x509 -req -in " + folder_ + "/request -CA " + pem(by) + " -CAkey " + key(by) +
        " -CAcreateserial -days " + std::to_string(days) + " -extfile " + folder_ + "/names -out " + pem(name));
  }
  /// "sha256//…" of its public key.
  [[nodiscard]] std::string pin(const std::string& name) const {
    run("openssl x509 -in " + pem(name) +
        " -pubkey -noout | openssl pkey -pubin -outform der | openssl dgst -sha256 "
        "-binary | openssl base64 > " +
        folder_ + "/pin");
    std::ifstream in(folder_ + "/pin");
    std::string base64;
    in >> base64;
    return "sha256//" + base64;
  }

 private:
  static void run(const std::string& command) {
    EXPECT_EQ(std::system(("(" + command + ") >/dev/null 2>&1").c_str()), 0) << command;
  }
  std::string folder_;
};

class TlsPeer {
 public:
  TlsPeer(const TestCertificates& certificates, const std::string& name, std::vector<std::string> more = {}) {
    port_ = free_port();
    output_ = certificates.pem(name) + "." + std::to_string(port_);  // what an earlier peer said is not this one's
    std::vector<std::string> words{"openssl",
                                   "s_server",
                                   "-www",
                                   "-accept",
                                   "127.0.0.1:" + std::to_string(port_),
                                   "-cert",
                                   certificates.pem(name),
                                   "-key",
                                   certificates.key(name)};
    words.insert(words.end(), more.begin(), more.end());
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_addopen(&actions, 1, output_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
    ::posix_spawn_file_actions_adddup2(&actions, 1, 2);
    char* environment[] = {nullptr};
    EXPECT_EQ(::posix_spawn(&pid_, kOpenssl, &actions, nullptr, argv.data(), environment), 0);
    ::posix_spawn_file_actions_destroy(&actions);
    EXPECT_TRUE(wait_until_it_listens()) << said();
  }
  ~TlsPeer() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  TlsPeer(const TlsPeer&) = delete;
  TlsPeer& operator=(const TlsPeer&) = delete;

  [[nodiscard]] std::string url() const { return "https://127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] std::string said() const {
    std::ifstream in(output_);
    return {std::istreambuf_iterator<char>(in), {}};
  }

 private:
  static std::uint16_t free_port() {
    sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof here;
    const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(::bind(probe, reinterpret_cast<sockaddr*>(&here), size), 0);
    EXPECT_EQ(::getsockname(probe, reinterpret_cast<sockaddr*>(&here), &size), 0);
    ::close(probe);
    return ntohs(here.sin_port);
  }
  /// It says ACCEPT once it does; no probe is needed that it would take for a client.
  [[nodiscard]] bool wait_until_it_listens() const {
    for (int i = 0; i < 500 && ::waitpid(pid_, nullptr, WNOHANG) == 0; ++i) {
      if (said().find("ACCEPT") != std::string::npos) return true;
      ::poll(nullptr, 0, 20);
    }
    return false;
  }
  pid_t pid_ = -1;
  std::uint16_t port_ = 0;
  std::string output_;
};

}  // namespace honeylink::telemetry::net
