// The members of a baggage while it is read or changed; inside of baggage.cc and propagation.cc. On the stack of one
// thread.
#pragma once
#include <array>
#include <cstddef>
#include <string_view>

#include "honeylink/context.h"

namespace honeylink::telemetry::internal {

/// `value` is in the header's form, or, where `plain`, still to be encoded.
struct BaggageMember {
  std::string_view name, value, metadata;
  bool plain = false;
  bool checked = false;  // its invalid UTF-8 is counted already
};

/// Views into texts that must outlive it. Never more than kBaggageMembersMax members and kBaggageBytesMax characters,
/// names unique.
class BaggageMembers {
 public:
  /// The members of one header; what is malformed or over a limit is left out whole and counted. Of two equal names the
  /// last wins.
  void add_header(std::string_view header) noexcept;
  void add_all_but(const Baggage& baggage, std::string_view name) noexcept;
  /// In the place of the one of that name, or at the end. False: over a limit, nothing is changed.
  [[nodiscard]] bool put(const BaggageMember& member) noexcept;
  [[nodiscard]] bool changed() const noexcept { return changed_; }
  /// The list as a value; empty where there is nothing in it, or no memory.
  [[nodiscard]] Baggage build() const noexcept;

 private:
  [[nodiscard]] bool add_text(std::string_view text) noexcept;
  std::array<BaggageMember, kBaggageMembersMax> members_;
  std::size_t size_ = 0, bytes_ = 0;  // of the header's text, without commas
  bool changed_ = false;
};

/// `so_far` and one header more.
[[nodiscard]] Baggage join_baggage(const Baggage& so_far, std::string_view header) noexcept;

}  // namespace honeylink::telemetry::internal
