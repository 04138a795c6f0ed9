// JSON out and in: see json.h. RFC 8259.
#include "base/json.h"

#include <array>
#include <cctype>
#include <charconv>
#include <cmath>

#include "base/text.h"

namespace honeylink::telemetry {
namespace {

constexpr int kDepthMax = 64;

/// Walks over one value of a document and remembers nothing but where it ended.
class Scanner {
 public:
  explicit Scanner(std::string_view text) noexcept : text_(text) {}
  [[nodiscard]] std::size_t at() const noexcept { return at_; }
  [[nodiscard]] bool at_end() noexcept { return skip_space(), at_ == text_.size(); }

  bool take(char c) noexcept {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool peek(char c) noexcept { return skip_space(), at_ < text_.size() && text_[at_] == c; }

  bool string() noexcept {
    if (!take('"')) return false;
    for (; at_ < text_.size(); ++at_) {
      if (text_[at_] == '"') return ++at_, true;
      if (static_cast<unsigned char>(text_[at_]) < 0x20) return false;
      if (text_[at_] == '\\' && !escape()) return false;
    }
    return false;
  }

  bool value(int depth) noexcept {
    skip_space();
    if (depth > kDepthMax || at_ >= text_.size()) return false;
    switch (text_[at_]) {
      case '"':
        return string();
      case '{':
        return members('{', '}', depth);
      case '[':
        return members('[', ']', depth);
      default:
        return word();
    }
  }

  void skip_space() noexcept {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\r' || text_[at_] == '\n'))
      ++at_;
  }

 private:
  bool members(char open, char close, int depth) noexcept {
    if (!take(open)) return false;
    if (take(close)) return true;
    do {
      if (open == '{' && (!string() || !take(':'))) return false;
      if (!value(depth + 1)) return false;
    } while (take(','));
    return take(close);
  }
  /// Moves to the last character of an escape. What is let through here is passed on to other programs as it stands.
  bool escape() noexcept {
    const char kind = ++at_ < text_.size() ? text_[at_] : '\0';
    if (kind != 'u') return kind != '\0' && std::string_view("\"\\/bfnrt").find(kind) != std::string_view::npos;
    for (int i = 0; i < 4; ++i) {
      if (++at_ >= text_.size() || std::isxdigit(static_cast<unsigned char>(text_[at_])) == 0) return false;
    }
    return true;
  }
  std::size_t digits() noexcept {
    const std::size_t first = at_;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') ++at_;
    return at_ - first;
  }
  bool letter(char c) noexcept { return at_ < text_.size() && text_[at_] == c && ++at_ != 0; }
  bool word() noexcept {
    for (const std::string_view name : {"true", "false", "null"}) {
      if (text_.substr(at_).starts_with(name)) return at_ += name.size(), true;
    }
    letter('-');
    if (!letter('0') && digits() == 0) return false;
    if (letter('.') && digits() == 0) return false;
    if (!letter('e') && !letter('E')) return true;
    if (!letter('+')) letter('-');
    return digits() != 0;
  }
  std::string_view text_;
  std::size_t at_ = 0;
};

bool read_hex4(std::string_view text, std::size_t at, char32_t& value) noexcept {
  if (at + 4 > text.size()) return false;
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data() + at, text.data() + at + 4, number, 16);
  value = number;
  return error == std::errc{} && end == text.data() + at + 4;
}

}  // namespace

std::string json_string(std::string_view text) {
  std::string json;
  append_json_string(json, text);
  return json;
}

std::string json_number(double value) {
  if (!std::isfinite(value)) return "null";
  std::array<char, 40> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} ? std::string(text.data(), end) : "null";
}

void JsonWriter::separate() {
  if (comma_) out_ += ',';
  comma_ = true;
}

JsonWriter& JsonWriter::open(char bracket) {
  separate();
  out_ += bracket;
  comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::close(char bracket) {
  out_ += bracket;
  comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  append_json_string(out_, name);
  out_ += ':';
  comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::text(std::string_view value) {
  separate();
  append_json_string(out_, value);
  return *this;
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  separate();
  out_ += json;
  return *this;
}

bool read_json_object(std::string_view text, std::vector<JsonMember>& members) {
  members.clear();
  Scanner scan(text);
  if (!scan.take('{')) return false;
  if (scan.take('}')) return scan.at_end();
  do {
    scan.skip_space();
    const std::size_t name_at = scan.at();
    if (!scan.string()) return false;
    const std::string_view name = text.substr(name_at, scan.at() - name_at);
    if (!scan.take(':')) return false;
    scan.skip_space();
    const std::size_t value_at = scan.at();
    if (!scan.value(1)) return false;
    members.emplace_back(json_text_of(name), text.substr(value_at, scan.at() - value_at));
  } while (scan.take(','));
  return scan.take('}') && scan.at_end();
}

std::string json_text_of(std::string_view value) {
  if (value.size() < 2 || value.front() != '"') return std::string(value);
  value = value.substr(1, value.size() - 2);
  std::string text;
  text.reserve(value.size());
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] != '\\' || i + 1 >= value.size()) {
      text += value[i];
      continue;
    }
    const char kind = value[++i];
    char32_t point = 0, low = 0;
    switch (kind) {
      case 'n':
        text += '\n';
        break;
      case 'r':
        text += '\r';
        break;
      case 't':
        text += '\t';
        break;
      case 'b':
        text += '\b';
        break;
      case 'f':
        text += '\f';
        break;
      case 'u':
        if (!read_hex4(value, i + 1, point)) break;
        i += 4;
        if (point >= 0xd800 && point < 0xdc00 && value.substr(i + 1, 2) == "\\u" && read_hex4(value, i + 3, low) &&
            low >= 0xdc00 && low < 0xe000) {
          point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
          i += 6;
        }
        append_utf8(text, point >= 0xd800 && point <= 0xdfff ? 0xfffd : point);
        break;
      default:
        text += kind;
    }
  }
  return text;
}

}  // namespace honeylink::telemetry
