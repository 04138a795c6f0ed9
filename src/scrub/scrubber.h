// Everything that leaves a ring passes here, whoever reads it (I-6): ids become pseudonyms, payload keys and hostile
// values are refused, invalid UTF-8 is replaced; each is counted by reason. What is clean is passed on without a copy.
//
// Used by the engine for each record, and by query for what it shows from rings. names() must have seen a source's
// texts before its records are cleaned: names and keys are cleaned once, in the source's own table. Not thread-safe;
// one owner.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/events.h"
#include "scrub/clean_text.h"
#include "scrub/hostile.h"
#include "scrub/key_rules.h"
#include "scrub/pseudonym.h"

namespace honeylink::telemetry::scrub {

struct ScrubOptions {
  std::string home;
  std::vector<std::string> ids, refuse;  // added to the built-in ones
  bool may_make_key = true;              // false: a reader; without a key ids are refused
};

struct ScrubCounts {
  std::uint64_t hashed = 0;
  std::uint64_t refused_key = 0;     // items left out because of their key
  std::uint64_t refused_no_key = 0;  // ids left out because no pseudonym key was to be had
  std::uint64_t refused_size = 0;    // grew beyond an item's bound by hashing
  std::uint64_t invalid_utf8 = 0;
  std::array<std::uint64_t, static_cast<std::size_t>(Finding::count_)> refused_value{};  // by Finding
};

class Scrubber {
 public:
  explicit Scrubber(ScrubOptions options);
  ~Scrubber();

  /// Cleans the texts that `source` has gained since the last call. Call after every refresh of its tables.
  void names(Source& source);
  /// Replaces `items` by clean ones where they are not; the view is valid until the next call of clean().
  void clean(SpanEvent& span);
  void clean(LogEvent& log);
  void clean(SeriesInfo& series);
  void clean(ResourceInfo& resource);
  /// The source is gone.
  void forget(std::uint64_t serial) { sources_.erase(serial), last_ = nullptr; }

  [[nodiscard]] const ScrubCounts& counts() const noexcept { return counts_; }
  /// Nothing, or why ids cannot be hashed.
  [[nodiscard]] const std::string& why() const noexcept { return why_; }
  /// Names this installation to others: 16 digits, always the same under its key; empty where there is no key.
  [[nodiscard]] std::string installation() { return std::string(pseudonym("installation", "self").substr(0, 16)); }
  /// The pseudonym key was made by this object.
  [[nodiscard]] bool key_made() const noexcept { return pseudonyms_ != nullptr && pseudonyms_->made_now(); }
  /// A new key took the place of a lost one: hashes from before do not compare with those from now on.
  [[nodiscard]] bool key_renewed() const noexcept {
    return pseudonyms_ != nullptr && pseudonyms_->made_now() && pseudonyms_->epoch() > 1;
  }

 private:
  struct KnownSource {
    std::uint64_t serial = 0;
    std::size_t texts_seen = 0;
    std::vector<KeyVerdict> verdicts;  // by text id
  };
  enum class Change : std::uint8_t { none, replaced, left_out };
  using Bytes = std::vector<std::uint8_t>;

  KnownSource& known(const Source& source);
  KeyVerdict verdict(const Source& source, std::uint16_t key);
  /// Bytes of items at the beginning that are clean beyond doubt: nearly always all of them.
  std::size_t clean_bytes(const Source& source, std::span<const std::uint8_t> items);
  /// True: `out` holds the cleaned items; false: they were clean as they are.
  bool clean_items(const Source& source, std::span<const std::uint8_t> items, unsigned depth, Bytes& out,
                   std::uint16_t& left_out);
  Change clean_item(const Source& source, const Item& item, unsigned depth, Bytes& out, std::uint16_t& left_out);
  Change clean_value(const Source& source, const Item& item, KeyVerdict verdict, Bytes& out);
  Change clean_list(const Item& item, std::string_view kind, bool as_ids, Bytes& out);
  Change hash_item(const Source& source, const Item& item, Bytes& out);
  Change clean_nested(const Source& source, const Item& item, std::size_t head, unsigned depth, Bytes& out,
                      std::uint16_t& left_out);
  /// The text as it may be kept: itself, or one held in `text_`.
  std::string_view clean_text(std::string_view text);
  std::string_view pseudonym(std::string_view kind, std::string_view raw);
  bool clean_pair(const std::string& key, std::string& value);
  void clean_string(std::string& text);

  ScrubOptions options_;
  KeyRules rules_;
  ScrubCounts counts_;
  std::unique_ptr<Pseudonyms> pseudonyms_;
  bool tried_key_ = false;
  std::string why_, text_;
  std::unordered_map<std::uint64_t, KnownSource> sources_;
  KnownSource* last_ = nullptr;
  CleanTexts clean_texts_;
  std::array<Bytes, 2> scratch_;  // outer items, and those inside an event or link
};

}  // namespace honeylink::telemetry::scrub
