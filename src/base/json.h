// JSON, out and in, as far as this product needs it: a writer for every `--json` and for what is sent, and a reader for
// lines of our own files. Values; one thread each.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace honeylink::telemetry {

/// With the quotes (base/text.h: append_json_string).
[[nodiscard]] std::string json_string(std::string_view text);
/// The shortest text that reads back as the same double; null where JSON has no number for it.
[[nodiscard]] std::string json_number(double value);

/// Builds one document. Commas are its business; that begin and end match is the caller's.
class JsonWriter {
 public:
  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& end_array() { return close(']'); }
  JsonWriter& key(std::string_view name);
  JsonWriter& text(std::string_view value);
  JsonWriter& integer(std::int64_t value) { return raw(std::to_string(value)); }
  JsonWriter& count(std::uint64_t value) { return raw(std::to_string(value)); }
  JsonWriter& real(double value) { return raw(json_number(value)); }
  JsonWriter& boolean(bool value) { return raw(value ? "true" : "false"); }
  JsonWriter& null() { return raw("null"); }
  JsonWriter& raw(std::string_view json);  // a whole value that is JSON already
  [[nodiscard]] const std::string& str() const noexcept { return out_; }

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  void separate();
  std::string out_;
  bool comma_ = false;
};

/// A member of an object: its name and its value as it stands in the text.
using JsonMember = std::pair<std::string, std::string_view>;
/// Splits one object into its members. False where the text is not one whole JSON object (at most 64 levels deep).
bool read_json_object(std::string_view text, std::vector<JsonMember>& members);
/// The text of a string value, escapes undone; any other value as it stands.
[[nodiscard]] std::string json_text_of(std::string_view value);

}  // namespace honeylink::telemetry
