// Real peers for the alerts' tests: a session bus of the test's own, notification daemons on it, and time to wait for
// them. Used by alert_*_test.cc. A peer whose Debian package is missing skips the test by its name.
#pragma once
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "alert/outbox.h"
#include "base/clock.h"

namespace honeylink::telemetry::test {

/// Looks every 2 ms until it is so, or `ms` have passed.
inline bool eventually(const std::function<bool()>& so, int ms = 10'000) {
  const std::int64_t until = system_clock().monotonic_ns() + std::int64_t{ms} * 1'000'000;
  while (!so()) {
    if (system_clock().monotonic_ns() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

inline bool is_there(const std::string& program) { return ::access(program.c_str(), X_OK) == 0; }

/// A program with pipes; ends with the test.
class Peer {
 public:
  Peer() = default;
  ~Peer() { end(SIGKILL); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  void start(std::vector<std::string> words, const std::vector<std::string>& environment = {}) {
    std::vector<std::string> variables = environment;
    for (const char* name : {"PATH", "HOME"}) {
      if (const char* value = ::getenv(name)) variables.push_back(std::string(name) + "=" + value);
    }
    std::vector<char*> argv, envp;
    for (std::string& word : words) argv.push_back(word.data());
    for (std::string& variable : variables) envp.push_back(variable.data());
    argv.push_back(nullptr), envp.push_back(nullptr);
    int in[2], out[2];
    ASSERT_EQ(::pipe2(in, O_CLOEXEC) + ::pipe2(out, O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    ::posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    ::posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    ASSERT_EQ(::posix_spawn(&pid_, words[0].c_str(), &actions, nullptr, argv.data(), envp.data()), 0) << words[0];
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(in[0]), ::close(out[1]);
    in_ = in[1], out_ = out[0];
  }
  [[nodiscard]] pid_t pid() const { return pid_; }
  void signal(int number) const { ::kill(pid_, number); }
  void end(int number = SIGTERM) {
    if (pid_ <= 0) return;
    ::kill(pid_, number);
    ::waitpid(pid_, nullptr, 0);
    ::close(in_), ::close(out_);
    pid_ = -1;
  }
  void tell(const std::string& line) const {
    const std::string bytes = line + "\n";
    ASSERT_EQ(::write(in_, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }
  /// The next line it says within `ms`.
  std::optional<std::string> line(int ms = 10'000) {
    const std::int64_t until = system_clock().monotonic_ns() + std::int64_t{ms} * 1'000'000;
    while (true) {
      if (const std::size_t end = said_.find('\n'); end != std::string::npos) {
        std::string line = said_.substr(0, end);
        said_.erase(0, end + 1);
        return line;
      }
      pollfd wait{out_, POLLIN, 0};
      const std::int64_t left_ms = (until - system_clock().monotonic_ns()) / 1'000'000;
      if (left_ms <= 0 || ::poll(&wait, 1, static_cast<int>(left_ms)) <= 0) return std::nullopt;
      char bytes[65536];
      const ssize_t n = ::read(out_, bytes, sizeof bytes);
      if (n <= 0) return std::nullopt;
      said_.append(bytes, static_cast<std::size_t>(n));
    }
  }

 private:
  pid_t pid_ = -1;
  int in_ = -1, out_ = -1;
  std::string said_;
};

/// dbus-daemon with nothing on it and nothing it could start.
class PrivateBus {
 public:
  void start(const std::string& directory) {
    const std::string config = directory + "/bus.conf";
    std::ofstream(config) << "<busconfig><type>session</type><listen>unix:path=" << directory << "/bus</listen>"
                          << "<auth>EXTERNAL</auth><policy context=\"default\"><allow send_destination=\"*\"/>"
                          << "<allow receive_sender=\"*\"/><allow own=\"*\"/></policy></busconfig>";
    std::filesystem::remove(directory + "/bus");
    daemon_.start({"/usr/bin/dbus-daemon", "--config-file=" + config, "--nofork", "--nopidfile", "--print-address=1"});
    const auto line = daemon_.line();
    ASSERT_TRUE(line.has_value()) << "dbus-daemon says nothing";
    address_ = "unix:path=" + directory + "/bus";
  }
  [[nodiscard]] const std::string& address() const { return address_; }
  [[nodiscard]] std::vector<std::string> environment() const { return {"DBUS_SESSION_BUS_ADDRESS=" + address_}; }
  Peer& daemon() { return daemon_; }

 private:
  Peer daemon_;
  std::string address_;
};

/// tests/peers/notification_daemon.py: the calls it got, word by word.
class WrittenDaemon {
 public:
  void start(const PrivateBus& bus, const std::string& capabilities = "body,actions") {
    peer_.start({"/usr/bin/python3", HONEYLINK_SOURCE_DIR "/tests/peers/notification_daemon.py", capabilities},
                bus.environment());
    ASSERT_EQ(next().value("call", ""), "ready");
  }
  /// What it wrote next, or an empty object.
  nlohmann::json next(int ms = 10'000) {
    const auto line = peer_.line(ms);
    return line ? nlohmann::json::parse(*line, nullptr, false) : nlohmann::json::object();
  }
  /// The next Notify; other calls are passed over.
  nlohmann::json toast(int ms = 10'000) {
    while (true) {
      nlohmann::json call = next(ms);
      if (call.empty() || call.value("call", "") == "notify") return call;
    }
  }
  /// Tells it something and waits until it has done so.
  void tell(const std::string& words) {
    peer_.tell(words);
    for (nlohmann::json call = next(); !call.empty() && call.value("call", "") != "did";) call = next();
  }
  Peer& peer() { return peer_; }

 private:
  Peer peer_;
};

/// A home, a bus, and alerts to send.
class AlertTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!is_there("/usr/bin/dbus-daemon")) GTEST_SKIP() << "Debian package dbus-daemon is not installed";
    char name[] = "/tmp/honeytel_alert_XXXXXX";
    home_ = ::mkdtemp(name);
    bus_.start(home_);
    options_.home = home_;
    options_.bus_address = bus_.address();
    options_.language = "en";
    options_.toast_window_ms = 0;
    options_.retry_first_ms = 20;
    options_.retry_max_ms = 200;
  }
  void TearDown() override {
    std::error_code ignored;
    if (!home_.empty()) std::filesystem::remove_all(home_, ignored);
  }
  static bool has_python_daemon() {
    return is_there("/usr/bin/python3") && ::system("/usr/bin/python3 -c 'import dbus, gi' 2>/dev/null") == 0;
  }

  AlertEvent alert(const std::string& sli, Level level, double value = 0.112) {
    AlertEvent event;
    event.alert_id = "alert_" + std::to_string(++alerts_);
    event.severity = level;
    event.sli_name = sli;
    event.module = "transport";
    event.environment = "production";
    event.unit = "1";
    event.current_value = value;
    event.threshold = 0.1;
    event.threshold_type = "upper";
    event.timestamp_unix_ns = system_clock().realtime_ns();
    event.trace_id = "0af7651916cd43dd8448eb211c80319c";
    return event;
  }
  static AlertEvent over(AlertEvent event) {
    event.cleared_at_unix_ns = event.timestamp_unix_ns + 200'000'000'000;
    return event;
  }
  /// Whether `says` becomes part of what the outbox wants to be said.
  bool said(alert::Outbox& outbox, const std::string& says) {
    return eventually([&] {
      for (std::string& words : outbox.take_words()) words_ += words + "\n";
      return words_.find(says) != std::string::npos;
    });
  }
  static void balanced(const alert::OutboxCounts& counts) {
    for (const alert::WayCounts* way : {&counts.toast, &counts.alertmanager})
      EXPECT_EQ(way->alerts, way->delivered + way->superseded + way->refused + way->waiting);
  }

  std::string home_, words_;
  PrivateBus bus_;
  alert::OutboxOptions options_;
  int alerts_ = 0;
};

}  // namespace honeylink::telemetry::test
