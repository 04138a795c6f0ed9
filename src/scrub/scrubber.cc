// See scrubber.h. Items are walked once; bytes are copied only from the first item on that changes.
#include "scrub/scrubber.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"

namespace honeylink::telemetry::scrub {
namespace {

constexpr unsigned kDepthMax = 1;  // items inside events and links; none inside those

void append_item(std::vector<std::uint8_t>& out, std::uint16_t key, ItemType type,
                 std::span<const std::uint8_t> payload) {
  const ItemHeader header{key, item_type_size(type, payload.size())};
  const std::size_t at = out.size();
  out.resize(at + sizeof header + padded4(payload.size()));
  std::memcpy(out.data() + at, &header, sizeof header);
  if (!payload.empty()) std::memcpy(out.data() + at + sizeof header, payload.data(), payload.size());
}
std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
std::string_view cut_to(std::string_view text, std::size_t most) { return text.substr(0, std::min(text.size(), most)); }
bool is_text(ItemType type) { return type == ItemType::text || type == ItemType::texts || type == ItemType::id; }

}  // namespace

Scrubber::Scrubber(ScrubOptions options) : options_(std::move(options)), rules_(options_.ids, options_.refuse) {}
Scrubber::~Scrubber() = default;

Scrubber::KnownSource& Scrubber::known(const Source& source) {
  if (last_ == nullptr || last_->serial != source.serial) {
    last_ = &sources_[source.serial];
    last_->serial = source.serial;
  }
  return *last_;
}

KeyVerdict Scrubber::verdict(const Source& source, std::uint16_t key) {
  auto& verdicts = known(source).verdicts;
  if (key >= verdicts.size()) {
    if (key >= source.texts.size()) return KeyVerdict::look;  // shown as "_unknown"
    verdicts.resize(source.texts.size(), KeyVerdict::unknown);
  }
  KeyVerdict& kept = verdicts[key];
  if (kept == KeyVerdict::unknown) kept = rules_.judge(source.texts[key]);
  return kept;
}

void Scrubber::names(Source& source) {
  KnownSource& state = known(source);
  if (state.texts_seen == 0) clean(source.resource);
  for (; state.texts_seen < source.texts.size(); ++state.texts_seen) clean_string(source.texts[state.texts_seen]);
}

std::string_view Scrubber::clean_text(std::string_view text) {
  if (is_plainly_clean(text) || clean_texts_.contains(text)) return text;
  const std::string_view original = text;
  bool high = false;
  for (const char c : text) high = high || static_cast<std::uint8_t>(c) >= 0x80;
  if (high && !is_utf8(text)) {
    ++counts_.invalid_utf8;
    text_ = replace_invalid_utf8(text);
    text = text_;
  }
  const Finding found = find_hostile(text);
  if (found == Finding::none) {
    if (text.data() == original.data()) clean_texts_.add(text);
    return text;
  }
  ++counts_.refused_value[static_cast<std::size_t>(found)];
  text_ = "[refused: " + std::string(finding_name(found)) + "]";
  return text_;
}

void Scrubber::clean_string(std::string& text) {
  const std::string_view cleaned = clean_text(text);
  if (cleaned.data() != text.data()) text.assign(cleaned);
}

std::string_view Scrubber::pseudonym(std::string_view kind, std::string_view raw) {
  if (pseudonyms_ == nullptr && !tried_key_) {
    tried_key_ = true;
    pseudonyms_ =
        options_.may_make_key ? Pseudonyms::open(options_.home, why_) : Pseudonyms::open_existing(options_.home, why_);
    if (pseudonyms_ != nullptr) why_.clear();
  }
  if (pseudonyms_ == nullptr) return ++counts_.refused_no_key, std::string_view{};
  ++counts_.hashed;
  return pseudonyms_->hash(kind, raw);
}

Scrubber::Change Scrubber::hash_item(const Source& source, const Item& item, Bytes& out) {
  const std::string_view own = KeyRules::kind_of(source.text(item.key));
  std::string_view hashed;
  switch (item.type) {
    case ItemType::id:
      hashed = pseudonym(source.text(item.as<std::uint16_t>()), item.text().substr(2));
      break;
    case ItemType::text:
      hashed = pseudonym(own, item.text());
      break;
    case ItemType::integer:
      hashed = pseudonym(own, std::to_string(item.as<std::int64_t>()));
      break;
    case ItemType::texts:
    case ItemType::integers:
      return clean_list(item, own, true, out);
    default:
      ++counts_.refused_key;
      return Change::left_out;  // a real or a truth value identifies nobody: a mistake
  }
  if (hashed.empty()) return Change::left_out;
  append_item(out, item.key, ItemType::text, bytes_of(hashed));
  return Change::replaced;
}

Scrubber::Change Scrubber::clean_list(const Item& item, std::string_view kind, bool as_ids, Bytes& out) {
  std::string joined;
  bool changed = as_ids;
  const auto add = [&](std::string_view text) {
    if (joined.size() + 2 + text.size() > kItemPayloadMax) return ++counts_.refused_size, false;
    const auto size = static_cast<std::uint16_t>(text.size());
    joined.append(reinterpret_cast<const char*>(&size), 2).append(text);
    return true;
  };
  if (item.type == ItemType::integers) {
    for (std::size_t at = 0; at + 8 <= item.payload.size(); at += 8) {
      const auto hashed = pseudonym(kind, std::to_string(item.as<std::int64_t>(at)));
      if (hashed.empty()) return Change::left_out;
      if (!add(hashed)) break;
    }
  } else {
    for (std::string_view rest = item.text(); rest.size() >= 2;) {
      std::uint16_t size = 0;
      std::memcpy(&size, rest.data(), 2);
      const std::string_view text = rest.substr(2, size);
      rest.remove_prefix(std::min<std::size_t>(rest.size(), std::size_t{2} + size));
      const std::string_view cleaned = as_ids ? pseudonym(kind, text) : clean_text(text);
      if (as_ids && cleaned.empty()) return Change::left_out;
      changed = changed || cleaned.data() != text.data();
      if (!add(cleaned)) break;
    }
  }
  if (!changed) return Change::none;
  append_item(out, item.key, ItemType::texts, bytes_of(joined));
  return Change::replaced;
}

Scrubber::Change Scrubber::clean_value(const Source& source, const Item& item, KeyVerdict verdict, Bytes& out) {
  if (verdict == KeyVerdict::hash || item.type == ItemType::id) return hash_item(source, item, out);
  if (item.type == ItemType::texts) return clean_list(item, {}, false, out);
  if (item.type == ItemType::integer) {
    if (!is_card_number(item.as<std::int64_t>())) return Change::none;
    ++counts_.refused_value[static_cast<std::size_t>(Finding::card)];
    append_item(out, item.key, ItemType::text, bytes_of("[refused: card]"));
    return Change::replaced;
  }
  const std::string_view cleaned = clean_text(item.text());
  if (cleaned.data() == item.text().data()) return Change::none;
  append_item(out, item.key, item.type, bytes_of(cut_to(cleaned, kItemPayloadMax)));
  return Change::replaced;
}

Scrubber::Change Scrubber::clean_nested(const Source& source, const Item& item, std::size_t head, unsigned depth,
                                        Bytes& out, std::uint16_t& left_out) {
  if (depth > kDepthMax - 1) return ++left_out, Change::left_out;
  Bytes& inner = scratch_[1];
  if (!clean_items(source, item.payload.subspan(head), depth + 1, inner, left_out)) return Change::none;
  std::span<const std::uint8_t> kept = inner;
  Bytes whole(item.payload.begin(), item.payload.begin() + static_cast<std::ptrdiff_t>(head));
  ItemCursor cursor(kept);
  for (Item one; cursor.next(one);) {
    if (whole.size() + sizeof(ItemHeader) + padded4(one.payload.size()) > kItemPayloadMax) {
      ++counts_.refused_size, ++left_out;
      break;
    }
    append_item(whole, one.key, one.type, one.payload);
  }
  append_item(out, item.key, item.type, whole);
  return Change::replaced;
}

Scrubber::Change Scrubber::clean_item(const Source& source, const Item& item, unsigned depth, Bytes& out,
                                      std::uint16_t& left_out) {
  switch (item.type) {
    case ItemType::event:
      return clean_nested(source, item, kEventHeadBytes, depth, out, left_out);
    case ItemType::link:
      return clean_nested(source, item, kLinkHeadBytes, depth, out, left_out);
    case ItemType::status_text:
    case ItemType::message:
    case ItemType::keep_reason:
      return clean_value(source, item, KeyVerdict::look, out);
    case ItemType::trace_state:
      return is_utf8(item.text()) ? Change::none : Change::left_out;  // W3C's printable ASCII, vendors' own words
    default:
      break;
  }
  const KeyVerdict judged = verdict(source, item.key);
  const bool refused = judged == KeyVerdict::refuse || (judged == KeyVerdict::refuse_text && is_text(item.type));
  if (refused) {
    ++counts_.refused_key, ++left_out;
    return Change::left_out;
  }
  const bool harmless = item.type == ItemType::boolean || item.type == ItemType::real ||
                        item.type == ItemType::booleans || item.type == ItemType::reals ||
                        item.type == ItemType::integers;
  if (harmless && judged != KeyVerdict::hash) return Change::none;
  const Change change = clean_value(source, item, judged, out);
  if (change == Change::left_out) ++left_out;
  return change;
}

std::size_t Scrubber::clean_bytes(const Source& source, std::span<const std::uint8_t> items) {
  const std::vector<KeyVerdict>& verdicts = known(source).verdicts;
  std::size_t bytes = 0;
  ItemCursor cursor(items);
  for (Item item; cursor.next(item);) {
    switch (item.type) {
      case ItemType::text:
        if (item.key >= verdicts.size() || verdicts[item.key] != KeyVerdict::look) return bytes;
        [[fallthrough]];
      case ItemType::status_text:
      case ItemType::message:
      case ItemType::keep_reason:
        if (!is_plainly_clean(item.text()) && !clean_texts_.contains(item.text())) return bytes;
        break;
      case ItemType::boolean:
      case ItemType::integer:
      case ItemType::real:
      case ItemType::booleans:
      case ItemType::integers:
      case ItemType::reals:
        if (item.key >= verdicts.size() ||
            (verdicts[item.key] != KeyVerdict::look && verdicts[item.key] != KeyVerdict::refuse_text))
          return bytes;
        break;
      default:
        return bytes;
    }
    bytes += sizeof(ItemHeader) + padded4(item.payload.size());
  }
  return bytes;
}

bool Scrubber::clean_items(const Source& source, std::span<const std::uint8_t> items, unsigned depth, Bytes& out,
                           std::uint16_t& left_out) {
  std::size_t at = clean_bytes(source, items);
  if (at == items.size()) return false;
  out.clear();
  bool copying = false;
  ItemCursor cursor(items.subspan(at));
  for (Item item; cursor.next(item);) {
    const std::size_t whole = sizeof(ItemHeader) + padded4(item.payload.size());
    const std::size_t before = out.size();
    const Change change = clean_item(source, item, depth, out, left_out);
    if (change == Change::none) {
      if (copying)
        out.insert(out.end(), items.begin() + static_cast<std::ptrdiff_t>(at),
                   items.begin() + static_cast<std::ptrdiff_t>(at + whole));
    } else if (!copying) {
      copying = true;
      out.insert(out.begin() + static_cast<std::ptrdiff_t>(before), items.begin(),
                 items.begin() + static_cast<std::ptrdiff_t>(at));
    }
    at += whole;
  }
  return copying;
}

void Scrubber::clean(SpanEvent& span) {
  std::uint16_t left_out = 0;
  if (clean_items(*span.source, span.items, 0, scratch_[0], left_out)) span.items = scratch_[0];
  span.dropped_attributes = static_cast<std::uint16_t>(std::min<unsigned>(0xffff, span.dropped_attributes + left_out));
}
void Scrubber::clean(LogEvent& log) {
  std::uint16_t left_out = 0;
  if (clean_items(*log.source, log.items, 0, scratch_[0], left_out)) log.items = scratch_[0];
  log.dropped_attributes = static_cast<std::uint16_t>(std::min<unsigned>(0xffff, log.dropped_attributes + left_out));
}

bool Scrubber::clean_pair(const std::string& key, std::string& value) {
  switch (rules_.judge(key)) {
    case KeyVerdict::refuse:
    case KeyVerdict::refuse_text:
      return ++counts_.refused_key, false;
    case KeyVerdict::hash: {
      const auto hashed = pseudonym(KeyRules::kind_of(key), value);
      value.assign(hashed);
      return !hashed.empty();
    }
    default:
      clean_string(value);
      return true;
  }
}

void Scrubber::clean(SeriesInfo& series) {
  clean_string(series.description);
  std::erase_if(series.labels, [&](auto& label) {
    const bool kept = clean_pair(label.first, label.second);
    clean_string(label.first);
    return !kept;
  });
}
void Scrubber::clean(ResourceInfo& resource) {
  for (std::string* text : {&resource.service_name, &resource.service_version, &resource.module, &resource.environment})
    clean_string(*text);
  std::erase_if(resource.more, [&](auto& pair) {
    const bool kept = clean_pair(pair.first, pair.second);
    clean_string(pair.first);
    return !kept;
  });
}

}  // namespace honeylink::telemetry::scrub
