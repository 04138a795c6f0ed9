// Homes that cannot be used, for recorder and tool (F31, F32, F57): none, foreign, read-only, relative, endless; a
// runtime directory that is a file or a link; a setuid program. Recorders are children of the test that become another
// user; what cannot be tried without root is skipped by name.
#include <grp.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "cli_support.h"
#include "forked_application.h"
#include "honeylink/telemetry.h"
#include "ring_contents.h"

namespace honeylink::telemetry::tests {
namespace {

namespace fs = std::filesystem;
// Not in the password database: no home can be found for it. Of this process alone: tests run side by side, and what a
// user leaves in /dev/shm is removed at the end.
const uid_t kNobody = 1'000'000'000U + 2 * static_cast<uid_t>(::getpid());

void become(uid_t user) {
  if (::setgroups(0, nullptr) != 0 || ::setgid(user) != 0 || ::setuid(user) != 0) ::_exit(80);
}
/// start() and some records, as an application does that knows of nothing.
int record_as(uid_t user, Error expected) {
  if (user != 0) become(user);
  const Status status = start();
  record_some(50);
  if (status.error() == expected) return 0;
  std::fprintf(stderr, "start() answered %d: %.*s\n", static_cast<int>(status.error()),
               static_cast<int>(status.message().size()), status.message().data());
  return 1;
}
std::size_t files_in(const fs::path& directory) {
  std::error_code none;
  std::size_t n = 0;
  for (const auto& entry : fs::recursive_directory_iterator(directory, none)) n += entry.is_directory() ? 0 : 1;
  return n;
}
/// Rings of another user, made outside the test's own directories.
struct RemoveShared {
  ~RemoveShared() {
    std::error_code ignored;
    fs::remove_all("/dev/shm/honeylink-" + std::to_string(kNobody), ignored);
  }
};

class Homes : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root, to be another user";
    ::chmod(home_.path().c_str(), 0755);
  }
  TestHome home_;
  RemoveShared remove_;
};

// ---- recorder

TEST_F(Homes, WithoutAnyRecordingGoesOnInMemoryWithOneLine) {
  for (const char* value : {static_cast<const char*>(nullptr), "", "relative/path"}) {
    const Ended ended = run(home_, [&] {
      ::unsetenv("HONEYLINK_HOME");
      ::unsetenv("XDG_RUNTIME_DIR");
      value == nullptr ? ::unsetenv("HOME") : ::setenv("HOME", value, 1);
      return record_as(kNobody, Error::home_unusable);
    });
    EXPECT_TRUE(ended.exited(0)) << ended.status << ended.said;
    EXPECT_EQ(ended.lines(), 1) << ended.said;
    EXPECT_NE(ended.said.find("HONEYLINK_HOME"), std::string::npos) << ended.said;
  }
  EXPECT_FALSE(fs::exists("relative"));
}

TEST_F(Homes, OfSomebodyElseIsNotWrittenIntoAndSaidInOneLine) {
  fs::create_directory(home_.home());
  ::chmod(home_.home().c_str(), 0777);
  const Ended ended = run(home_, [&] { return record_as(kNobody, Error::home_unusable); });
  EXPECT_TRUE(ended.exited(0)) << ended.status << ended.said;
  EXPECT_EQ(ended.lines(), 1) << ended.said;
  EXPECT_NE(ended.said.find("another user"), std::string::npos) << ended.said;
  EXPECT_EQ(files_in(home_.home()), 0u);
  EXPECT_EQ(files_in(home_.runtime()), 0u) << "a runtime directory of somebody else is not used either";
}

TEST_F(Homes, ThatMayNotBeEnteredIsSaidInOneLine) {
  fs::create_directory(home_.path() + "/closed");
  ::chmod((home_.path() + "/closed").c_str(), 0700);
  const Ended ended = run(home_, [&] {
    ::setenv("HONEYLINK_HOME", (home_.path() + "/closed/home").c_str(), 1);
    return record_as(kNobody, Error::home_unusable);
  });
  EXPECT_TRUE(ended.exited(0)) << ended.status << ended.said;
  EXPECT_EQ(ended.lines(), 1) << ended.said;
}

TEST_F(Homes, OnAReadOnlyFileSystemIsSaidInOneLine) {
  const std::string disk = home_.path() + "/disk";
  fs::create_directory(disk);
  if (::mount("tmpfs", disk.c_str(), "tmpfs", MS_RDONLY, "size=1m,mode=0755") != 0)
    GTEST_SKIP() << "mounting is not allowed here";
  const Ended ended = run(home_, [&] {
    ::setenv("HONEYLINK_HOME", (disk + "/home").c_str(), 1);
    return record_as(0, Error::home_unusable);
  });
  ::umount(disk.c_str());
  EXPECT_TRUE(ended.exited(0)) << ended.status << ended.said;
  EXPECT_EQ(ended.lines(), 1) << ended.said;
}

TEST_F(Homes, ThatIsALinkIsNotFollowed) {
  fs::create_directory(home_.path() + "/victim");
  fs::create_directory_symlink(home_.path() + "/victim", home_.home());
  const Ended ended = run(home_, [&] { return record_as(0, Error::home_unusable); });
  EXPECT_TRUE(ended.exited(0)) << ended.status << ended.said;
  EXPECT_EQ(ended.lines(), 1) << ended.said;
  EXPECT_EQ(files_in(home_.path() + "/victim"), 0u);
}

TEST_F(Homes, WithAnEndlessNameIsSaidInOneLine) {
  for (const std::string& name :
       {home_.path() + "/" + std::string(5'000, 'x'), home_.path() + "/" + std::string(300, 'x')}) {
    const Ended ended = run(home_, [&] {
      ::setenv("HONEYLINK_HOME", name.c_str(), 1);
      return record_as(0, Error::home_unusable);
    });
    EXPECT_TRUE(ended.exited(0)) << ended.status << ended.said;
    EXPECT_EQ(ended.lines(), 1) << ended.said;
  }
}

// ---- XDG_RUNTIME_DIR

TEST_F(Homes, ARuntimeDirectoryThatIsNoneIsPassedOver) {
  std::ofstream(home_.path() + "/file") << "x";
  fs::create_directory(home_.path() + "/target");
  ::chmod((home_.path() + "/target").c_str(), 0700);
  fs::create_directory_symlink(home_.path() + "/target", home_.path() + "/link");
  for (const std::string& runtime : {home_.path() + "/file", home_.path() + "/link", home_.path() + "/missing",
                                     std::string("relative"), std::string(), "/" + std::string(5'000, 'y')}) {
    ::setenv("XDG_RUNTIME_DIR", runtime.c_str(), 1);
    const Ended ended = run(home_, [&] { return record_as(0, Error::none); });
    EXPECT_TRUE(ended.exited(0)) << runtime << ended.status << ended.said;
    EXPECT_EQ(ended.said, "") << runtime;
    const auto rings = home_.rings();
    ASSERT_EQ(rings.size(), 1u) << runtime;
    expect_sound(rings);
    EXPECT_EQ(rings[0].count("log"), 50u);
    home_.remove_rings();
    for (const std::string& directory : ring::ring_directories(home_.home())) {
      std::error_code ignored;
      if (directory.find(home_.path()) == std::string::npos) fs::remove(directory, ignored);
    }
  }
  EXPECT_TRUE(fs::is_empty(home_.path() + "/target")) << "a link was followed";
  EXPECT_FALSE(fs::exists("relative"));
}

// ---- setuid

TEST_F(Homes, ASetuidProgramTakesNoHomeFromWhoStartsIt) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "LeakSanitizer cannot look into a setuid program";
#endif
  const std::string program = home_.path() + "/lean_life", trap = home_.path() + "/trap";
  fs::copy_file(HONEYLINK_PROGRAMS_DIR "/lean_life", program);
  if (::chown(program.c_str(), kNobody, kNobody) != 0 || ::chmod(program.c_str(), 04755) != 0) FAIL();
  fs::create_directory(trap);
  ::chmod(trap.c_str(), 0777);
  const Ended ended = run(home_, [&] {
    for (const char* name : {"HONEYLINK_HOME", "HOME", "XDG_RUNTIME_DIR"}) ::setenv(name, trap.c_str(), 1);
    ::setenv("HONEYLINK_TELEMETRY", "on", 1);
    become(kNobody + 1);
    ::execl(program.c_str(), "lean_life", "return", nullptr);
    return 81;
  });
  EXPECT_TRUE(ended.exited(3)) << "start() found a home: " << ended.status << ended.said;
  EXPECT_EQ(ended.lines(), 1) << ended.said;
  EXPECT_TRUE(fs::is_empty(trap)) << "somebody else's directory was chosen by the environment";
}

// ---- tool

struct ToolSaid {
  int exit = -1;
  std::string text;
};
ToolSaid honeytel_as(const TestHome& home, uid_t user, std::vector<std::string> words) {
  const std::string program = home.path() + "/honeytel";
  if (!fs::exists(program)) fs::copy_file(HONEYTEL_PATH, program);
  const Ended ended = run(home, [&] {
    ::dup2(STDERR_FILENO, STDOUT_FILENO);
    if (user != 0) become(user);
    words.insert(words.begin(), "honeytel");
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    ::execv(program.c_str(), argv.data());
    return 82;
  });
  return {WIFEXITED(ended.status) ? WEXITSTATUS(ended.status) : 128 + WTERMSIG(ended.status), ended.said};
}

TEST_F(Homes, TheToolLeavesAForeignOneAlone) {
  fs::create_directory(home_.home());
  ::chmod(home_.home().c_str(), 0755);
  for (const char* command : {"status", "traces", "logs", "metrics", "last-words", "doctor"}) {
    const ToolSaid said = honeytel_as(home_, kNobody, {command});
    EXPECT_LT(said.exit, 128) << command << ": " << said.text;
  }
  const ToolSaid agent = honeytel_as(home_, kNobody, {"agent"});
  EXPECT_EQ(agent.exit, 3) << agent.text;
  EXPECT_NE(agent.text.find("another user"), std::string::npos) << agent.text;
  const ToolSaid record = honeytel_as(home_, kNobody, {"record", "counter", "a.b", "1"});
  EXPECT_NE(record.exit, 0) << "what no engine will ever store is not recorded: " << record.text;
  EXPECT_TRUE(fs::is_empty(home_.home()));
}

TEST_F(Homes, TheToolSaysWhatItCannotRead) {
  // A home of that user, with stores that it may not read.
  fs::create_directories(home_.home() + "/metrics");
  std::ofstream(home_.home() + "/metrics/traces.db") << "closed";
  ::chmod((home_.home() + "/metrics/traces.db").c_str(), 0000);
  if (::chown(home_.home().c_str(), kNobody, kNobody) != 0 ||
      ::chown((home_.home() + "/metrics").c_str(), kNobody, kNobody) != 0)
    FAIL();
  const ToolSaid said = honeytel_as(home_, kNobody, {"traces"});
  EXPECT_TRUE(said.exit == 3 || said.exit == 7) << said.exit << said.text;
  EXPECT_NE(said.text.find("traces.db"), std::string::npos) << said.text;
  const ToolSaid status = honeytel_as(home_, kNobody, {"status"});
  EXPECT_LT(status.exit, 128) << status.text;
}

TEST_F(Homes, TheAgentSaysThatAReadOnlyOneIsOfNoUse) {
  const std::string disk = home_.path() + "/disk";
  fs::create_directory(disk);
  if (::mount("tmpfs", disk.c_str(), "tmpfs", MS_RDONLY, "size=1m,mode=0755") != 0)
    GTEST_SKIP() << "mounting is not allowed here";
  const ToolSaid agent = honeytel_as(home_, 0, {"agent", "--home", disk + "/home"});
  const ToolSaid status = honeytel_as(home_, 0, {"status", "--home", disk + "/home"});
  ::umount(disk.c_str());
  EXPECT_EQ(agent.exit, 3) << agent.text;
  EXPECT_NE(agent.text.find("ead-only"), std::string::npos) << agent.text;
  EXPECT_LT(status.exit, 128) << status.text;
}

}  // namespace
}  // namespace honeylink::telemetry::tests
