#include "alert/toast_memory.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <random>

namespace honeylink::telemetry::alert {
namespace {

class Memory : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/honeytel_toasts_XXXXXX";
    home_ = ::mkdtemp(name);
    std::filesystem::create_directory(home_ + "/run");
  }
  void TearDown() override { std::filesystem::remove_all(home_); }
  void write(const std::string& bytes) const { std::ofstream(ToastMemory::path(home_), std::ios::binary) << bytes; }
  std::string home_;
};

TEST_F(Memory, ComesBackAsItWas) {
  ToastMemory memory;
  memory.bus_id = "0123";
  memory.daemon = ":1.5";
  memory.toasts[std::string("a\0b\nc", 5)] = {7, "alert_1"};
  memory.toasts["d e"] = {0, "alert_2"};
  ASSERT_TRUE(memory.save(home_));
  const ToastMemory again = ToastMemory::load(home_);
  EXPECT_EQ(again.bus_id, "0123");
  EXPECT_EQ(again.daemon, ":1.5");
  ASSERT_EQ(again.toasts.size(), 2U);
  EXPECT_EQ(again.toasts.at(std::string("a\0b\nc", 5)).id, 7U);
  EXPECT_EQ(again.toasts.at("d e").alert_id, "alert_2");
}

TEST_F(Memory, OfNothingIsNoFile) {
  ToastMemory memory;
  memory.toasts["a"] = {1, "alert_1"};
  ASSERT_TRUE(memory.save(home_));
  memory.toasts.clear();
  ASSERT_TRUE(memory.save(home_));
  EXPECT_FALSE(std::filesystem::exists(ToastMemory::path(home_)));
  EXPECT_TRUE(memory.save(home_)) << "and none where there was none";
}

TEST_F(Memory, ThatIsDamagedIsPartOrNone) {
  ToastMemory memory;
  memory.bus_id = "0123456789abcdef0123456789abcdef";
  memory.daemon = ":1.5";
  for (int i = 0; i < 20; ++i) memory.toasts["key" + std::to_string(i)] = {static_cast<std::uint32_t>(i), "alert_x"};
  ASSERT_TRUE(memory.save(home_));
  std::ifstream file(ToastMemory::path(home_), std::ios::binary);
  const std::string sound((std::istreambuf_iterator<char>(file)), {});
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 200; ++round) {
    std::string bytes = sound;
    for (int i = 0; i < 3; ++i) bytes[random() % bytes.size()] = static_cast<char>(random());
    if (random() % 2 == 0) bytes.resize(random() % bytes.size());
    write(bytes);
    EXPECT_LE(ToastMemory::load(home_).toasts.size(), 23U);
  }
  std::filesystem::remove(ToastMemory::path(home_));
  std::filesystem::create_symlink("/etc/passwd", ToastMemory::path(home_));
  EXPECT_TRUE(ToastMemory::load(home_).toasts.empty()) << "never through a symbolic link";
}

}  // namespace
}  // namespace honeylink::telemetry::alert
