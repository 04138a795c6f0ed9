// The tracestate header (W3C Trace Context level 2, §3.3). The list is kept as the text that is sent: spaces around
// commas and empty members gone, at most 32 members, and 512 bytes once it is complete. Called by propagation.cc and
// through context.h. What must stay true: parse(x.header()).header() == x.header() for every TraceState x.
#include "record/trace_state.h"

#include <algorithm>

#include "record/context_text.h"
#include "record/count.h"
#include "record/shared.h"

namespace honeylink::telemetry {
namespace internal {
namespace {

constexpr std::size_t kKeyBytesMax = 256, kValueBytesMax = 256;
constexpr std::size_t kLargeMemberBytes = 128;  // over that a member goes first (§3.3.1.5)

constexpr bool is_key_character(char c) noexcept {
  return is_lower(c) || is_digit(c) || c == '_' || c == '-' || c == '*' || c == '/' || c == '@';
}

bool is_key(std::string_view key) noexcept {
  return !key.empty() && key.size() <= kKeyBytesMax && (is_lower(key[0]) || is_digit(key[0])) &&
         std::ranges::all_of(key, is_key_character);
}

bool is_value(std::string_view value) noexcept {
  return !value.empty() && value.size() <= kValueBytesMax && value.back() != ' ' &&
         std::ranges::all_of(value, [](char c) { return c >= 0x20 && c <= 0x7e && c != ',' && c != '='; });
}

bool is_member(TraceStateMember member) noexcept { return is_key(member.key) && is_value(member.value); }

// Of a member that is known to be well-formed; the whole text is the key where there is no '='.
TraceStateMember split(std::string_view member) noexcept {
  const std::string_view key = take_until(member, '=');
  return {key, member};
}

}  // namespace

bool TraceStateMembers::add_header(std::string_view header) noexcept {
  while (!header.empty()) {
    const std::string_view text = trim(take_until(header, ','));
    if (text.empty()) continue;
    const TraceStateMember member = split(text);
    if (!is_member(member) || !add(member)) return false;
  }
  return true;
}

bool TraceStateMembers::add(TraceStateMember member) noexcept {
  for (std::size_t i = 0; i < size_; ++i) {
    if (members_[i].key == member.key) return true;
  }
  if (size_ == members_.size()) return false;
  members_[size_++] = member;
  return true;
}

bool TraceStateMembers::fit(std::size_t bytes_max, std::size_t keep) noexcept {
  bool cut = false;
  while (size_ > keep && bytes() > bytes_max) {
    std::size_t victim = size_ - 1;
    for (std::size_t i = size_; i-- > keep;) {
      if (members_[i].bytes() > kLargeMemberBytes) {
        victim = i;
        break;
      }
    }
    std::copy(members_.begin() + static_cast<std::ptrdiff_t>(victim) + 1,
              members_.begin() + static_cast<std::ptrdiff_t>(size_),
              members_.begin() + static_cast<std::ptrdiff_t>(victim));
    --size_;
    cut = true;
  }
  return cut;
}

std::size_t TraceStateMembers::bytes() const noexcept {
  std::size_t bytes = size_ == 0 ? 0 : size_ - 1;  // commas
  for (std::size_t i = 0; i < size_; ++i) bytes += members_[i].bytes();
  return bytes;
}

TraceState TraceStateMembers::build() const noexcept {
  if (size_ == 0) return {};
  const std::size_t length = bytes();
  Shared* const shared = shared_allocate(0, length);
  if (shared == nullptr) return {};
  char* to = shared->text();
  for (std::size_t i = 0; i < size_; ++i) {
    if (i > 0) *to++ = ',';
    to = std::ranges::copy(members_[i].key, to).out;
    *to++ = '=';
    to = std::ranges::copy(members_[i].value, to).out;
  }
  shared->header_bytes = static_cast<std::uint32_t>(length);
  return ContextAccess::trace_state(shared);
}

bool join_trace_state(TraceState& so_far, std::string_view header) noexcept {
  TraceStateMembers members;
  if (!members.add_header(so_far.header())) return false;
  const std::size_t before = members.size();
  if (!members.add_header(header)) return false;
  if (members.size() != before) so_far = members.build();
  return true;
}

TraceState fit_trace_state(const TraceState& state) noexcept {
  if (state.header().size() <= kTraceStateBytesMax) return state;
  TraceStateMembers members;
  if (!members.add_header(state.header())) return {};
  members.fit(kTraceStateBytesMax, 0);
  count(ProcessCounter::trace_state_refused);
  return members.build();
}

}  // namespace internal

TraceState TraceState::parse(std::string_view header) noexcept {
  internal::TraceStateMembers members;
  const bool well_formed = members.add_header(header);
  if (!well_formed || members.fit(kTraceStateBytesMax, 0)) internal::count(ProcessCounter::trace_state_refused);
  return well_formed ? members.build() : TraceState();
}

std::string_view TraceState::get(std::string_view key) const noexcept {
  for (std::string_view rest = header(); !rest.empty();) {
    const internal::TraceStateMember member = internal::split(internal::take_until(rest, ','));
    if (member.key == key) return member.value;
  }
  return {};
}

TraceState TraceState::set(std::string_view key, std::string_view value) const noexcept {
  const internal::TraceStateMember changed{key, value};
  if (!internal::is_member(changed) || changed.bytes() > kTraceStateBytesMax) {
    internal::count(ProcessCounter::trace_state_refused);
    return *this;
  }
  internal::TraceStateMembers members;
  bool all = members.add(changed);
  for (std::string_view rest = header(); all && !rest.empty();)
    all = members.add(internal::split(internal::take_until(rest, ',')));
  // A full list loses its oldest member to the new one (§3.5).
  if (members.fit(kTraceStateBytesMax, 1) || !all) internal::count(ProcessCounter::trace_state_refused);
  TraceState next = members.build();
  return next.header().empty() ? *this : next;
}

TraceState TraceState::erase(std::string_view key) const noexcept {
  if (get(key).empty()) return *this;
  internal::TraceStateMembers members;
  for (std::string_view rest = header(); !rest.empty();) {
    const internal::TraceStateMember member = internal::split(internal::take_until(rest, ','));
    if (member.key != key && !members.add(member)) break;
  }
  return members.build();
}

std::string_view TraceState::header() const noexcept {
  const internal::Shared* const shared = state_.get();
  return shared == nullptr ? std::string_view() : shared->header();
}

}  // namespace honeylink::telemetry
