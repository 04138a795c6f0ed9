// Black-box tests of the tool: runs the built honeytel in a home of its own and reads what it says. Used by
// cli_*_test.cc.
#pragma once
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "ring/home.h"

namespace honeylink::telemetry::test {

struct Said {
  int exit = -1;  // 128 + signal where one ended it
  std::string out, err;
  [[nodiscard]] nlohmann::json json() const { return nlohmann::json::parse(out, nullptr, false); }
};

/// A home that is removed at the end, with the rings it got elsewhere.
class CliTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/honeytel_cli_XXXXXX";
    home_ = ::mkdtemp(name);
  }
  void TearDown() override {
    for (const pid_t pid : background_) ::kill(pid, SIGKILL), ::waitpid(pid, nullptr, 0);
    std::error_code ignored;
    for (const std::string& directory : ring::ring_directories(home_)) std::filesystem::remove_all(directory, ignored);
    std::filesystem::remove_all(home_, ignored);
  }

  Said honeytel(std::vector<std::string> words, const std::vector<std::string>& environment = {}) {
    words.insert(words.begin(), "honeytel");
    return run(HONEYTEL_PATH, words, environment);
  }
  /// Any program, in the tool's environment. `words`: its name too.
  Said run(const char* program, const std::vector<std::string>& words,
           const std::vector<std::string>& environment = {}) {
    int out[2], err[2];
    EXPECT_EQ(::pipe2(out, O_CLOEXEC) + ::pipe2(err, O_CLOEXEC), 0);
    const pid_t pid = spawn(program, words, environment, out[1], err[1]);
    ::close(out[1]), ::close(err[1]);
    Said said;
    read_both(out[0], err[0], said);
    int status = 0;
    ::waitpid(pid, &status, 0);
    said.exit = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return said;
  }
  /// What it says goes to the file `output`.
  pid_t in_background(const std::vector<std::string>& words, const std::string& output = "/dev/null",
                      const std::vector<std::string>& environment = {}) {
    return program_in_background(HONEYTEL_PATH, words, output, environment);
  }
  pid_t program_in_background(const std::string& program, const std::vector<std::string>& words,
                              const std::string& output = "/dev/null",
                              const std::vector<std::string>& environment = {}) {
    const int file = ::open(output.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    std::vector<std::string> all{program.substr(program.rfind('/') + 1)};
    all.insert(all.end(), words.begin(), words.end());
    background_.push_back(spawn(program.c_str(), all, environment, file, file));
    ::close(file);
    return background_.back();
  }
  int end(pid_t pid, int signal) {
    std::erase(background_, pid);
    ::kill(pid, signal);
    int status = 0;
    ::waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  /// How one of them ended by itself.
  int waited(pid_t pid) {
    std::erase(background_, pid);
    int status = 0;
    ::waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  std::string home_;

 private:
  pid_t spawn(const char* program, std::vector<std::string> words, const std::vector<std::string>& environment, int out,
              int err) {
    std::vector<std::string> variables = environment;
    for (const std::string& usual : {"HONEYLINK_HOME=" + home_, std::string("PATH=/usr/bin:/bin"),
                                     std::string("LANG=C.UTF-8"), std::string("TZ=UTC")}) {
      const std::string name = usual.substr(0, usual.find('=') + 1);
      if (std::none_of(environment.begin(), environment.end(), [&](const auto& one) { return one.starts_with(name); }))
        variables.push_back(usual);
    }
    std::vector<char*> argv, envp;
    for (std::string& word : words) argv.push_back(word.data());
    for (std::string& variable : variables) envp.push_back(variable.data());
    argv.push_back(nullptr), envp.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions, out, 1);
    ::posix_spawn_file_actions_adddup2(&actions, err, 2);
    pid_t pid = -1;
    EXPECT_EQ(::posix_spawn(&pid, program, &actions, nullptr, argv.data(), envp.data()), 0);
    ::posix_spawn_file_actions_destroy(&actions);
    return pid;
  }
  static void read_both(int out, int err, Said& said) {
    std::array<pollfd, 2> waiting{{{out, POLLIN, 0}, {err, POLLIN, 0}}};
    std::array<char, 65536> buffer{};
    while (waiting[0].fd >= 0 || waiting[1].fd >= 0) {
      ::poll(waiting.data(), waiting.size(), -1);
      for (std::size_t i = 0; i < waiting.size(); ++i) {
        if ((waiting[i].revents & (POLLIN | POLLHUP | POLLERR)) == 0) continue;
        const ssize_t n = ::read(waiting[i].fd, buffer.data(), buffer.size());
        if (n > 0) (i == 0 ? said.out : said.err).append(buffer.data(), static_cast<std::size_t>(n));
        else ::close(waiting[i].fd), waiting[i].fd = -1;
      }
    }
  }
  std::vector<pid_t> background_;
};

}  // namespace honeylink::telemetry::test
