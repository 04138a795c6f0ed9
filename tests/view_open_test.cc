// From an alert to the trace behind it: honeytel view --trace, and the button of a toast that starts it, with the real
// engine, a real bus and a notification daemon. What takes the page's address stands in for the desktop's browser.
#include <sys/stat.h>

#include <fstream>
#include <iterator>

#include "alert_support.h"
#include "view_support.h"

namespace honeylink::telemetry::test {
namespace {

class ViewOpen : public ViewTest {
 protected:
  /// A desktop on which `xdg-open FILE` keeps the file and who started it.
  std::vector<std::string> desktop() {
    std::filesystem::create_directory(home_ + "/bin");
    const std::string program = home_ + "/bin/xdg-open", seen = home_ + "/seen";
    std::ofstream(program) << "#!/bin/sh\n{ echo $PPID; cat \"$1\"; } >'" << seen << ".part'\nmv '" << seen
                           << ".part' '" << seen << "'\n";
    EXPECT_EQ(::chmod(program.c_str(), 0700), 0);
    return {"PATH=" + home_ + "/bin:/usr/bin:/bin", "DISPLAY=:none", "TMPDIR=" + home_};
  }
  /// What the browser was given, and the process that gave it; nothing where none was started.
  std::string opened(pid_t& by) {
    std::string text;
    if (!eventually([&] { return std::filesystem::exists(home_ + "/seen"); })) return text;
    std::ifstream in(home_ + "/seen");
    in >> by;
    text.assign(std::istreambuf_iterator<char>(in), {});
    return text;
  }
};

TEST_F(ViewOpen, ATraceIsOpenedByItsIdOrItsBeginning) {
  const pid_t server = in_background({"view", "--trace", "0AF7651916"}, home_ + "/said", desktop());
  pid_t by = 0;
  const std::string page = opened(by);
  EXPECT_NE(page.find("&to=/traces/0af7651916\""), std::string::npos) << page;
  EXPECT_EQ(by, server);
  EXPECT_EQ(end(server, SIGTERM), 0);
  for (const char* none : {"xyz", "0af", "--help-me", "/traces/0af76519"}) {
    const Said said = honeytel({"view", "--no-open", "--trace=" + std::string(none)});
    EXPECT_EQ(said.exit, 2) << none;
    EXPECT_NE(said.err.find("is no trace id"), std::string::npos) << said.err;
  }
}

TEST_F(ViewOpen, AServerThatNobodyLooksAtEndsInTimeAndNotBefore) {
  view({"--idle", "1s"});
  const auto began = std::chrono::steady_clock::now();
  const auto lived = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count(); };
  while (lived() < 2.5) {
    ASSERT_EQ(get("/api/status").status, 200) << "who asks keeps it";
    ::poll(nullptr, 0, 300);
  }
  {
    RawClient watcher(port_);
    watcher.send("GET /api/live HTTP/1.1\r\nHost: " + host() + "\r\nAuthorization: Bearer " + token_ + "\r\n\r\n");
    static_cast<void>(watcher.receive(2));
    EXPECT_EQ(get("/api/status").status, 200) << "so does who watches";
  }
  EXPECT_TRUE(eventually([&] { return ::kill(server_, 0) == 0 && !RawClient(port_).connected(); }, 5));
  EXPECT_EQ(end(server_, 0), 0);
}

TEST_F(ViewOpen, TheButtonOfAToastOpensTheTraceBehindTheAlert) {
  if (!is_there("/usr/bin/dbus-daemon")) GTEST_SKIP() << "Debian package dbus-daemon is not installed";
  if (!is_there("/usr/bin/python3") || ::system("/usr/bin/python3 -c 'import dbus, gi' 2>/dev/null") != 0)
    GTEST_SKIP() << "Debian packages python3-dbus and python3-gi are not installed";
  PrivateBus bus;
  bus.start(home_);
  WrittenDaemon daemon;
  daemon.start(bus);
  std::ofstream(home_ + "/config.toml") << "[sli.session_establishment_latency_p95]\n"
                                           "yellow = 0.1\norange = 0.2\nred = 0.3\n";
  std::vector<std::string> environment = desktop();
  for (const std::string& variable : bus.environment()) environment.push_back(variable);
  const pid_t agent = in_background({"agent"}, "/dev/null", environment);
  ASSERT_TRUE(eventually([&] { return !honeytel({"logs", "--grep", "engine.leads"}).out.empty(); }));
  ASSERT_EQ(end(run_program("page_data", {home_, "pulse", "60", "5"}), 0), 0);
  const nlohmann::json toast = daemon.toast(25'000);
  ASSERT_EQ(toast["actions"].size(), 4U) << toast;
  daemon.tell("invoke " + std::to_string(toast["id"].get<int>()) + " trace");
  pid_t by = 0;
  const std::string page = opened(by);
  const auto alert = honeytel({"alerts", "--json"}).json()["alerts"][0];
  EXPECT_EQ(alert["severity"], "red");
  EXPECT_NE(page.find("&to=/traces/" + alert["trace_id"].get<std::string>() + "\""), std::string::npos) << page;
  EXPECT_EQ(honeytel({"traces", alert["trace_id"]}).exit, 0);
  ASSERT_GT(by, 1);
  EXPECT_EQ(::kill(by, SIGTERM), 0) << "the page's server";
  EXPECT_EQ(end(agent, SIGTERM), 0);
}

}  // namespace
}  // namespace honeylink::telemetry::test
