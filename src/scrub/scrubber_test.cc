// I-6: what passes the scrubber holds no raw id, no payload and no hostile value; what was clean is untouched.
#include "scrub/scrubber.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace honeylink::telemetry::scrub {
namespace {

class TempHome {
 public:
  TempHome() {
    char name[] = "/tmp/hl_scrub_XXXXXX";
    path_ = mkdtemp(name);
  }
  ~TempHome() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

struct Items {
  std::vector<std::uint8_t> bytes;
  Items& add(std::uint16_t key, ItemType type, const void* payload, std::size_t size) {
    const ItemHeader header{key, item_type_size(type, size)};
    const std::size_t at = bytes.size();
    bytes.resize(at + sizeof header + padded4(size));
    std::memcpy(bytes.data() + at, &header, sizeof header);
    if (size != 0) std::memcpy(bytes.data() + at + sizeof header, payload, size);
    return *this;
  }
  Items& text(std::uint16_t key, std::string_view value, ItemType type = ItemType::text) {
    return add(key, type, value.data(), value.size());
  }
  Items& integer(std::uint16_t key, std::int64_t value) { return add(key, ItemType::integer, &value, 8); }
  Items& id(std::uint16_t key, std::uint16_t kind, std::string_view raw) {
    std::string payload(reinterpret_cast<const char*>(&kind), 2);
    payload += raw;
    return add(key, ItemType::id, payload.data(), payload.size());
  }
};

struct Bench {
  TempHome home;
  Source source;
  Scrubber scrubber{ScrubOptions{.home = home.path(), .ids = {"customer"}, .refuse = {"diary"}, .may_make_key = true}};
  SpanEvent span;

  std::uint16_t key(std::string_view text) {
    if (source.texts.empty()) source.serial = 1, source.texts.push_back("_other");
    source.texts.emplace_back(text);
    scrubber.names(source);
    return static_cast<std::uint16_t>(source.texts.size() - 1);
  }
  std::vector<std::pair<std::string, std::string>> clean(const Items& items) {
    span = SpanEvent{};
    span.source = &source;
    span.items = items.bytes;
    scrubber.clean(span);
    return read(span.items);
  }
  std::vector<std::pair<std::string, std::string>> read(std::span<const std::uint8_t> bytes) {
    std::vector<std::pair<std::string, std::string>> out;
    ItemCursor cursor(bytes);
    for (Item item; cursor.next(item);)
      out.emplace_back(std::string(source.text(item.key)), item.type == ItemType::integer
                                                               ? std::to_string(item.as<std::int64_t>())
                                                               : std::string(item.text()));
    EXPECT_FALSE(cursor.damaged());
    return out;
  }
};
using Pairs = std::vector<std::pair<std::string, std::string>>;

TEST(Scrubber, CleanItemsAreNotCopied) {
  Bench b;
  Items items;
  items.text(b.key("cipher"), "ChaCha20").integer(b.key("n"), 7);
  EXPECT_EQ(b.clean(items), (Pairs{{"cipher", "ChaCha20"}, {"n", "7"}}));
  EXPECT_EQ(b.span.items.data(), items.bytes.data());
}
TEST(Scrubber, MarkedAndWellKnownIdsBecomeTheSamePseudonym) {
  Bench b;
  const auto kind = b.key("device");
  Items items;
  items.id(b.key("peer"), kind, "AA-17")
      .text(b.key("device_id"), "AA-17")
      .text(b.key("net.device_id"), "AA-17")
      .text(b.key("user_id"), "AA-17");
  const auto got = b.clean(items);
  ASSERT_EQ(got.size(), 4U);
  EXPECT_EQ(got[0].second.size(), 32U);
  EXPECT_EQ(got[0].second, got[1].second);
  EXPECT_EQ(got[0].second, got[2].second);
  EXPECT_NE(got[0].second, got[3].second) << "the kind is part of the hash";
  EXPECT_EQ(b.scrubber.counts().hashed, 4U);
}
TEST(Scrubber, ConfiguredIdsAndIntegersAreHashedToo) {
  Bench b;
  Items items;
  items.integer(b.key("customer"), 4711).text(b.key("after"), "kept");
  const auto got = b.clean(items);
  ASSERT_EQ(got.size(), 2U);
  EXPECT_EQ(got[0].second.size(), 32U);
  EXPECT_EQ(got[1].second, "kept");
}
TEST(Scrubber, PayloadKeysAreLeftOutAndCounted) {
  Bench b;
  Items items;
  items.text(b.key("before"), "1")
      .text(b.key("http.request.body"), "x")
      .text(b.key("Password"), "x")
      .text(b.key("my-diary"), "x")
      .text(b.key("X-Auth-Token"), "x")
      .integer(b.key("http.request.body.size"), 12)
      .text(b.key("payload.raw"), "x");
  EXPECT_EQ(b.clean(items), (Pairs{{"before", "1"}, {"http.request.body.size", "12"}}));
  EXPECT_EQ(b.span.dropped_attributes, 5U);
  EXPECT_EQ(b.scrubber.counts().refused_key, 5U);
}
TEST(Scrubber, HostileValuesAreReplacedByTheReason) {
  Bench b;
  Items items;
  items.text(b.key("note"), "write to bob@example.com")
      .integer(b.key("n"), 4111111111111111)
      .text(0, "peer 10.1.2.3 gone", ItemType::message);
  EXPECT_EQ(b.clean(items),
            (Pairs{{"note", "[refused: email]"}, {"n", "[refused: card]"}, {"_other", "[refused: ipv4]"}}));
}
TEST(Scrubber, ItemsInsideEventsAreCleanedAsWell) {
  Bench b;
  Items inner;
  inner.text(b.key("token"), "abc").text(b.key("device_id"), "AA-17").text(b.key("fine"), "yes");
  std::string payload(kEventHeadBytes, '\1');
  payload.append(reinterpret_cast<const char*>(inner.bytes.data()), inner.bytes.size());
  Items items;
  items.text(payload.empty() ? 0 : 0, payload, ItemType::event);
  const auto got = b.clean(items);
  ASSERT_EQ(got.size(), 1U);
  const auto bytes = std::span(reinterpret_cast<const std::uint8_t*>(got[0].second.data()), got[0].second.size());
  const auto inside = b.read(bytes.subspan(kEventHeadBytes));
  ASSERT_EQ(inside.size(), 2U);
  EXPECT_EQ(inside[0].second.size(), 32U);
  EXPECT_EQ(inside[1].second, "yes");
}
TEST(Scrubber, TextArraysAreCleanedElementByElement) {
  Bench b;
  std::string payload;
  for (const std::string_view text : {"plain", "bob@example.com"}) {
    const auto size = static_cast<std::uint16_t>(text.size());
    payload.append(reinterpret_cast<const char*>(&size), 2).append(text);
  }
  Items items;
  items.text(b.key("list"), payload, ItemType::texts);
  const auto got = b.clean(items);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].second.find("bob"), std::string::npos);
  EXPECT_NE(got[0].second.find("plain"), std::string::npos);
}
TEST(Scrubber, NamesAndInvalidUtf8AreCleanedInTheTable) {
  Bench b;
  const auto name = b.key("mail to bob@example.com");
  EXPECT_EQ(b.source.texts[name], "[refused: email]");
  const auto broken = b.key("caf\xe9");
  EXPECT_EQ(b.source.texts[broken], "caf\xef\xbf\xbd");
  EXPECT_EQ(b.scrubber.counts().invalid_utf8, 1U);
}
TEST(Scrubber, LabelsAndResourcesPassTheSameRules) {
  Bench b;
  SeriesInfo series;
  series.labels = {{"device_id", "AA-17"}, {"password", "x"}, {"route", "/a"}, {"who", "bob@example.com"}};
  b.scrubber.clean(series);
  ASSERT_EQ(series.labels.size(), 3U);
  EXPECT_EQ(series.labels[0].second.size(), 32U);
  EXPECT_EQ(series.labels[1].second, "/a");
  EXPECT_EQ(series.labels[2].second, "[refused: email]");
  ResourceInfo resource;
  resource.more = {{"auth.token", "x"}, {"host.ip", "10.0.0.7"}};
  b.scrubber.clean(resource);
  ASSERT_EQ(resource.more.size(), 1U);
  EXPECT_EQ(resource.more[0].second, "[refused: ipv4]");
}
TEST(Scrubber, WithoutAKeyIdsAreRefusedNeverRaw) {
  Bench b;
  Scrubber reader(ScrubOptions{.home = b.home.path(), .ids = {}, .refuse = {}, .may_make_key = false});
  const auto kind = b.key("device");
  reader.names(b.source);
  Items items;
  items.id(b.key("peer"), kind, "AA-17").text(b.key("device_id"), "AA-17");
  reader.names(b.source);
  SpanEvent span;
  span.source = &b.source, span.items = items.bytes;
  reader.clean(span);
  EXPECT_TRUE(span.items.empty());
  EXPECT_EQ(reader.counts().refused_no_key, 2U);
  EXPECT_FALSE(reader.why().empty());
}
TEST(Scrubber, HashedArrayThatOutgrowsAnItemIsCutAndCounted) {
  Bench b;
  std::vector<std::int64_t> ids(500);
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<std::int64_t>(i);
  Items items;
  items.add(b.key("user_id"), ItemType::integers, ids.data(), ids.size() * 8).text(b.key("after"), "kept");
  const auto got = b.clean(items);
  ASSERT_EQ(got.size(), 2U);
  EXPECT_LE(got[0].second.size(), kItemPayloadMax);
  EXPECT_EQ(got[1].second, "kept");
  EXPECT_EQ(b.scrubber.counts().refused_size, 1U);
}

TEST(Pseudonyms, KeyIsPrivateAndStableAcrossRuns) {
  TempHome home;
  std::string why, first;
  {
    auto names = Pseudonyms::open(home.path(), why);
    ASSERT_NE(names, nullptr) << why;
    EXPECT_TRUE(names->made_now());
    first = names->hash("device", "AA-17");
    EXPECT_EQ(names->hash("device", "AA-17"), first);
    EXPECT_EQ(names->cache_hits(), 1U);
  }
  struct stat info {};
  ASSERT_EQ(stat((home.path() + "/keys/pseudonym.key").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  ASSERT_EQ(stat((home.path() + "/keys").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700U);
  auto names = Pseudonyms::open(home.path(), why);
  EXPECT_FALSE(names->made_now());
  EXPECT_EQ(names->hash("device", "AA-17"), first);
}
TEST(Pseudonyms, LostOrDamagedKeyMeansANewKeyAndAnEpochLabel) {  // F49
  TempHome home;
  std::string why;
  const std::string first{Pseudonyms::open(home.path(), why)->hash("device", "AA-17")};
  std::filesystem::remove(home.path() + "/keys/pseudonym.key");
  auto second = Pseudonyms::open(home.path(), why);
  ASSERT_NE(second, nullptr);
  const std::string hash{second->hash("device", "AA-17")};
  EXPECT_NE(hash.substr(0, 32), first);
  EXPECT_EQ(hash.substr(32), "@2");
  std::ofstream(home.path() + "/keys/pseudonym.key") << "not a key";
  EXPECT_EQ(Pseudonyms::open(home.path(), why)->epoch(), 3U);
}
TEST(Pseudonyms, TwoHomesShareNoHash) {  // F50
  TempHome one, two;
  std::string why;
  auto a = Pseudonyms::open(one.path(), why), b = Pseudonyms::open(two.path(), why);
  for (int i = 0; i < 1000; ++i) {
    const std::string raw = std::to_string(i);
    EXPECT_NE(std::string(a->hash("device", raw)), std::string(b->hash("device", raw)));
  }
}
TEST(Pseudonyms, CacheNeverAnswersForAnother) {
  TempHome home;
  std::string why;
  auto names = Pseudonyms::open(home.path(), why);
  std::vector<std::string> hashes;
  for (int i = 0; i < 10000; ++i) hashes.emplace_back(names->hash("user", std::to_string(i)));
  for (int i = 9999; i >= 0; --i)
    EXPECT_EQ(names->hash("user", std::to_string(i)), hashes[static_cast<std::size_t>(i)]);
  EXPECT_NE(std::string(names->hash("ab", "c")), std::string(names->hash("a", "bc")));
}
TEST(Pseudonyms, KeyBehindASymlinkIsRefused) {  // F31
  TempHome home;
  std::filesystem::create_directory(home.path() + "/keys");
  std::ofstream(home.path() + "/victim") << "untouched";
  std::filesystem::create_symlink(home.path() + "/victim", home.path() + "/keys/pseudonym.key");
  std::string why;
  EXPECT_EQ(Pseudonyms::open(home.path(), why), nullptr);
  EXPECT_FALSE(why.empty());
}

}  // namespace
}  // namespace honeylink::telemetry::scrub
