// The baggage header (W3C Baggage). Members are kept in the form in which they came or will be sent, beside the decoded
// values, so that a service that only passes baggage on sends the very characters that it received, and inject() has
// nothing to encode. Called by propagation.cc and through context.h. What must stay true: a header that we send is read
// back as the same pairs.
#include "record/baggage.h"

#include <algorithm>
#include <cstdint>

#include "record/context_text.h"
#include "record/count.h"
#include "record/percent.h"
#include "record/shared.h"

namespace honeylink::telemetry {
namespace internal {
namespace {

bool is_token(std::string_view text) noexcept {  // RFC 9110 §5.6.2
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return is_digit(c) || is_lower(lower(c)) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

bool is_encoded_value(std::string_view text) noexcept { return std::ranges::all_of(text, is_baggage_octet); }

bool is_metadata(std::string_view text) noexcept {
  while (!text.empty()) {
    std::string_view property = take_until(text, ';');
    const std::string_view key = trim(take_until(property, '='));
    if (!is_token(key) || !is_encoded_value(trim(property))) return false;
  }
  return true;
}

std::size_t encoded_bytes(const BaggageMember& member) noexcept {
  bool invalid = false;
  const std::size_t value = member.plain ? percent_encoded_bytes(member.value, invalid) : member.value.size();
  return member.name.size() + 1 + value + (member.metadata.empty() ? 0 : member.metadata.size() + 1);
}

BaggageMember member_of(const Shared& shared, std::size_t i) noexcept {
  const SharedPair& pair = shared.pair()[i];
  std::size_t end = i + 1 < shared.pairs ? shared.pair()[i + 1].name_at - std::size_t{1} : shared.header_bytes;
  if (pair.metadata_bytes != 0) end = pair.metadata_at - std::size_t{1};
  const std::size_t value_at = std::size_t{pair.name_at} + pair.name_bytes + 1;
  return {{shared.text() + pair.name_at, pair.name_bytes},
          {shared.text() + value_at, end - value_at},
          {shared.text() + pair.metadata_at, pair.metadata_bytes},
          false,
          true};
}

}  // namespace

void BaggageMembers::add_header(std::string_view header) noexcept {
  while (!header.empty()) {
    const std::string_view text = trim(take_until(header, ','));
    if (!text.empty() && !add_text(text)) count(ProcessCounter::baggage_refused);
  }
}

bool BaggageMembers::add_text(std::string_view text) noexcept {
  const std::size_t semicolon = text.find(';');
  const std::string_view metadata =
      semicolon == std::string_view::npos ? std::string_view() : trim(text.substr(semicolon + 1));
  std::string_view value = text.substr(0, semicolon);
  if (value.find('=') == std::string_view::npos) return false;
  const std::string_view name = trim(take_until(value, '='));
  value = trim(value);
  return is_token(name) && is_encoded_value(value) && is_metadata(metadata) && put({name, value, metadata});
}

void BaggageMembers::add_all_but(const Baggage& baggage, std::string_view name) noexcept {
  const Shared* const shared = ContextAccess::shared(baggage);
  for (std::size_t i = 0; shared != nullptr && i < shared->pairs; ++i) {
    const BaggageMember member = member_of(*shared, i);
    if (member.name != name && !put(member)) count(ProcessCounter::baggage_refused);
  }
  changed_ = false;
}

bool BaggageMembers::put(const BaggageMember& member) noexcept {
  // Before encoded_bytes() looks at every character: encoded it is not shorter.
  if (member.value.size() > kBaggageBytesMax) return false;
  const auto end = members_.begin() + static_cast<std::ptrdiff_t>(size_);
  const auto place = std::find_if(members_.begin(), end, [&](const BaggageMember& m) { return m.name == member.name; });
  const bool is_new = place == end;
  if (is_new && size_ == members_.size()) return false;
  const std::size_t bytes = bytes_ + encoded_bytes(member) - (is_new ? 0 : encoded_bytes(*place));
  const std::size_t size = size_ + (is_new ? 1 : 0);
  if (bytes + (size - 1) > kBaggageBytesMax) return false;
  *place = member;
  size_ = size;
  bytes_ = bytes;
  changed_ = true;
  return true;
}

Baggage BaggageMembers::build() const noexcept {
  if (size_ == 0) return {};
  std::size_t values_bytes = 0;
  for (std::size_t i = 0; i < size_; ++i) values_bytes += encoded_bytes(members_[i]);
  const std::size_t header_bytes = bytes_ + size_ - 1;
  Shared* const shared = shared_allocate(size_, header_bytes + values_bytes);
  if (shared == nullptr) return {};
  shared->header_bytes = static_cast<std::uint32_t>(header_bytes);
  char* const text = shared->text();
  char* to = text;
  char* decoded = text + header_bytes;
  const auto at = [text](const char* position) { return static_cast<std::uint16_t>(position - text); };
  const auto append = [&to, &at](std::string_view part) {
    const std::uint16_t start = at(to);
    to = std::ranges::copy(part, to).out;
    return start;
  };
  for (std::size_t i = 0; i < size_; ++i) {
    const BaggageMember& member = members_[i];
    SharedPair& pair = shared->pair()[i];
    if (i > 0) *to++ = ',';
    pair.name_at = append(member.name);
    pair.name_bytes = static_cast<std::uint16_t>(member.name.size());
    *to++ = '=';
    const char* const value = to;
    bool invalid = false;
    if (member.plain) static_cast<void>(percent_encoded_bytes(member.value, invalid));
    to = member.plain ? percent_encode(member.value, to) : std::ranges::copy(member.value, to).out;
    const std::string_view encoded(value, static_cast<std::size_t>(to - value));
    char* const decoded_end = percent_decode(encoded, decoded, invalid);
    pair.value_at = at(decoded);
    pair.value_bytes = static_cast<std::uint16_t>(decoded_end - decoded);
    decoded = decoded_end;
    if (invalid && !member.checked) count(ProcessCounter::invalid_utf8);
    if (!member.metadata.empty()) *to++ = ';';
    pair.metadata_at = append(member.metadata);
    pair.metadata_bytes = static_cast<std::uint16_t>(member.metadata.size());
  }
  return ContextAccess::baggage(shared);
}

Baggage join_baggage(const Baggage& so_far, std::string_view header) noexcept {
  BaggageMembers members;
  members.add_all_but(so_far, {});
  members.add_header(header);
  return members.changed() ? members.build() : so_far;
}

}  // namespace internal

std::string_view Baggage::get(std::string_view name) const noexcept {
  for (std::size_t i = 0; i < size(); ++i) {
    const Pair pair = at(i);
    if (pair.name == name) return pair.value;
  }
  return {};
}

Baggage Baggage::set(std::string_view name, std::string_view value, std::string_view metadata) const noexcept {
  metadata = internal::trim(metadata);
  internal::BaggageMembers members;
  members.add_all_but(*this, {});
  if (!internal::is_token(name) || !internal::is_metadata(metadata) || !members.put({name, value, metadata, true})) {
    internal::count(ProcessCounter::baggage_refused);
    return *this;
  }
  Baggage next = members.build();
  return next.size() == 0 ? *this : next;
}

Baggage Baggage::erase(std::string_view name) const noexcept {
  internal::BaggageMembers members;
  members.add_all_but(*this, name);
  return members.build();
}

std::size_t Baggage::size() const noexcept { return pairs_.get() == nullptr ? 0 : pairs_.get()->pairs; }

Baggage::Pair Baggage::at(std::size_t i) const noexcept {
  const internal::Shared& shared = *pairs_.get();
  const internal::SharedPair& pair = shared.pair()[i];
  const char* const text = shared.text();
  return {{text + pair.name_at, pair.name_bytes},
          {text + pair.value_at, pair.value_bytes},
          {text + pair.metadata_at, pair.metadata_bytes}};
}

}  // namespace honeylink::telemetry
