// F21 and F22: a log that was modified, deleted from, reordered, duplicated, truncated, emptied, put back, or forged
// with a stolen key is found out, each as docs/formats/audit_log.md says. HONEYLINK_TEST_SEED repeats a run.
#include "audit/verify.h"

#include <gtest/gtest.h>

#include <set>

#include "audit/testing_log.h"

namespace honeylink::telemetry::audit {
namespace {

class Tampered : public testing::Test {
 protected:
  void SetUp() override {
    const char* given = std::getenv("HONEYLINK_TEST_SEED");
    seed_ = given != nullptr ? static_cast<unsigned>(std::stoul(given)) : std::random_device{}();
    random_.seed(seed_);
    // Two files: one rotated, one with what came after.
    log_.live(6);
    log_.clock.advance(32 * kDayNs);
    log_.live(5);
    log_.append();
    log_.append();
    ASSERT_EQ(list_files(log_.home()).size(), 2U);
    log_.expect_sound("as it was written");
    for (const std::string& file : list_files(log_.home())) whole_.emplace_back(file, content_of(file));
  }
  void TearDown() override {
    if (HasFailure()) std::printf("HONEYLINK_TEST_SEED=%u\n", seed_);
  }
  std::size_t below(std::size_t end) { return std::uniform_int_distribution<std::size_t>(0, end - 1)(random_); }
  void restore() const {
    for (const auto& [file, content] : whole_) put_content(file, content);
  }
  /// Each copy changed by `change`, which gets the file's lines; all must be found out.
  template <class Change>
  void expect_all_found(Change&& change) {
    int found = 0;
    for (int i = 0; i < tampered_copies(); ++i) {
      const auto& [file, content] = whole_[below(whole_.size())];
      std::vector<std::string> lines = lines_of(content);
      change(lines);
      const std::string changed = joined(lines);
      ASSERT_NE(changed, content);
      put_content(file, changed);
      found += log_.verify().sound() ? 0 : 1;
      put_content(file, content);
    }
    EXPECT_EQ(found, tampered_copies());
    log_.expect_sound("put right again");
  }
  TestLog log_;
  std::vector<std::pair<std::string, std::string>> whole_;
  std::mt19937 random_;
  unsigned seed_ = 0;
};

TEST_F(Tampered, AnyFlippedBitIsFound) {
  int found = 0;
  for (int i = 0; i < tampered_copies(); ++i) {
    const auto& [file, content] = whole_[below(whole_.size())];
    std::string changed = content;
    char& byte = changed[below(changed.size())];
    byte = static_cast<char>(byte ^ (1 << below(8)));
    put_content(file, changed);
    found += log_.verify().sound() ? 0 : 1;
    put_content(file, content);
  }
  EXPECT_EQ(found, tampered_copies());
}

TEST_F(Tampered, ADeletedEntryIsFoundWhereverItWas) {
  expect_all_found([&](std::vector<std::string>& lines) {
    lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(below(lines.size())));
  });
}

TEST_F(Tampered, EntriesThatChangedPlacesAreFound) {
  expect_all_found([&](std::vector<std::string>& lines) {
    const std::size_t one = below(lines.size()), other = (one + 1 + below(lines.size() - 1)) % lines.size();
    std::swap(lines[one], lines[other]);
  });
}

TEST_F(Tampered, ADuplicatedEntryIsFound) {
  expect_all_found([&](std::vector<std::string>& lines) {
    const std::string copy = lines[below(lines.size())];
    lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(below(lines.size() + 1)), copy);
  });
}

TEST_F(Tampered, AnEntryOfAnotherLogIsFound) {
  TestLog other;
  other.live(4);
  const std::vector<std::string> strangers = lines_of(content_of(other.log()));
  expect_all_found(
      [&](std::vector<std::string>& lines) { lines[below(lines.size())] = strangers[below(strangers.size())]; });
}

TEST_F(Tampered, ATruncatedLogIsFoundByItsHead) {
  const auto& [file, content] = whole_.back();
  for (int i = 0; i < tampered_copies(); ++i) {
    put_content(file, content.substr(0, below(content.size())));
    ASSERT_FALSE(log_.verify().sound());
  }
}

TEST_F(Tampered, ATruncatedLogIsFoundByAnAnchorElsewhereThoughHeadAndKeyWentToo) {
  const Anchor paper = log_.here();
  const auto& [file, content] = whole_.back();
  std::filesystem::remove(log_.home() + "/audit/head");
  std::filesystem::remove(key_path(log_.home(), "audit.key"));
  const std::vector<std::string> lines = lines_of(content);
  for (std::size_t n = 0; n < lines.size(); ++n) {
    put_content(file, joined({lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(n)}));
    const Verification found = log_.verify({paper});
    ASSERT_EQ(found.anchors.back().second, AnchorState::gone) << n;
    ASSERT_FALSE(found.sound());
  }
}

TEST_F(Tampered, AnEmptiedOrDeletedLogIsFound) {
  for (const bool deletes : {false, true}) {
    for (std::size_t which = 0; which < whole_.size(); ++which) {
      if (deletes) std::filesystem::remove(whole_[which].first);
      else put_content(whole_[which].first, "");
      EXPECT_FALSE(log_.verify().sound()) << whole_[which].first;
      restore();
    }
    for (const auto& [file, content] : whole_) deletes ? (void)std::filesystem::remove(file) : put_content(file, "");
    EXPECT_FALSE(log_.verify().sound());
    restore();
  }
  log_.expect_sound("restored");
}

TEST_F(Tampered, ALogPutBackAloneIsFoundByTheKeyOrTheHead) {
  int found = 0;
  for (int i = 0; i < tampered_copies() / 10; ++i) {
    log_.save("earlier");
    log_.live(1 + static_cast<int>(below(2)));
    log_.put_back("earlier", "/audit");  // the head with it; the key is of a later epoch
    found += log_.verify().sound() ? 0 : 1;
    log_.put_back("earlier");
  }
  EXPECT_EQ(found, tampered_copies() / 10);
  log_.append();  // within the epoch
  log_.save("earlier");
  log_.append();
  const Anchor paper = log_.here();
  log_.put_back("earlier", "/audit");
  EXPECT_TRUE(log_.verify().sound()) << "within an epoch only an anchor elsewhere can tell";
  EXPECT_FALSE(log_.verify({paper}).sound());
  log_.drop("earlier");
}

TEST_F(Tampered, AWholeHomePutBackIsFoundByAnAnchorElsewhereOnly) {
  log_.save("earlier");
  log_.live(3);
  const Anchor paper = log_.here(), hash_only{"paper", 0, log_.end.hash};
  log_.put_back("earlier");
  log_.drop("earlier");
  EXPECT_TRUE(log_.verify().sound()) << "as documented: not detectable from inside";
  EXPECT_FALSE(log_.verify({paper}).sound());
  EXPECT_FALSE(log_.verify({hash_only}).sound());
}

TEST_F(Tampered, AnchorsThatHoldAreSaidToHold) {
  const Anchor now = log_.here(), by_hash{"paper", 0, log_.end.hash};
  log_.live(1);
  const Verification found = log_.verify({now, by_hash});
  EXPECT_TRUE(found.sound());
  ASSERT_EQ(found.anchors.size(), 4U);  // and the head and the key
  for (const auto& [anchor, state] : found.anchors) EXPECT_EQ(state, AnchorState::holds) << anchor.where;
  Anchor wrong = now;
  wrong.hash[0] ^= 1;
  EXPECT_EQ(log_.verify({wrong}).anchors.back().second, AnchorState::contradicted);
}

/// The log with entry `at` (from 0, over all files) changed, and everything from there on hashed and signed anew with
/// `key`, as whoever holds it can.
void forge(const TestLog& log, std::vector<std::pair<std::string, std::string>> files, std::size_t at,
           const SigningKey& key) {
  std::size_t n = 0;
  Hash prev{};
  for (auto& [file, content] : files) {
    std::vector<std::string> lines = lines_of(content);
    for (std::string& line : lines) {
      if (n++ >= at) {
        Entry entry;
        std::string why;
        ASSERT_TRUE(read_entry(line, entry, why)) << why;
        if (n == at + 1) entry.result = Result::failed, entry.context.emplace_back("forged", "1");
        else entry.prev = prev;
        line = write_entry(entry, key);
      }
      prev = sha256(line);
    }
    put_content(file, joined(lines));
  }
  std::string why;
  Entry last;
  ASSERT_TRUE(read_entry(lines_of(content_of(files.back().first)).back(), last, why));
  ASSERT_TRUE(write_head(log.home(), last.seq, prev, key, why)) << why;
}

TEST_F(Tampered, WithAStolenKeyEarlierEpochsCannotBeForged) {
  EpochKey stolen;
  std::string why;
  ASSERT_EQ(read_epoch_key(log_.home(), false, stolen, why), KeyState::ready) << why;
  const std::string head = content_of(log_.home() + "/audit/head");
  int found = 0;
  for (int i = 0; i < tampered_copies(); ++i) {
    const std::size_t at = below(stolen.first_seq - 1);  // of an earlier epoch
    forge(log_, whole_, at, *stolen.key);
    const Verification forged = log_.verify();
    std::set<Fault> faults;
    for (const Finding& finding : forged.findings) faults.insert(finding.fault);
    found += faults.contains(Fault::bad_signature) ? 1 : 0;
    restore();
  }
  EXPECT_EQ(found, tampered_copies());
  put_content(log_.home() + "/audit/head", head);
  log_.expect_sound("restored");
}

TEST_F(Tampered, WithAStolenKeyTheCurrentEpochIsExposedAsDeclared) {
  EpochKey stolen;
  std::string why;
  ASSERT_EQ(read_epoch_key(log_.home(), false, stolen, why), KeyState::ready) << why;
  const Anchor paper = log_.here();
  forge(log_, whole_, stolen.first_seq - 1, *stolen.key);
  EXPECT_TRUE(log_.verify().sound()) << "declared: nothing inside the home can tell";
  EXPECT_FALSE(log_.verify({paper}).sound()) << "an anchor elsewhere can";
}

TEST_F(Tampered, FindingsSayWhereAndWhat) {
  auto lines = lines_of(whole_[0].second);
  lines.erase(lines.begin() + 4);
  put_content(whole_[0].first, joined(lines));
  const Verification found = log_.verify();
  ASSERT_FALSE(found.sound());
  EXPECT_EQ(found.findings[0].fault, Fault::missing);
  EXPECT_EQ(found.findings[0].line, 5U);
  EXPECT_EQ(found.findings[0].seq, 5U);
  EXPECT_EQ(found.findings[0].what, "entry 5 is missing");
  EXPECT_LE(found.findings_total, 3U) << "one deletion is not a thousand findings";
}

TEST(Verify, ThereIsNothingToVerifyInAHomeWithoutALog) {
  const TestLog log;
  const Verification found = log.verify();
  EXPECT_TRUE(found.sound());
  EXPECT_EQ(found.entries, 0U);
  EXPECT_FALSE(std::filesystem::exists(log.home() + "/audit"));
}

TEST(Verify, GarbageOfAnySizeIsNoEntry) {
  TestLog log;
  log.append();
  std::mt19937 random(11);
  for (const std::size_t size : {1UL, 100UL, 70'000UL, 1'000'000UL}) {
    std::string garbage(size, '\0');
    for (char& c : garbage) c = static_cast<char>(random());
    put_content(log.log(), garbage);
    EXPECT_FALSE(log.verify().sound()) << size;
  }
}

}  // namespace
}  // namespace honeylink::telemetry::audit
