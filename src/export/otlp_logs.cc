// See otlp_logs.h. The only file that parses JSON here: the header of the library is heavy.
#include "export/otlp_logs.h"

#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <protozero/pbf_builder.hpp>

#include "base/text.h"
#include "export/otlp_fields.h"

namespace honeylink::telemetry::exporting {
namespace {

using Json = nlohmann::ordered_json;
using protozero::pbf_builder;
using protozero::pbf_writer;

constexpr std::array<std::string_view, 6> kLevels{"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"};

// OpenTelemetry severity numbers: the first of each level's four.
int severity_of(std::string_view level) noexcept {
  for (std::size_t i = 0; i < kLevels.size(); ++i)
    if (kLevels[i] == level) return static_cast<int>(4 * i + 1);
  return 0;
}

std::string text_of(const Json& line, const char* member) {
  const auto found = line.find(member);
  return found != line.end() && found->is_string() ? found->get<std::string>() : std::string();
}

void put_value(pbf_builder<otlp::AnyValue>& to, const Json& value) {
  if (value.is_boolean()) return to.add_bool(otlp::AnyValue::bool_value, value.get<bool>());
  if (value.is_number_integer()) return to.add_int64(otlp::AnyValue::int_value, value.get<std::int64_t>());
  if (value.is_number()) return to.add_double(otlp::AnyValue::double_value, value.get<double>());
  if (value.is_string()) return to.add_string(otlp::AnyValue::string_value, value.get_ref<const std::string&>());
  if (!value.is_array()) return;
  pbf_builder<otlp::ArrayValue> array(to, otlp::AnyValue::array_value);
  for (const Json& element : value) {
    pbf_builder<otlp::AnyValue> any(array, otlp::ArrayValue::values);
    if (!element.is_array()) put_value(any, element);
  }
}

template <std::size_t N>
bool read_id(const Json& line, const char* member, std::array<std::uint8_t, N>& id) {
  const std::string text = text_of(line, member);
  return text.size() == 2 * N && unhex(text, id);
}

void put_ids(pbf_builder<otlp::LogRecord>& record, const Json& line) {
  std::array<std::uint8_t, 16> trace{};
  std::array<std::uint8_t, 8> span{};
  if (!read_id(line, "trace_id", trace)) return;
  record.add_bytes(otlp::LogRecord::trace_id, reinterpret_cast<const char*>(trace.data()), trace.size());
  if (!read_id(line, "span_id", span)) return;
  record.add_bytes(otlp::LogRecord::span_id, reinterpret_cast<const char*>(span.data()), span.size());
}

void put_fields(pbf_builder<otlp::LogRecord>& record, const Json& line) {
  const auto fields = line.find("fields");
  if (fields == line.end() || !fields->is_object()) return;
  for (const auto& [key, value] : fields->items()) {
    if (key.empty()) continue;
    pbf_builder<otlp::KeyValue> pair(record, otlp::LogRecord::attributes);
    pair.add_string(otlp::KeyValue::key, key);
    pbf_builder<otlp::AnyValue> any(pair, otlp::KeyValue::value);
    put_value(any, value);
  }
}

// The message where there is one; the event's name is a field of its own, and stands for a body where nothing else
// does.
void put_body(pbf_builder<otlp::LogRecord>& record, const std::string& message, const std::string& event) {
  pbf_builder<otlp::AnyValue> body(record, otlp::LogRecord::body);
  body.add_string(otlp::AnyValue::string_value, message.empty() ? event : message);
}

Recorder recorder_of(const Json& line) {
  Recorder recorder;
  recorder.resource.service_name = text_of(line, "service");
  recorder.resource.service_version = text_of(line, "version");
  recorder.resource.module = text_of(line, "module");
  recorder.resource.environment = text_of(line, "environment");
  return recorder;
}

std::uint64_t key_of(std::map<std::string, std::uint64_t>& keys, const std::string& text) {
  return keys.try_emplace(text, keys.size()).first->second;
}

}  // namespace

bool LogRequest::add(std::string_view text, std::int64_t observed_unix_ns) try {
  const Json line = Json::parse(text, nullptr, false);
  if (!line.is_object()) return false;
  const std::string time = text_of(line, "time_unix_nano"), event = text_of(line, "event");
  std::uint64_t unix_ns = 0;
  const auto [end, error] = std::from_chars(time.data(), time.data() + time.size(), unix_ns);
  if (time.empty() || error != std::errc{} || end != time.data() + time.size() || event.empty()) return false;
  const Recorder recorder = recorder_of(line);
  const ResourceInfo& r = recorder.resource;
  const ScopeInfo scope{text_of(line, "scope"), {}, {}};
  constexpr char kBetween = '\x1f';
  const std::string who =
      r.service_name + kBetween + r.service_version + kBetween + r.module + kBetween + r.environment;
  std::string& bytes =
      groups_.items_of(key_of(keys_, who), key_of(keys_, "scope" + (kBetween + scope.name)), recorder, &scope);
  const std::size_t before = bytes.size();
  {
    pbf_builder<otlp::ScopeItems> items(bytes);
    pbf_builder<otlp::LogRecord> record(items, otlp::ScopeItems::items);
    record.add_fixed64(otlp::LogRecord::time_unix_nano, unix_ns);
    record.add_fixed64(otlp::LogRecord::observed_time_unix_nano, static_cast<std::uint64_t>(observed_unix_ns));
    const std::string level = text_of(line, "level");
    if (const int severity = severity_of(level); severity != 0) {
      record.add_enum(otlp::LogRecord::severity_number, severity);
      record.add_string(otlp::LogRecord::severity_text, level);
    }
    record.add_string(otlp::LogRecord::event_name, event);
    put_body(record, text_of(line, "message"), event);
    put_fields(record, line);
    if (const auto dropped = line.find("dropped_attributes"); dropped != line.end() && dropped->is_number_unsigned())
      record.add_uint32(otlp::LogRecord::dropped_attributes_count, dropped->get<std::uint32_t>());
    put_ids(record, line);
  }
  groups_.added(bytes.size() - before);
  return true;
} catch (const Json::exception&) { return false; }

std::string LogRequest::finish() {
  keys_.clear();
  return groups_.finish();
}

}  // namespace honeylink::telemetry::exporting
