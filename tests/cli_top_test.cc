// `honeytel top` on a real terminal, of a home that the real recorder and the real engine filled.
#include <termios.h>

#include <algorithm>
#include <string>
#include <vector>

#include "honeylink/telemetry.h"
#include "terminal_support.h"

namespace honeylink::telemetry::test {
namespace {

class CliTop : public TerminalTest {
 protected:
  /// Some seconds of a real link: metrics, traces, logs.
  void record_a_link() {
    const Said said = honeytel({"demo", "--headless", "--duration", "3s"});
    ASSERT_EQ(said.exit, 0) << said.out << said.err;
  }
  /// Runs `application` in a child that records into the home, beside an agent.
  int record(const std::function<void()>& application) {
    std::fflush(nullptr);
    const pid_t child = ::fork();
    if (child == 0) {
      ::alarm(120);
      const bool ok =
          start({.resource = {.service_name = "application"}, .home = home_, .sampler = Sampler::always_on()}).ok();
      if (ok) application();
      ::_exit(ok && flush(std::chrono::seconds(60)).ok() ? 0 : 99);
    }
    int ended = 0;
    ::waitpid(child, &ended, 0);
    return WIFEXITED(ended) ? WEXITSTATUS(ended) : 128 + WTERMSIG(ended);
  }
  std::string modes() {
    const Said said = run("/usr/bin/stty", {"stty", "-F", pane("pane_tty"), "-a"});
    EXPECT_EQ(said.exit, 0) << said.err;
    return said.out.substr(said.out.find('\n'));  // without the size
  }
  /// Everything that a program writes to the terminal from now on goes to the answered file too.
  std::string overhear() {
    const std::string path = home_ + "/heard";
    tmux({"pipe-pane", "-o", "cat >> '" + path + "'"});
    return path;
  }
  void expect_given_back(const std::string& before) {
    EXPECT_TRUE(eventually([&] { return running() == 0; })) << screen();
    EXPECT_TRUE(sees("before it")) << "its own screen is back\n" << screen();
    EXPECT_EQ(pane("alternate_on"), "0");
    EXPECT_EQ(pane("cursor_flag"), "1");
    EXPECT_EQ(pane("keypad_cursor_flag"), "0");
    EXPECT_TRUE(eventually([&] { return modes() == before; })) << "the shell may still be taking over: " << modes();
  }
};

TEST_F(CliTop, OpensAloneWithRealDataAndEveryPageIsAKeyAway) {
  record_a_link();
  open_terminal(80, 24);
  type_line(HONEYTEL_PATH);  // alone
  ASSERT_TRUE(sees("dropped 0")) << screen();
  EXPECT_TRUE(sees("LIVE"));
  keys({"t"});
  EXPECT_TRUE(sees("Traces ·"));
  EXPECT_TRUE(sees("session.establish")) << screen();
  EXPECT_TRUE(sees("$ honeytel traces"));
  keys({"/"});
  tmux({"send-keys", "-l", "name=session.establish establish"});
  keys({"Enter"});
  EXPECT_TRUE(sees("filter: name=session.establish")) << screen();
  EXPECT_TRUE(sees("--name session.establish")) << screen();
  keys({"j", "Enter"});
  EXPECT_TRUE(sees("policy.fetch")) << screen();
  EXPECT_TRUE(sees("└ ")) << screen();
  EXPECT_TRUE(sees("▆")) << "what the whole waited for\n" << screen();
  keys({"Enter"});
  EXPECT_TRUE(sees("peer = ")) << screen();
  keys({"Escape", "l"});
  EXPECT_TRUE(sees("filter: trace=")) << screen();
  EXPECT_TRUE(sees("session.established")) << screen();
  keys({"Escape", "Escape"});
  EXPECT_TRUE(sees("Traces ·")) << screen();
  keys({"?"});
  EXPECT_TRUE(sees("─ Keys ─")) << screen();
  keys({"?"});
  EXPECT_TRUE(sees_no("─ Keys ─"));
  keys({"a"});
  EXPECT_TRUE(sees("Alerts")) << screen();
  keys({"Space"});
  EXPECT_TRUE(sees("PAUSED 0 new")) << screen();
  EXPECT_EQ(honeytel({"record", "log", "while.paused"}).exit, 0);
  EXPECT_TRUE(sees("PAUSED 1 new")) << first_line();
  keys({"Space", "c"});
  EXPECT_TRUE(sees("honeytel alerts")) << screen();
  keys({"q"});
  EXPECT_TRUE(eventually([&] { return running() == 0; }));
}

TEST_F(CliTop, IsUsableOnTwentyByFiveAndComesBackToSize) {
  record_a_link();
  open_terminal(80, 24);
  top();
  ASSERT_TRUE(sees("LIVE"));
  keys({"t"});
  ASSERT_TRUE(sees("Traces ·"));
  resize(20, 5);
  ASSERT_TRUE(eventually([&] { return first_line().find("dropped 0") != std::string::npos; })) << screen();
  EXPECT_TRUE(sees("q quit")) << screen();
  keys({"j", "Enter"});
  EXPECT_TRUE(sees("?")) << screen();
  resize(120, 40);
  EXPECT_TRUE(sees("$ honeytel traces")) << screen();
  EXPECT_TRUE(sees("critical path")) << screen();
  resize(1, 1);
  resize(80, 24);
  EXPECT_TRUE(sees("$ honeytel traces")) << screen();
  keys({"q"});
  EXPECT_TRUE(eventually([&] { return running() == 0; })) << screen();
}

TEST_F(CliTop, GivesTheTerminalBackHoweverItEnds) {
  ASSERT_EQ(honeytel({"record", "log", "something"}).exit, 0);
  open_terminal(80, 24);
  type_line("clear; echo before it");
  ASSERT_TRUE(sees("before it\n"));
  const std::string before = modes();
  for (const int signal : {0, SIGINT, SIGTERM, SIGHUP, SIGSEGV, SIGABRT, SIGBUS}) {
    SCOPED_TRACE(signal);
    top();
    ASSERT_TRUE(sees("LIVE"));
    EXPECT_EQ(pane("alternate_on"), "1");
    EXPECT_EQ(pane("cursor_flag"), "0");
    EXPECT_NE(modes(), before);
    if (signal == 0) keys({"q"});
    else ::kill(running(), signal);
    expect_given_back(before);
    type_line("echo it said $?");
    const int code = signal == 0 ? 0 : signal == SIGSEGV || signal == SIGABRT || signal == SIGBUS ? 128 + signal : 130;
    EXPECT_TRUE(sees("it said " + std::to_string(code))) << screen();
    type_line("clear; echo before it");
  }
}

TEST_F(CliTop, StopsAndGoesOnAsItsTerminalAsks) {
  ASSERT_EQ(honeytel({"record", "log", "something"}).exit, 0);
  open_terminal(80, 24);
  type_line("clear; echo before it");
  const std::string before = modes();
  top();
  ASSERT_TRUE(sees("LIVE"));
  keys({"C-z"});
  ASSERT_TRUE(sees("Stopped")) << screen();
  EXPECT_TRUE(sees("before it"));
  EXPECT_EQ(pane("cursor_flag"), "1");
  resize(100, 30);
  type_line("fg");
  ASSERT_TRUE(sees("LIVE")) << screen();
  EXPECT_EQ(pane("cursor_flag"), "0");
  EXPECT_EQ(first_line().size() > 90, true) << "it has the new size\n" << screen();
  keys({"q"});
  expect_given_back(before);
}

TEST_F(CliTop, WithoutATerminalItSaysWhatToDo) {
  ASSERT_EQ(honeytel({"record", "log", "something"}).exit, 0);
  const Said piped = honeytel({"top"});
  EXPECT_EQ(piped.exit, 3);
  EXPECT_NE(piped.err.find("no terminal"), std::string::npos) << piped.err;
  EXPECT_NE(piped.err.find("honeytel status"), std::string::npos) << piped.err;
  EXPECT_EQ(piped.out, "");
  const Said alone = honeytel({});
  EXPECT_EQ(alone.exit, 0);
  EXPECT_NE(alone.out.find("honeytel demo"), std::string::npos) << "short help, as ever";
  open_terminal(80, 24, {"TERM=dumb"});
  top();
  EXPECT_TRUE(sees("TERM=dumb has no cursor")) << screen();
  type_line("TERM=no-such-terminal " + std::string(HONEYTEL_PATH) + " top; echo it said $?");
  EXPECT_TRUE(sees("TERM=no-such-terminal")) << screen();
  EXPECT_TRUE(sees("it said 3")) << screen();
}

TEST_F(CliTop, WithNothingRecordedAloneSaysInFiveLinesHowToGetSome) {
  open_terminal(100, 24);
  type_line("clear; " + std::string(HONEYTEL_PATH) + "; echo it said $?");
  ASSERT_TRUE(sees("it said 0")) << screen();
  const std::string said = screen();
  EXPECT_NE(said.find("Nothing was recorded here yet"), std::string::npos) << said;
  EXPECT_NE(said.find("honeytel demo"), std::string::npos) << said;
  EXPECT_LE(std::count(said.begin(), said.begin() + static_cast<std::ptrdiff_t>(said.find("it said")), '\n'), 5)
      << said;
}

TEST_F(CliTop, WhatIsLoggedIsOnTheScreenWithinASecond) {
  const pid_t agent = in_background({"agent"});
  ASSERT_EQ(honeytel({"record", "log", "first.line"}).exit, 0);
  open_terminal(100, 24);
  top();
  keys({"l"});
  ASSERT_TRUE(sees("first.line"));
  std::vector<double> waited_ms;
  for (int i = 0; i < 5; ++i) {
    const std::string event = "line.number." + std::to_string(i);
    ASSERT_EQ(honeytel({"record", "log", event}).exit, 0);
    const auto began = std::chrono::steady_clock::now();
    ASSERT_TRUE(sees(event)) << screen();
    waited_ms.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count());
  }
  std::sort(waited_ms.begin(), waited_ms.end());
  std::printf("[ measured ] from the record to the screen: median %.0f ms, at the most %.0f ms\n", waited_ms[2],
              waited_ms[4]);
  EXPECT_LT(waited_ms[2], 1'000);
  keys({"k", "k"});
  ASSERT_EQ(honeytel({"record", "log", "not.followed"}).exit, 0);
  keys({"G"});
  EXPECT_TRUE(sees("not.followed"));
  end(agent, SIGTERM);
}

TEST_F(CliTop, ALevelShowsTheRunningTickBeforeAnyEngineJudgedIt) {
  open_terminal(120, 40);
  top();
  ASSERT_TRUE(sees("session_establishment"));
  ASSERT_EQ(screen().find("650 ms"), std::string::npos);
  const pid_t recorder =
      program_in_background(std::string(HONEYLINK_PROGRAMS_DIR) + "/page_data", {home_, "pulse", "1000", "5"});
  EXPECT_TRUE(sees("650 ms", 5)) << screen();
  end(recorder, SIGKILL);
}

TEST_F(CliTop, HostileValuesMoveNothingOnTheTerminal) {
  const pid_t agent = in_background({"agent"});
  ASSERT_EQ(record([] {
              const auto span = scoped_span("evil.span", {{"text",
                                                           "\x1b[31m\x1b]0;owned\x07 \xc2\x9b"
                                                           "5n\xe2\x80\xae desrever\r\n"}});
              log_error("evil.line", {{"text", "\x1b[2J\x1b]52;c;b3duZWQ=\x07\xe2\x80\xa8 owned"}});
            }),
            0);
  open_terminal(120, 30);
  const std::string heard = overhear();
  const std::string title = pane("pane_title");
  top();
  ASSERT_TRUE(sees("LIVE"));
  keys({"t"});
  ASSERT_TRUE(sees("evil.span"));
  keys({"Enter"});
  ASSERT_TRUE(sees("spans 1")) << screen();
  keys({"Enter"});
  ASSERT_TRUE(sees("desrever")) << screen();
  keys({"Escape", "l"});
  ASSERT_TRUE(sees("owned")) << screen();
  keys({"q"});
  ASSERT_TRUE(eventually([&] { return running() == 0; }));
  EXPECT_EQ(pane("pane_title"), title);
  const std::string bytes = content(heard);
  ASSERT_GT(bytes.size(), 1'000U) << "nothing was overheard: the test tests nothing";
  EXPECT_EQ(bytes.find("\x1b]"), std::string::npos) << "an operating system command went out";
  EXPECT_EQ(bytes.find("\x1b[31m"), std::string::npos);
  EXPECT_EQ(bytes.find("\xc2\x9b"), std::string::npos);
  EXPECT_EQ(bytes.find("\xe2\x80\xae"), std::string::npos);
  EXPECT_EQ(bytes.find("\xe2\x80\xa8"), std::string::npos);
  end(agent, SIGTERM);
}

TEST_F(CliTop, ColoursFollowTheReader) {
  ASSERT_EQ(honeytel({"record", "log", "something"}).exit, 0);
  open_terminal(80, 24);
  const std::string heard = overhear();
  top();
  ASSERT_TRUE(sees("LIVE"));
  keys({"q"});
  ASSERT_TRUE(eventually([&] { return running() == 0; }));
  EXPECT_NE(content(heard).find("\x1b[38;5;"), std::string::npos) << "Okabe-Ito, of 256";
  for (const std::string& plain :
       {"NO_COLOR=1 " + std::string(HONEYTEL_PATH) + " top", std::string(HONEYTEL_PATH) + " top --color never"}) {
    std::filesystem::resize_file(heard, 0);
    type_line("clear; " + plain);
    ASSERT_TRUE(sees("LIVE"));
    keys({"q"});
    ASSERT_TRUE(eventually([&] { return running() == 0; }));
    const std::string bytes = content(heard);
    EXPECT_NE(bytes.find("LIVE"), std::string::npos);
    for (const char* colour : {"\x1b[38;", "\x1b[31m", "\x1b[33m", "\x1b[36m"})
      EXPECT_EQ(bytes.find(colour), std::string::npos) << plain;
  }
}

TEST_F(CliTop, SpeaksTheReadersLanguageAndAsciiWhereThereIsNoOther) {
  ASSERT_EQ(honeytel({"record", "log", "something"}).exit, 0);
  open_terminal(80, 24);
  for (const auto& [words, seen] : {std::pair<std::string, std::string>{"LANG=ja_JP.UTF-8", "ライブ"},
                                    {"LANG=es_ES.UTF-8", "EN VIVO"},
                                    {"LANG=zh_CN.UTF-8", "实时"},
                                    {"LANG=C", "o LIVE"}}) {
    type_line("clear; " + words + " " + HONEYTEL_PATH + " top");
    EXPECT_TRUE(sees(seen)) << words << "\n" << screen();
    if (words == "LANG=C") {
      for (const char c : screen()) EXPECT_LT(static_cast<unsigned char>(c), 0x80);
    }
    keys({"q"});
    ASSERT_TRUE(eventually([&] { return running() == 0; }));
  }
}

TEST_F(CliTop, ATraceOf100000SpansOpensWithinASecondAndScrolls) {
  const pid_t agent = in_background({"agent"});
  ASSERT_EQ(record([] {
              const auto root = scoped_span("the.root");
              for (int i = 0; i < 100'000; ++i) {
                const auto span = scoped_span("a.step", {{"n", i}});
                if (i == 99'999) log_info("the.last");
                if (i % 5'000 == 4'999) static_cast<void>(flush(std::chrono::seconds(30)));
              }
            }),
            0);
  open_terminal(120, 40);
  top();
  keys({"t"});
  ASSERT_TRUE(sees("100,001")) << screen();
  const auto began = std::chrono::steady_clock::now();
  keys({"Enter"});
  ASSERT_TRUE(sees("├ a.step")) << screen();
  const std::chrono::duration<double, std::milli> opened = std::chrono::steady_clock::now() - began;
  keys({"G"});
  EXPECT_TRUE(sees("└ a.step")) << screen();
  for (int i = 0; i < 20; ++i) keys({"PPage"});
  std::printf("[ measured ] from Enter to the first picture: %.0f ms\n", opened.count());
  EXPECT_LT(opened.count(), 5'000) << "the promise of 1 s is for a release build on a free processor";
  keys({"q"});
  EXPECT_TRUE(eventually([&] { return running() == 0; }));
  end(agent, SIGTERM);
}

TEST_F(CliTop, ABundleIsShownAndSaidNotToBeLive) {
  record_a_link();
  const std::string file = home_ + "/evidence.db";
  ASSERT_EQ(honeytel({"bundle", "--since", "10m", "-o", file}).exit, 0);
  open_terminal(100, 24);
  top("--home " + file);
  ASSERT_TRUE(sees("evidence.db: a file, not live")) << screen();
  keys({"t", "Enter"});
  EXPECT_TRUE(sees("$ honeytel traces")) << screen();
  EXPECT_TRUE(sees("--home " + file.substr(0, 20))) << screen();
  keys({"q"});
  EXPECT_TRUE(eventually([&] { return running() == 0; }));
}

}  // namespace
}  // namespace honeylink::telemetry::test
