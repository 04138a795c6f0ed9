// Follows the chain entry by entry and notes where it breaks. Used by the verifier only; one pass, one owner.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "audit/epoch_key.h"
#include "audit/verify.h"

namespace honeylink::telemetry::audit {

class Chain {
 public:
  explicit Chain(Verification& to) : to_(to) {}
  void expect(const Anchor& anchor);  // before the first line
  void begin_file(const std::string& name) { file_ = name, in_file_ = 0; }
  void take(std::string_view line, std::uint64_t number);
  void find(Fault fault, std::uint64_t seq, std::string what);
  /// After the last line.
  void judge_anchors();
  [[nodiscard]] const std::optional<PublicKey>& key() const noexcept { return key_; }
  [[nodiscard]] std::uint64_t epoch() const noexcept { return epoch_; }

 private:
  void begin(const Entry& entry);
  void check_place(const Entry& entry);
  void check_key(const Entry& entry);
  void check_time(const Entry& entry);
  Verification& to_;
  std::string file_;
  std::uint64_t line_ = 0, in_file_ = 0, epoch_ = 0, pruned_up_to_ = 0;
  std::optional<PublicKey> key_, next_key_;
  Hash prev_{};
  bool any_ = false;
  struct Waiting {
    Anchor anchor;
    bool holds = false, contradicted = false;
  };
  std::vector<Waiting> anchors_;
  std::multimap<std::uint64_t, std::size_t> by_seq_;
};

}  // namespace honeylink::telemetry::audit
