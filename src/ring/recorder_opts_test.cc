// run/recorder.opts: what is written is read, and whatever is wrong with the file means the defaults.
#include "ring/recorder_opts.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/file.h"

namespace honeylink::telemetry::ring {
namespace {

class RecorderOptions : public testing::Test {
 protected:
  RecorderOptions() {
    char name[] = "/tmp/honeylink_opts_XXXXXX";
    home_ = ::mkdtemp(name);
    written_.sampler = SamplerOption::ratio;
    written_.sampler_arg = 0.25;
    written_.ring_bytes = 1 << 20;
    std::strcpy(written_.environment, "staging");
    written_.slow_limit_count = 1;
    std::strcpy(written_.slow_limits[0].metric, "a.b");
    written_.slow_limits[0].limit = 2.5;
  }
  ~RecorderOptions() override { std::filesystem::remove_all(home_); }
  void write() {
    std::string why;
    ASSERT_TRUE(write_recorder_opts(home_, written_, why)) << why;
  }
  std::string content() {
    std::ifstream in(path(), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void put(const std::string& bytes) { std::ofstream(path(), std::ios::binary | std::ios::trunc) << bytes; }
  std::string path() const { return home_ + "/run/recorder.opts"; }
  void expect_defaults(const std::string& why) {
    RecorderOpts read = written_;
    EXPECT_FALSE(read_recorder_opts(home_, read)) << why;
    EXPECT_EQ(read.sampler, SamplerOption::unset) << why;
    EXPECT_STREQ(read.environment, "production") << why;
    EXPECT_EQ(read.sampler_arg, 0.1) << why;
    EXPECT_EQ(read.ring_bytes, 0U) << why;
    EXPECT_EQ(read.slow_limit_count, 5U) << why;  // three thresholds, two numerators
  }
  std::string home_;
  RecorderOpts written_ = default_recorder_opts();
};

TEST_F(RecorderOptions, AreReadAsTheyWereWritten) {
  write();
  RecorderOpts read;
  ASSERT_TRUE(read_recorder_opts(home_, read));
  EXPECT_EQ(read.sampler, SamplerOption::ratio);
  EXPECT_EQ(read.sampler_arg, 0.25);
  EXPECT_EQ(read.ring_bytes, 1U << 20);
  EXPECT_STREQ(read.environment, "staging");
  ASSERT_EQ(read.slow_limit_count, 1U);
  EXPECT_STREQ(read.slow_limits[0].metric, "a.b");
  EXPECT_EQ(read.slow_limits[0].limit, 2.5);
  struct stat info {};
  ASSERT_EQ(::stat(path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600U);
}

TEST_F(RecorderOptions, AMissingFileMeansTheDefaultsWithTheBuiltInThresholds) {
  expect_defaults("missing");
  RecorderOpts read;
  (void)read_recorder_opts(home_, read);
  EXPECT_STREQ(read.slow_limits[0].metric, "session_establishment_duration_seconds");
  EXPECT_EQ(read.slow_limits[0].limit, 0.5);
  EXPECT_EQ(read.slow_limits[1].limit, 0.3);
  EXPECT_EQ(read.slow_limits[2].limit, 0.02);
  EXPECT_STREQ(read.slow_limits[3].metric, "packets_lost_total");
  EXPECT_EQ(read.slow_limits[3].limit, kKeepsExemplar);
  EXPECT_STREQ(read.slow_limits[4].metric, "qos_packets_dropped_total");
  EXPECT_EQ(read.slow_limits[4].limit, kKeepsExemplar);
}

TEST_F(RecorderOptions, EverySingleChangedByteMeansTheDefaults) {
  write();
  const std::string whole = content();
  ASSERT_EQ(whole.size(), sizeof(RecorderOpts));
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string bad = whole;
    bad[i] = static_cast<char>(bad[i] ^ 0x10);
    put(bad);
    RecorderOpts read;
    ASSERT_FALSE(read_recorder_opts(home_, read)) << "byte " << i;
  }
  for (std::size_t size = 0; size < whole.size(); size += 97) {
    put(whole.substr(0, size));
    expect_defaults("cut to " + std::to_string(size));
  }
}

TEST_F(RecorderOptions, TextsWithoutAnEndAreEnded) {
  std::memset(written_.environment, 'e', sizeof written_.environment);
  std::memset(written_.slow_limits[0].metric, 'm', sizeof written_.slow_limits[0].metric);
  write();
  RecorderOpts read;
  ASSERT_TRUE(read_recorder_opts(home_, read));
  EXPECT_EQ(std::strlen(read.environment), sizeof read.environment - 1);
  EXPECT_EQ(std::strlen(read.slow_limits[0].metric), sizeof read.slow_limits[0].metric - 1);
}

TEST_F(RecorderOptions, TooManyThresholdsAndOtherVersionsAreRefused) {
  written_.slow_limit_count = kSlowLimitsMax + 1;
  write();
  expect_defaults("too many thresholds");
  written_.slow_limit_count = 1;
  written_.version = 2;
  write();
  expect_defaults("another version");
}

TEST_F(RecorderOptions, ALinkOrAForeignKindOfFileIsNotRead) {
  write();
  std::filesystem::rename(path(), home_ + "/elsewhere");
  std::filesystem::create_symlink(home_ + "/elsewhere", path());
  expect_defaults("symbolic link");
  std::filesystem::remove(path());
  std::filesystem::create_directory(path());
  expect_defaults("directory");
}

}  // namespace
}  // namespace honeylink::telemetry::ring
