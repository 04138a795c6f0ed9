// See span_block_shapes.h.
#include "store/span_block_shapes.h"

#include <cstring>

#include "store/bytes.h"
#include "store/span_block_format.h"

namespace honeylink::telemetry::store {
namespace {

using Bytes = std::span<const std::uint8_t>;

/// Reads items and insists on the one form in which TraceBlobWriter writes each: only then do token and value say all.
class StrictReader {
 public:
  explicit StrictReader(Bytes bytes) noexcept : at_(bytes.data()), end_(at_ + bytes.size()) {}
  [[nodiscard]] bool at_end() const noexcept { return at_ == end_; }
  [[nodiscard]] bool ok() const noexcept { return ok_; }
  std::uint8_t byte() noexcept { return at_ == end_ ? (ok_ = false, std::uint8_t{0}) : *at_++; }
  std::uint64_t varint() noexcept {
    std::uint64_t n = 0;
    for (unsigned shift = 0; at_ != end_ && shift < 64; shift += 7) {
      const std::uint8_t b = *at_++;
      if ((shift == 63 && b > 1) || (shift != 0 && b == 0)) break;  // too long, or longer than it need be
      n |= std::uint64_t{b & 0x7fU} << shift;
      if (b < 0x80) return n;
    }
    return ok_ = false, 0;
  }
  std::uint32_t varint32() noexcept {
    const std::uint64_t n = varint();
    return n <= UINT32_MAX ? static_cast<std::uint32_t>(n) : (ok_ = false, 0U);
  }
  std::string_view take(std::uint64_t n) noexcept {
    if (n > static_cast<std::uint64_t>(end_ - at_)) return ok_ = false, std::string_view();
    at_ += n;
    return {reinterpret_cast<const char*>(at_ - n), static_cast<std::size_t>(n)};
  }
  template <class T>
  T fixed() noexcept {
    T value{};
    const std::string_view bytes = take(sizeof value);
    if (!bytes.empty()) std::memcpy(&value, bytes.data(), sizeof value);
    return value;
  }

 private:
  const std::uint8_t* at_;
  const std::uint8_t* end_;
  bool ok_ = true;
};

bool take_items(StrictReader in, bool inner, std::vector<ItemToken>& tokens, std::vector<ItemValue>& values) {
  while (!in.at_end()) {
    const std::uint8_t type = in.byte();
    if (type >= kItemTypes || tokens.size() >= kShapeTokensMax) return false;
    ItemToken token{type + (inner ? ItemToken::kInner : 0U), 0, 0};
    ItemValue value;
    std::string_view more;
    switch (static_cast<ItemType>(type)) {
      case ItemType::boolean:
        token.key = in.varint32();
        value.number = in.byte();
        if (value.number > 1) return false;
        break;
      case ItemType::integer:
        token.key = in.varint32();
        value.number = static_cast<std::uint64_t>(unzigzag(in.varint()));
        break;
      case ItemType::real:
        token.key = in.varint32();
        value.number = in.fixed<std::uint64_t>();
        break;
      case ItemType::id:
        token.key = in.varint32();
        token.kind = in.varint32();
        value.text = in.take(in.varint());
        break;
      case ItemType::event:
        token.key = in.varint32();
        value.number = static_cast<std::uint64_t>(unzigzag(in.varint()));
        more = in.take(in.fixed<std::uint16_t>());
        break;
      case ItemType::link:
        value.text = in.take(24);
        value.number = in.varint32();
        more = in.take(in.fixed<std::uint16_t>());
        break;
      case ItemType::status_text:
      case ItemType::trace_state:
      case ItemType::message:
      case ItemType::keep_reason:
        value.text = in.take(in.varint());
        break;
      default:
        token.key = in.varint32();
        value.text = in.take(in.varint());
    }
    const bool opens = token.item() == ItemType::event || token.item() == ItemType::link;
    if (!in.ok() || (opens && inner)) return false;
    tokens.push_back(token), values.push_back(value);
    if (opens && !take_items(StrictReader(as_bytes(more)), true, tokens, values)) return false;
  }
  return true;
}

std::uint64_t mixed(std::uint64_t h, std::uint64_t v) noexcept {
  h = (h ^ v) * 0x9e37'79b9'7f4a'7c15ULL;
  return h ^ (h >> 29);
}

}  // namespace

bool take_apart(Bytes items, std::vector<ItemToken>& tokens, std::vector<ItemValue>& values) {
  tokens.clear(), values.clear();
  return take_items(StrictReader(items), false, tokens, values);
}

bool ItemBuilder::add(const ItemToken& token, const ItemValue& value) {
  if (bytes_.size() + value.text.size() > kBlockSpanItemsMax) return false;
  if (!token.inner()) close_inner();
  const ItemType type = token.item();
  bytes_.push_back(static_cast<std::uint8_t>(type));
  switch (type) {
    case ItemType::boolean:
      append_varint(bytes_, token.key);
      bytes_.push_back(value.number != 0 ? 1 : 0);
      return true;
    case ItemType::integer:
      append_varint(bytes_, token.key);
      append_varint(bytes_, zigzag(static_cast<std::int64_t>(value.number)));
      return true;
    case ItemType::real: {
      append_varint(bytes_, token.key);
      std::uint8_t raw[sizeof value.number];
      std::memcpy(raw, &value.number, sizeof raw);
      append(bytes_, raw);
      return true;
    }
    case ItemType::event:
    case ItemType::link:
      if (type == ItemType::event) {
        append_varint(bytes_, token.key);
        append_varint(bytes_, zigzag(static_cast<std::int64_t>(value.number)));
      } else {
        append(bytes_, as_bytes(value.text));
        append_varint(bytes_, value.number);
      }
      bytes_.resize(bytes_.size() + 2);
      inner_at_ = bytes_.size();
      return true;
    case ItemType::status_text:
    case ItemType::trace_state:
    case ItemType::message:
    case ItemType::keep_reason:
      break;
    default:
      append_varint(bytes_, token.key);
      if (type == ItemType::id) append_varint(bytes_, token.kind);
  }
  append_varint(bytes_, value.text.size());
  append(bytes_, as_bytes(value.text));
  return true;
}

void ItemBuilder::close_inner() noexcept {
  if (inner_at_ == 0) return;
  const auto size = static_cast<std::uint16_t>(bytes_.size() - inner_at_);
  std::memcpy(bytes_.data() + inner_at_ - 2, &size, sizeof size);
  inner_at_ = 0;
}

std::span<const std::uint8_t> ItemBuilder::finish() noexcept {
  close_inner();
  return bytes_;
}

std::size_t ShapeTable::ColumnHash::operator()(const ColumnKey& key) const noexcept {
  const std::uint64_t h = mixed(mixed(key.span_class, key.type + 64ULL * key.outer_type), key.key);
  return static_cast<std::size_t>(mixed(h, key.kind + (std::uint64_t{key.outer_key} << 32)));
}

void ShapeTable::begin(std::size_t classes) {
  shapes_.clear(), columns_.clear(), column_ids_.clear(), by_hash_.clear();
  tokens_ = 0;
  of_class_.assign(classes, {});
  last_of_class_.assign(classes, kNone);
}

std::uint32_t ShapeTable::find_or_add(std::uint32_t span_class, std::span<const ItemToken> tokens) {
  const auto fits = [&](std::uint32_t shape) {
    const ItemShape& s = shapes_[shape];
    return s.span_class == span_class && s.tokens.size() == tokens.size() &&
           (tokens.empty() || std::memcmp(s.tokens.data(), tokens.data(), tokens.size_bytes()) == 0);
  };
  std::uint32_t& last = last_of_class_[span_class];
  if (last != kNone && fits(last)) return last;
  std::uint64_t hash = span_class;
  for (const ItemToken& t : tokens)
    hash = mixed(hash, t.type + (std::uint64_t{t.key} << 8) + (std::uint64_t{t.kind} << 40));
  const auto [from, to] = by_hash_.equal_range(hash);
  for (auto at = from; at != to; ++at) {
    if (fits(at->second)) return last = at->second;
  }
  if (!add(span_class, {tokens.begin(), tokens.end()})) return kNone;
  last = static_cast<std::uint32_t>(shapes_.size() - 1);
  by_hash_.emplace(hash, last);
  return last;
}

bool ShapeTable::add(std::uint32_t span_class, std::vector<ItemToken> tokens) {
  if (tokens.size() > kShapeTokensMax || tokens_ + tokens.size() > kBlockTokensMax) return false;
  if (span_class >= of_class_.size()) return false;
  std::vector<std::uint32_t> columns;
  std::vector<std::pair<ColumnKey, ItemType>> fresh;
  std::uint32_t outer_type = 0, outer_key = 0;
  for (const ItemToken& t : tokens) {
    const bool opens = t.item() == ItemType::event || t.item() == ItemType::link;
    if (!t.inner()) outer_type = outer_key = 0;
    const ColumnKey key{span_class, t.type, t.key, t.kind, outer_type, outer_key};
    if (opens && !t.inner()) outer_type = t.type, outer_key = t.key;
    std::uint32_t id = kNone;
    if (const auto known = column_ids_.find(key); known != column_ids_.end()) id = known->second;
    for (std::size_t i = 0; i < fresh.size() && id == kNone; ++i) {
      if (fresh[i].first == key) id = static_cast<std::uint32_t>(columns_.size() + i);
    }
    if (id == kNone) {
      id = static_cast<std::uint32_t>(columns_.size() + fresh.size());
      fresh.emplace_back(key, t.item());
    }
    columns.push_back(id);
  }
  if (columns_.size() + fresh.size() > kBlockColumnsMax) return false;
  for (const auto& [key, type] : fresh) {
    column_ids_.emplace(key, static_cast<std::uint32_t>(columns_.size()));
    columns_.push_back(type);
  }
  tokens_ += tokens.size();
  const auto in_class = static_cast<std::uint32_t>(of_class_[span_class].size());
  of_class_[span_class].push_back(static_cast<std::uint32_t>(shapes_.size()));
  shapes_.push_back({span_class, in_class, std::move(tokens), std::move(columns)});
  return true;
}

}  // namespace honeylink::telemetry::store
