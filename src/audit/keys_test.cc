#include "audit/keys.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "base/text.h"

namespace honeylink::telemetry::audit {
namespace {

class Keys : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/honeylink_keys_XXXXXX";
    home_ = ::mkdtemp(name);
  }
  void TearDown() override { std::filesystem::remove_all(home_); }
  std::string path() const { return key_path(home_, "consent.key"); }
  std::string home_, why_;
  bool made_ = false;
};

mode_t mode_of(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 ? info.st_mode & 07777 : 0;
}

TEST_F(Keys, ASignatureFitsItsKeyItsBytesAndItsKindOnly) {
  const auto key = SigningKey::make(), other = SigningKey::make();
  Signature signature = key->sign(kConsentDomain, "bytes");
  EXPECT_TRUE(verify(key->public_key(), kConsentDomain, "bytes", signature));
  EXPECT_FALSE(verify(key->public_key(), kEntryDomain, "bytes", signature));
  EXPECT_FALSE(verify(key->public_key(), kConsentDomain, "Bytes", signature));
  EXPECT_FALSE(verify(other->public_key(), kConsentDomain, "bytes", signature));
  signature[10] ^= 1;
  EXPECT_FALSE(verify(key->public_key(), kConsentDomain, "bytes", signature));
}

TEST_F(Keys, SignAsRfc8032Says) {
  // Test 2 of RFC 8032, 7.1 signs the one byte 0x72; ours signs a domain before it, so only the key pair is comparable.
  Seed seed{};
  ASSERT_TRUE(unhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", seed));
  const auto key = SigningKey::from_seed(seed);
  EXPECT_EQ(hex(key->public_key()), "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
  EXPECT_EQ(key->seed(), seed);
  EXPECT_EQ(hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_F(Keys, AreMadeOnceAndPrivate) {
  const mode_t before = ::umask(0);
  const auto first = open_consent_key(home_, made_, why_);
  ::umask(before);
  ASSERT_NE(first, nullptr) << why_;
  EXPECT_TRUE(made_);
  EXPECT_EQ(mode_of(path()), 0600U);
  EXPECT_EQ(mode_of(home_ + "/keys"), 0700U);
  const auto second = open_consent_key(home_, made_, why_);
  EXPECT_FALSE(made_);
  EXPECT_EQ(first->public_key(), second->public_key());
  PublicKey read{};
  EXPECT_EQ(read_consent_public_key(home_, read, why_), KeyState::ready);
  EXPECT_EQ(read, first->public_key());
}

TEST_F(Keys, OfManyThatMakeOneAtOnceOneWins) {
  for (int round = 0; round < 20; ++round) {
    std::filesystem::remove_all(home_ + "/keys");
    std::vector<std::thread> threads;
    std::vector<PublicKey> got(4);
    std::atomic<int> made = 0;
    for (PublicKey& key : got) {
      threads.emplace_back([&] {
        std::string why;
        bool mine = false;
        const auto opened = open_consent_key(home_, mine, why);
        ASSERT_NE(opened, nullptr) << why;
        key = opened->public_key();
        made += mine ? 1 : 0;
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(made, 1);
    for (const PublicKey& key : got) EXPECT_EQ(key, got.front());
    std::size_t files = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(home_ + "/keys")) ++files;
    EXPECT_EQ(files, 1U) << "nothing is left lying about";
  }
}

TEST_F(Keys, BehindASymlinkAreRefused) {
  ASSERT_NE(open_consent_key(home_, made_, why_), nullptr);
  std::filesystem::rename(path(), home_ + "/elsewhere");
  std::filesystem::create_symlink(home_ + "/elsewhere", path());
  EXPECT_EQ(open_consent_key(home_, made_, why_), nullptr);
  EXPECT_NE(why_.find("symbolic link"), std::string::npos) << why_;
}

TEST_F(Keys, OpenToOthersAreRefused) {
  ASSERT_NE(open_consent_key(home_, made_, why_), nullptr);
  for (const mode_t mode : {0640U, 0604U, 0620U, 0666U}) {
    ::chmod(path().c_str(), mode);
    EXPECT_EQ(open_consent_key(home_, made_, why_), nullptr) << std::oct << mode;
  }
}

TEST_F(Keys, DamagedAreNeitherUsedNorReplaced) {
  ASSERT_NE(open_consent_key(home_, made_, why_), nullptr);
  const auto whole = std::filesystem::file_size(path());
  for (const std::uintmax_t size : {whole - 1, std::uintmax_t{3}, std::uintmax_t{0}}) {
    std::filesystem::resize_file(path(), size);
    EXPECT_EQ(open_consent_key(home_, made_, why_), nullptr);
    EXPECT_EQ(std::filesystem::file_size(path()), size) << "the evidence stays";
    PublicKey key{};
    EXPECT_EQ(read_consent_public_key(home_, key, why_), KeyState::unusable);
  }
}

TEST_F(Keys, ReadingMakesNone) {
  PublicKey key{};
  EXPECT_EQ(read_consent_public_key(home_, key, why_), KeyState::none);
  EXPECT_FALSE(std::filesystem::exists(home_ + "/keys"));
}

}  // namespace
}  // namespace honeylink::telemetry::audit
