// F43: a device with one CPU and 1 GB. `honeytel bench` at the promised 100,000 events/s, engine and recorder on the
// same core: nothing is dropped, nothing is missing, and both stay small. 5 s; HONEYLINK_TEST_LONG=1: 60 s.
#include <sched.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "cli_support.h"

namespace honeylink::telemetry::test {
namespace {

// Every process that the test starts inherits the one CPU.
class OneCpu : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "a sanitizer's time and memory are not the product's";
#endif
    ASSERT_EQ(::sched_getaffinity(0, sizeof before_, &before_), 0);
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(::sched_getcpu(), &one);
    ASSERT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);
    pinned_ = true;
  }
  void TearDown() override {
    if (pinned_) ::sched_setaffinity(0, sizeof before_, &before_);
    CliTest::TearDown();
  }
  void expect_promise() {
    const std::string seconds = std::getenv("HONEYLINK_TEST_LONG") != nullptr ? "60s" : "5s";
    const Said said = honeytel({"bench", "--rate", "100000", "--duration", seconds, "--json"});
    ASSERT_EQ(said.exit, 0) << said.out << said.err;
    const nlohmann::json measured = said.json();
    std::printf("%s\n", said.out.c_str());
    EXPECT_EQ(measured["dropped"], 0);
    EXPECT_EQ(measured["missing"], 0);
    EXPECT_EQ(measured["balance_exact"], true);
    // Both are honeytel here: the recorder carries the whole tool beside its ring of 10.5 MB.
    const nlohmann::json& bytes = measured["rss_bytes"];
    EXPECT_LE(bytes["engine"].get<std::uint64_t>() + bytes["recorder"].get<std::uint64_t>(), 64U << 20);
  }

 private:
  cpu_set_t before_{};
  bool pinned_ = false;
};

TEST_F(OneCpu, Keeps100000EventsPerSecondWithoutADrop) { expect_promise(); }

// Which group a test may put itself into is the tester's to say: groups of a service manager or a container are not
// ours to fill. Version 2 names the limit memory.max, version 1 memory.limit_in_bytes.
TEST_F(OneCpu, AndAGigabyteKeep100000EventsPerSecondWithoutADrop) {
  const char* group = std::getenv("HONEYLINK_TEST_CGROUP");
  if (group == nullptr) GTEST_SKIP() << "set HONEYLINK_TEST_CGROUP to an empty memory cgroup that may be written";
  const std::string directory = group;
  const bool second = std::filesystem::exists(directory + "/memory.max");
  std::ofstream limit(directory + (second ? "/memory.max" : "/memory.limit_in_bytes"));
  if (!(limit << (1 << 30) << std::flush)) GTEST_SKIP() << directory << " takes no memory limit";
  std::ofstream members(directory + "/cgroup.procs");
  if (!(members << ::getpid() << std::flush)) GTEST_SKIP() << directory << " takes no process";
  expect_promise();
}

}  // namespace
}  // namespace honeylink::telemetry::test
