// Black-box tests on a real terminal: tmux is the terminal, its capture-pane what a reader sees. Each test has a server
// of its own, whose socket lies in the test's home. Used by cli_top_test.cc.
#pragma once
#include <poll.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "cli_support.h"

namespace honeylink::telemetry::test {

class TerminalTest : public CliTest {
 protected:
  void TearDown() override {
    tmux({"kill-server"});
    CliTest::TearDown();
  }

  /// A shell on a terminal of this size.
  void open_terminal(int columns, int rows, const std::vector<std::string>& environment = {}) {
    std::string shell = "env -i PATH=/usr/bin:/bin TZ=UTC HONEYLINK_HOME='" + home_ + "' ";
    for (const char* usual : {"LANG=C.UTF-8", "TERM=screen-256color"}) {
      const std::string name(usual, std::string_view(usual).find('=') + 1);
      bool given = false;
      for (const std::string& variable : environment) given = given || variable.starts_with(name);
      if (!given) shell += std::string(usual) + " ";
    }
    for (const std::string& variable : environment) shell += "'" + variable + "' ";
    shell += "PS1='ready$ ' bash --norc --noprofile -i";
    ASSERT_EQ(
        tmux({"-f", "/dev/null", "new-session", "-d", "-x", std::to_string(columns), "-y", std::to_string(rows), shell})
            .exit,
        0);
    tmux({"set-option", "-g", "status", "off"});
    tmux({"set-option", "-g", "escape-time", "0"});
    ASSERT_TRUE(sees("ready$"));
  }
  /// Types a line into the shell.
  void type_line(const std::string& line) { tmux({"send-keys", "-l", line}), tmux({"send-keys", "Enter"}); }
  void top(const std::string& words = "") { type_line(std::string(HONEYTEL_PATH) + " top " + words); }
  /// Keys by tmux's names: "t", "Enter", "Escape", "C-c", "NPage", …
  void keys(const std::vector<std::string>& names) {
    for (const std::string& name : names) tmux({"send-keys", name});
  }
  void resize(int columns, int rows) {
    tmux({"resize-window", "-x", std::to_string(columns), "-y", std::to_string(rows)});
  }
  std::string screen() { return tmux({"capture-pane", "-p"}).out; }
  std::string first_line() { return screen().substr(0, screen().find('\n')); }
  std::string pane(const std::string& what) {  // "cursor_flag", "alternate_on", "pane_title"
    std::string said = tmux({"display-message", "-p", "#{" + what + "}"}).out;
    while (!said.empty() && said.back() == '\n') said.pop_back();
    return said;
  }
  /// The process on the terminal that is not the shell; 0: none.
  pid_t running() {
    const Said said = run("/usr/bin/pgrep", {"pgrep", "-P", pane("pane_pid")});
    return said.out.empty() ? 0 : static_cast<pid_t>(std::stol(said.out));
  }
  bool sees(const std::string& part, int seconds = 20) {
    return eventually([&] { return screen().find(part) != std::string::npos; }, seconds);
  }
  bool sees_no(const std::string& part, int seconds = 20) {
    return eventually([&] { return screen().find(part) == std::string::npos; }, seconds);
  }
  template <class Right>
  static bool eventually(const Right& right, int seconds = 20) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
    while (!right()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      ::poll(nullptr, 0, 30);
    }
    return true;
  }
  static std::string content(const std::string& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  Said tmux(std::vector<std::string> words) {
    words.insert(words.begin(), {"tmux", "-S", home_ + "/tmux"});
    return run("/usr/bin/tmux", words);
  }
};

}  // namespace honeylink::telemetry::test
