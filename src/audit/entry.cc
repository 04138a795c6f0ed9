// See entry.h.
#include "audit/entry.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/json.h"
#include "base/text.h"
#include "base/utc.h"

namespace honeylink::telemetry::audit {
namespace {

constexpr std::string_view kSignature = ",\"sig\":";
constexpr std::array<std::string_view, 3> kResults{"ok", "refused", "failed"};
constexpr std::size_t kContextMax = 32;

std::string unsigned_part(const Entry& e) {
  JsonWriter json;
  json.begin_object().key("seq").count(e.seq).key("event_id").text(e.event_id);
  json.key("timestamp").text(format_utc(e.time_unix_ns)).key("time_unix_nano").text(std::to_string(e.time_unix_ns));
  json.key("event").text(e.event).key("actor").begin_object();
  json.key("uid").count(e.uid).key("pid").count(e.pid).key("program").text(e.program).end_object();
  json.key("context").begin_object();
  for (const auto& [key, value] : e.context) json.key(key).text(value);
  json.end_object().key("result").text(name_of(e.result)).key("epoch").count(e.epoch).key("prev").text(hex(e.prev));
  if (e.next_key) json.key("next_key").text(hex(*e.next_key));
  return json.str();
}

std::string whole_line(const Entry& e, const std::string& unsigned_text) {
  return unsigned_text + std::string(kSignature) + json_string(hex(e.signature)) + "}";
}

template <class Number>
bool read_number(std::string_view text, Number& to) noexcept {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), to);
  return error == std::errc{} && end == text.data() + text.size();
}

bool read_actor(std::string_view object, Entry& to) {
  std::vector<JsonMember> members;
  if (!read_json_object(object, members) || members.size() != 3) return false;
  to.program = json_text_of(members[2].second);
  return read_number(members[0].second, to.uid) && read_number(members[1].second, to.pid);
}

bool read_context(std::string_view object, Entry& to) {
  std::vector<JsonMember> members;
  if (!read_json_object(object, members) || members.size() > kContextMax) return false;
  for (const auto& [key, value] : members) to.context.emplace_back(key, json_text_of(value));
  return true;
}

bool read_member(const std::string& name, std::string_view value, Entry& to) {
  const std::string text = json_text_of(value);
  if (name == "seq") return read_number(value, to.seq);
  if (name == "event_id") return to.event_id = text, true;
  if (name == "timestamp") return true;  // written again from time_unix_nano and compared
  if (name == "time_unix_nano") return read_number(std::string_view(text), to.time_unix_ns);
  if (name == "event") return to.event = text, true;
  if (name == "actor") return read_actor(value, to);
  if (name == "context") return read_context(value, to);
  if (name == "epoch") return read_number(value, to.epoch);
  if (name == "prev") return unhex(text, to.prev);
  if (name == "next_key") return unhex(text, to.next_key.emplace());
  if (name == "sig") return unhex(text, to.signature);
  const auto at = std::find(kResults.begin(), kResults.end(), text);
  to.result = static_cast<Result>(at - kResults.begin());
  return name == "result" && at != kResults.end();
}

}  // namespace

std::string_view name_of(Result result) noexcept { return kResults[static_cast<std::size_t>(result)]; }

std::string_view Entry::of(std::string_view key) const noexcept {
  const auto at = std::find_if(context.begin(), context.end(), [&](const auto& pair) { return pair.first == key; });
  return at == context.end() ? std::string_view{} : std::string_view(at->second);
}

std::string write_entry(Entry& entry, const SigningKey& key) {
  const std::string text = unsigned_part(entry);
  entry.signature = key.sign(kEntryDomain, text);
  return whole_line(entry, text);
}

bool read_entry(std::string_view line, Entry& to, std::string& why) {
  to = Entry{};
  std::vector<JsonMember> members;
  if (line.size() > kLineBytesMax || !read_json_object(line, members)) return why = "it is no entry", false;
  for (const auto& [name, value] : members)
    if (!read_member(name, value, to)) return why = "its member " + name + " cannot be read", false;
  if (whole_line(to, unsigned_part(to)) != line) return why = "it is not as it was written", false;
  return true;
}

bool is_signed_by(const Entry& entry, const PublicKey& key) {
  return verify(key, kEntryDomain, unsigned_part(entry), entry.signature);
}

}  // namespace honeylink::telemetry::audit
