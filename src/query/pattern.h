// Regular expressions in time linear in the text: states are simulated side by side and nothing is ever tried again, so
// that no pattern and no log line can hang `logs --grep`. Literals, ., [a-z] [^…], \d \w \s and their capitals, ^ $, (
// ), |, * + ? {n,m}; bytes, with a code point of UTF-8 as its bytes; `(?i)` at the front ignores ASCII case. No
// back-references and no captures. A value; matches() of one Pattern from one thread at a time.
#pragma once
#include <bitset>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace honeylink::telemetry::query {

inline constexpr std::size_t kPatternBytesMax = 512;
inline constexpr std::size_t kPatternStatesMax =
    4096;  // what {n,m} may unfold to; a line of 1 KB costs 4 M steps at the worst

class Pattern {
 public:
  /// nullopt: `why` says what is wrong and where.
  [[nodiscard]] static std::optional<Pattern> compile(std::string_view text, std::string& why);
  /// Is there a match anywhere in the text?
  [[nodiscard]] bool matches(std::string_view text);

 private:
  friend class PatternCompiler;
  enum class Op : std::uint8_t { set, split, begin, end, accept };
  struct State {
    Op op = Op::accept;
    std::uint32_t next = 0, other = 0;  // `other`: split's second way
    std::uint32_t set = 0;              // of sets_
  };
  void add(std::vector<std::uint32_t>& list, std::uint32_t state, bool at_begin, bool at_end);

  std::vector<State> states_;
  std::vector<std::bitset<256>> sets_;
  std::vector<std::uint32_t> now_, then_, pending_;
  std::vector<std::uint64_t> seen_;  // per state: the step in which it was added last
  std::uint64_t step_ = 0;
  std::uint32_t start_ = 0;
  bool accepted_ = false;
};

}  // namespace honeylink::telemetry::query
