// See resource.h.
#include "record/resource.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/items.h"
#include "base/limits.h"
#include "base/text.h"
#include "record/items_writer.h"
#include "record/names.h"
#include "record/process.h"
#include "record/rings.h"

namespace honeylink::telemetry::internal {
namespace {

constexpr std::size_t kResourceBytesMax = 8192;
constinit std::uint8_t bytes[kResourceBytesMax]{};
constinit std::size_t size = 0;
constinit std::uint16_t items = 0;

void put(std::string_view key, std::string_view value) noexcept {
  if (value.empty() || size + text_bytes(value, kTextBytesMax) > kResourceBytesMax) return;
  const auto id = static_cast<std::uint16_t>(intern_text_locked(key));
  size = static_cast<std::size_t>(write_text(bytes + size, ItemType::text, id, value, kTextBytesMax) - bytes);
  ++items;
}

std::string_view environment_variable(const char* name) noexcept {
  const char* value = secure_getenv(name);
  return value != nullptr ? std::string_view(value) : std::string_view();
}

std::string percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::uint8_t byte[1];
    if (text[i] == '%' && i + 2 < text.size() && unhex(text.substr(i + 1, 2), byte))
      decoded += static_cast<char>(byte[0]), i += 2;
    else decoded += text[i];
  }
  return decoded;
}

std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

struct Parts {
  std::string service, version, module, environment;
};

std::string* part_of(Parts& parts, std::string_view key) noexcept {
  if (key == "service.name") return &parts.service;
  if (key == "service.version") return &parts.version;
  if (key == "honeylink.module") return &parts.module;
  if (key == "deployment.environment.name" || key == "deployment.environment") return &parts.environment;
  return nullptr;
}

// "k1=v1,k2=v2", values percent-encoded (OpenTelemetry, resource SDK). A pair that is none is skipped.
template <class F>
void each_otel_attribute(F&& f) {
  std::string_view rest = environment_variable("OTEL_RESOURCE_ATTRIBUTES");
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    const std::string_view pair = rest.substr(0, comma);
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos || trimmed(pair.substr(0, equals)).empty()) continue;
    f(trimmed(pair.substr(0, equals)), percent_decoded(trimmed(pair.substr(equals + 1))));
  }
}

}  // namespace

std::string set_resource(const Resource& resource, const char* configured_environment) noexcept try {
  size = 0;
  items = 0;
  Parts parts{std::string(resource.service_name), std::string(resource.service_version), std::string(resource.module),
              std::string(resource.environment)};
  if (parts.service.empty()) parts.service = program_invocation_short_name;
  if (parts.environment.empty()) parts.environment = configured_environment;
  each_otel_attribute([&](std::string_view key, std::string value) {
    if (std::string* part = part_of(parts, key); part != nullptr) *part = std::move(value);
  });
  if (const auto name = environment_variable("OTEL_SERVICE_NAME"); !name.empty()) parts.service = name;
  if (const auto environment = environment_variable("HONEYLINK_ENVIRONMENT"); !environment.empty())
    parts.environment = environment;
  // These first: what else is said may fill the room.
  put("service.name", parts.service);
  put("service.version", parts.version);
  put("honeylink.module", parts.module);
  put("deployment.environment.name", parts.environment);
  for (const Attribute& more : resource.more) {
    if (size + item_bytes(more.value) > kResourceBytesMax) break;
    if (more.value.type() == Value::Type::text) put(more.key.text(), more.value.text());
    else if (more.value.type() == Value::Type::integer) put(more.key.text(), std::to_string(more.value.integer()));
    else if (more.value.type() == Value::Type::boolean)
      put(more.key.text(), more.value.integer() != 0 ? "true" : "false");
    else if (more.value.type() == Value::Type::real) put(more.key.text(), std::to_string(more.value.real()));
  }
  each_otel_attribute([&](std::string_view key, const std::string& value) {
    if (part_of(parts, key) == nullptr) put(key, value);
  });
  return parts.environment;
} catch (...) { return "production"; }

bool write_resource(const Ring& ring) noexcept {
  return items == 0 || ring::append_entry(ring.map, ring::EntryType::resource, 0, items, 0, {bytes, size});
}

}  // namespace honeylink::telemetry::internal
