// Regular expressions in linear time: see pattern.h. Thompson's construction ("Regular Expression Search Algorithm",
// 1968), compiled by recursive descent over at most kPatternBytesMax bytes.
#include "query/pattern.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace honeylink::telemetry::query {

/// One compilation. Fragments are built from syntax nodes, so that {n,m} can emit its operand several times.
class PatternCompiler {
 public:
  PatternCompiler(std::string_view text, Pattern& pattern) : text_(text), pattern_(pattern) {}

  bool run(std::string& why) {
    if (text_.substr(0, 4) == "(?i)") ignore_case_ = true, at_ = 4;
    const std::uint32_t root = alternatives(0);
    if (why_.empty() && at_ < text_.size()) fail("')' without '('");
    if (why_.empty()) {
      const std::uint32_t accept = state({Pattern::Op::accept, 0, 0, 0});
      pattern_.start_ = emit(root, accept);
    }
    if (why_.empty()) return true;
    why = why_ + " at character " + std::to_string(at_ + 1);
    return false;
  }

 private:
  enum class Kind : std::uint8_t { empty, set, begin, end, sequence, choice, repeat };
  struct Node {
    Kind kind = Kind::empty;
    std::uint32_t set = 0;
    std::uint32_t left = 0, right = 0;
    unsigned least = 0, most = 0;  // repeat; most 0: no end
  };
  static constexpr unsigned kRepeatMax = 256;
  static constexpr int kDepthMax = 64;

  [[nodiscard]] bool more() const noexcept { return why_.empty() && at_ < text_.size(); }
  void fail(std::string why) {
    if (why_.empty()) why_ = std::move(why);
  }
  std::uint32_t node(Node n) {
    nodes_.push_back(n);
    return static_cast<std::uint32_t>(nodes_.size() - 1);
  }
  std::uint32_t state(Pattern::State s) {
    if (pattern_.states_.size() >= kPatternStatesMax) fail("the pattern is too large");
    pattern_.states_.push_back(s);
    return static_cast<std::uint32_t>(pattern_.states_.size() - 1);
  }
  std::uint32_t set_node(std::bitset<256> set) {
    if (ignore_case_) {
      for (std::size_t c = 'a'; c <= 'z'; ++c) {
        const bool either = set[c] || set[c - 32];
        set[c] = set[c - 32] = either;
      }
    }
    pattern_.sets_.push_back(set);
    return node({Kind::set, static_cast<std::uint32_t>(pattern_.sets_.size() - 1), 0, 0, 0, 0});
  }

  std::uint32_t alternatives(int depth) {
    if (depth > kDepthMax) return fail("too many parentheses"), node({});
    std::uint32_t left = sequence(depth);
    while (more() && text_[at_] == '|') {
      ++at_;
      const std::uint32_t right = sequence(depth);
      left = node({Kind::choice, 0, left, right, 0, 0});
    }
    return left;
  }

  std::uint32_t sequence(int depth) {
    std::uint32_t left = node({});
    while (more() && text_[at_] != '|' && text_[at_] != ')') {
      const std::uint32_t right = repeated(depth);
      left = node({Kind::sequence, 0, left, right, 0, 0});
    }
    return left;
  }

  std::uint32_t repeated(int depth) {
    std::uint32_t inner = atom(depth);
    while (more()) {
      const char c = text_[at_];
      Node repeat{Kind::repeat, 0, inner, 0, 0, 0};
      if (c == '*') ++at_;
      else if (c == '+') ++at_, repeat.least = 1;
      else if (c == '?') ++at_, repeat.most = 1;
      else if (c != '{' || !bounds(repeat)) break;
      inner = node(repeat);
    }
    return inner;
  }

  /// {n}, {n,}, {n,m}. Anything else is a literal brace.
  bool bounds(Node& repeat) {
    const std::size_t close = text_.find('}', at_);
    if (close == std::string_view::npos) return false;
    const std::string_view inside = text_.substr(at_ + 1, close - at_ - 1);
    const std::size_t comma = inside.find(',');
    const auto number = [](std::string_view digits, unsigned& value) {
      const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
      return error == std::errc{} && end == digits.data() + digits.size();
    };
    if (!number(inside.substr(0, comma), repeat.least)) return false;
    if (comma == std::string_view::npos) repeat.most = repeat.least;
    else if (comma + 1 < inside.size() && !number(inside.substr(comma + 1), repeat.most)) return false;
    const bool endless = comma != std::string_view::npos && comma + 1 == inside.size();
    if (repeat.least > kRepeatMax || repeat.most > kRepeatMax) fail("a repetition over 256");
    if (!endless && repeat.most < repeat.least) fail("a repetition whose end is below its beginning");
    if (!endless && repeat.most == 0) fail("a repetition of nothing");
    at_ = close + 1;
    return true;
  }

  std::uint32_t atom(int depth) {
    const char c = text_[at_++];
    switch (c) {
      case '(': {
        const std::uint32_t inner = alternatives(depth + 1);
        if (!more() || text_[at_] != ')') fail("'(' without ')'");
        ++at_;
        return inner;
      }
      case '^':
        return node({Kind::begin, 0, 0, 0, 0, 0});
      case '$':
        return node({Kind::end, 0, 0, 0, 0, 0});
      case '.':
        return set_node(std::bitset<256>{}.set());
      case '[':
        return bracket();
      case '*':
      case '+':
      case '?':
        return --at_, fail("nothing to repeat"), node({});
      case '\\':
        return set_node(escape());
      default: {
        std::bitset<256> one;
        one.set(static_cast<unsigned char>(c));
        return set_node(one);
      }
    }
  }

  std::bitset<256> escape() {
    std::bitset<256> set;
    if (at_ >= text_.size()) return fail("a backslash at the end"), set;
    const char c = text_[at_++];
    const auto range = [&set](char a, char b) {
      for (int i = a; i <= b; ++i) set.set(static_cast<std::size_t>(i));
    };
    switch (c) {
      case 'd':
      case 'D':
        range('0', '9');
        break;
      case 'w':
      case 'W':
        range('0', '9'), range('a', 'z'), range('A', 'Z'), set.set('_');
        break;
      case 's':
      case 'S':
        range('\t', '\r'), set.set(' ');
        break;
      case 'n':
        set.set('\n');
        break;
      case 't':
        set.set('\t');
        break;
      default:
        set.set(static_cast<unsigned char>(c));
    }
    return c == 'D' || c == 'W' || c == 'S' ? ~set : set;
  }

  std::uint32_t bracket() {
    std::bitset<256> set;
    const bool negated = at_ < text_.size() && text_[at_] == '^';
    if (negated) ++at_;
    for (bool first = true; why_.empty(); first = false) {
      if (at_ >= text_.size()) return fail("'[' without ']'"), node({});
      if (text_[at_] == ']' && !first) break;
      if (text_[at_] == '\\') {
        ++at_;
        set |= escape();
        continue;
      }
      const auto low = static_cast<unsigned char>(text_[at_++]);
      auto high = low;
      if (at_ + 1 < text_.size() && text_[at_] == '-' && text_[at_ + 1] != ']')
        high = static_cast<unsigned char>(text_[at_ + 1]), at_ += 2;
      if (high < low) return fail("a range that runs backwards"), node({});
      for (std::size_t i = low; i <= high; ++i) set.set(i);
    }
    ++at_;
    return set_node(negated ? ~set : set);
  }

  /// The state that begins `n` and goes on to `next`.
  std::uint32_t emit(std::uint32_t n, std::uint32_t next) {
    if (!why_.empty()) return next;
    const Node at = nodes_[n];
    switch (at.kind) {
      case Kind::empty:
        return next;
      case Kind::set:
        return state({Pattern::Op::set, next, 0, at.set});
      case Kind::begin:
        return state({Pattern::Op::begin, next, 0, 0});
      case Kind::end:
        return state({Pattern::Op::end, next, 0, 0});
      case Kind::sequence:
        return emit(at.left, emit(at.right, next));
      case Kind::choice: {
        const std::uint32_t left = emit(at.left, next);
        return state({Pattern::Op::split, left, emit(at.right, next), 0});
      }
      case Kind::repeat:
        return emit_repeat(at, next);
    }
    return next;
  }

  std::uint32_t emit_repeat(const Node& at, std::uint32_t next) {
    std::uint32_t tail = next;
    if (at.most == 0) {
      tail = state({Pattern::Op::split, next, next, 0});
      if (!why_.empty()) return next;
      const std::uint32_t body = emit(at.left, tail);
      pattern_.states_[tail].next = body;
    } else {
      for (unsigned i = at.least; i < at.most && why_.empty(); ++i) {
        const std::uint32_t body = emit(at.left, tail);
        tail = state({Pattern::Op::split, body, next, 0});
      }
    }
    for (unsigned i = 0; i < at.least && why_.empty(); ++i) tail = emit(at.left, tail);
    return tail;
  }

  std::string_view text_;
  Pattern& pattern_;
  std::vector<Node> nodes_;
  std::string why_;
  std::size_t at_ = 0;
  bool ignore_case_ = false;
};

std::optional<Pattern> Pattern::compile(std::string_view text, std::string& why) {
  if (text.size() > kPatternBytesMax) {
    why = "a pattern of more than 512 bytes";
    return std::nullopt;
  }
  Pattern pattern;
  if (!PatternCompiler(text, pattern).run(why)) return std::nullopt;
  pattern.seen_.assign(pattern.states_.size(), 0);
  return pattern;
}

void Pattern::add(std::vector<std::uint32_t>& list, std::uint32_t state, bool at_begin, bool at_end) {
  pending_.assign(1, state);
  while (!pending_.empty()) {
    const std::uint32_t index = pending_.back();
    pending_.pop_back();
    if (seen_[index] == step_) continue;
    seen_[index] = step_;
    const State& s = states_[index];
    switch (s.op) {
      case Op::set:
        list.push_back(index);
        break;
      case Op::split:
        pending_.push_back(s.other), pending_.push_back(s.next);
        break;
      case Op::begin:
        if (at_begin) pending_.push_back(s.next);
        break;
      case Op::end:
        if (at_end) pending_.push_back(s.next);
        break;
      case Op::accept:
        accepted_ = true;
        break;
    }
  }
}

bool Pattern::matches(std::string_view text) {
  now_.clear();
  accepted_ = false;
  for (std::size_t at = 0; at <= text.size(); ++at) {
    ++step_;
    then_.swap(now_);
    now_.clear();
    if (at > 0) {
      const auto byte = static_cast<unsigned char>(text[at - 1]);
      for (const std::uint32_t index : then_) {
        if (sets_[states_[index].set][byte]) add(now_, states_[index].next, false, at == text.size());
      }
    }
    add(now_, start_, at == 0, at == text.size());
    if (accepted_) return true;
  }
  return false;
}

}  // namespace honeylink::telemetry::query
