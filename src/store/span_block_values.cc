// See span_block_values.h.
#include "store/span_block_values.h"

#include <algorithm>

#include "base/coding.h"
#include "base/crc32c.h"
#include "store/bytes.h"

namespace honeylink::telemetry::store {

std::uint32_t SpanValues::add(std::string_view value) {
  if (value.size() < kValueBytesMin || value.size() > kValueBytesMax || ids_.size() >= kValuesMax ||
      bytes_ + value.size() > kBytesMax || next_ == UINT32_MAX)
    return 0;
  const auto [at, is_new] = ids_.try_emplace(std::string(value), next_);
  if (is_new) {
    fresh_.emplace_back(next_++, at->first);
    bytes_ += value.size();
  }
  return at->second;
}

void SpanValues::load(std::uint32_t id, std::string_view value) {
  next_ = std::max(next_, id == UINT32_MAX ? id : id + 1);
  if (id < epoch_ || value.size() < kValueBytesMin || ids_.size() >= kValuesMax) return;
  if (ids_.try_emplace(std::string(value), id).second) bytes_ += value.size();
}

void SpanValues::begin_block() {
  if (ids_.size() < kValuesMax - kValuesMax / 8 && bytes_ < kBytesMax - kBytesMax / 8) return;
  if (!fresh_.empty()) return;  // an earlier block of the same transaction still needs them
  ids_.clear();
  bytes_ = 0;
  epoch_ = next_;
}

void SpanValues::clear() noexcept {
  fresh_.clear();
  ids_.clear();
  bytes_ = 0;
  next_ = epoch_ = 1;
}

std::string pack_value(std::string_view value) {
  std::string row;
  put_fixed(row, crc32c(value.data(), value.size()));
  return row.append(value);
}

bool unpack_value(std::span<const std::uint8_t> row, std::string_view& value) noexcept {
  Decoder in(as_text(row));
  const auto crc = in.fixed<std::uint32_t>();
  value = in.rest();
  return in.ok() && crc == crc32c(value.data(), value.size());
}

}  // namespace honeylink::telemetry::store
