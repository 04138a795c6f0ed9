// RingReader: the directory, an append-only log, read onward from where the last refresh() stopped. What is already
// known stays when something behind it is damaged.
#include <algorithm>
#include <string>

#include "base/text.h"
#include "ring/reader_state.h"

namespace honeylink::telemetry::ring {
namespace {

bool take(std::uint64_t& left, std::size_t bytes) noexcept {
  if (bytes > left) return false;
  left -= bytes;
  return true;
}

std::string item_as_text(const Item& item) {
  switch (item.type) {
    case ItemType::boolean:
      return item.as<std::uint8_t>() != 0 ? "true" : "false";
    case ItemType::integer:
      return std::to_string(item.as<std::int64_t>());
    case ItemType::text:
      return replace_invalid_utf8(item.text());
    default:
      return {};
  }
}

// Reads `count` items as pairs of texts. False: fewer of them, or one is not sound.
bool read_pairs(const Source& source, std::span<const std::uint8_t> bytes, std::size_t count,
                std::vector<std::pair<std::string, std::string>>& pairs, std::uint64_t& left) {
  ItemCursor cursor(bytes);
  for (Item item; count > 0; --count) {
    if (!cursor.next(item)) return false;
    pairs.emplace_back(source.text(item.key), item_as_text(item));
    if (!take(left, sizeof pairs.back() + pairs.back().first.size() + pairs.back().second.size())) return false;
  }
  return true;
}

struct Entry {
  EntryHeader header;
  std::span<const std::uint8_t> payload;
};

bool add_text(Source& source, const Entry& e) {
  if (e.header.id >= kTextIdsMax) return false;
  if (e.header.id < source.texts.size() && (e.header.id == 0 || !source.texts[e.header.id].empty())) return true;
  if (e.header.id >= source.texts.size()) source.texts.resize(e.header.id + 1);
  source.texts[e.header.id] = replace_invalid_utf8({reinterpret_cast<const char*>(e.payload.data()), e.payload.size()});
  return true;
}

bool add_scope(Source& source, const Entry& e, std::uint64_t& left) {
  if (e.payload.size() < 12 || e.header.id >= kTextIdsMax) return false;
  if (e.header.id >= source.scopes.size()) source.scopes.resize(e.header.id + 1);
  ScopeInfo& scope = source.scopes[e.header.id];
  scope.name = source.text(load<std::uint32_t>(&e.payload[0]));
  scope.version = source.text(load<std::uint32_t>(&e.payload[4]));
  scope.schema_url = source.text(load<std::uint32_t>(&e.payload[8]));
  return take(left, scope.name.size() + scope.version.size() + scope.schema_url.size());
}

bool set_resource(Source& source, const Entry& e, std::uint64_t& left) {
  std::vector<std::pair<std::string, std::string>> pairs;
  if (!read_pairs(source, e.payload, e.header.b, pairs, left)) return false;
  ResourceInfo resource;
  for (auto& [key, value] : pairs) {
    if (key == "service.name") resource.service_name = std::move(value);
    else if (key == "service.version") resource.service_version = std::move(value);
    else if (key == "honeylink.module") resource.module = std::move(value);
    else if (key == "deployment.environment.name") resource.environment = std::move(value);
    else resource.more.emplace_back(std::move(key), std::move(value));
  }
  source.resource = std::move(resource);
  return true;
}

bool add_series(const Source& source, const Entry& e, std::vector<SeriesDef>& series, std::uint64_t& left) {
  if (e.payload.size() < sizeof(SeriesEntry) || e.header.id >= kSeriesMax ||
      e.header.a > static_cast<std::uint8_t>(InstrumentKind::histogram))
    return false;
  if (e.header.id < series.size() && !series[e.header.id].info.name.empty()) return true;
  if (e.header.id >= series.size()) series.resize(e.header.id + 1);
  const auto fixed = load<SeriesEntry>(e.payload.data());
  SeriesDef& def = series[e.header.id];
  def.id = e.header.id;
  def.info.name = source.text(fixed.name);
  def.info.unit = source.text(fixed.unit);
  def.info.description = source.text(fixed.description);
  def.info.kind = static_cast<MetricType>(e.header.a);
  if (fixed.scope < source.scopes.size()) {
    def.info.scope_name = source.scopes[fixed.scope].name;
    def.info.scope_version = source.scopes[fixed.scope].version;
  }
  const SeriesInfo& info = def.info;
  const std::size_t names = info.name.size() + info.unit.size() + info.description.size() + info.scope_name.size() +
                            info.scope_version.size();
  if (!take(left, names) || !read_pairs(source, e.payload.subspan(sizeof fixed), e.header.b, def.info.labels, left))
    return false;
  std::sort(def.info.labels.begin(), def.info.labels.end());
  return true;
}

}  // namespace

bool RingReader::State::read_directory() {
  const auto damaged = [this] {
    return fail("its directory is damaged; names after byte " + std::to_string(directory_read) + " are unknown");
  };
  if (directory_damaged) return damaged();
  if (live.directory_used <= directory_read) return true;
  if (!read(first, live.directory_used - directory_read, header().directory_offset + directory_read)) return false;
  std::span<const std::uint8_t> rest(first);
  while (!rest.empty()) {
    Entry e{};
    bool sound = rest.size() >= sizeof e.header;
    if (sound) {
      e.header = load<EntryHeader>(rest.data());
      sound = e.header.bytes % 8 == 0 && e.header.bytes >= sizeof e.header && e.header.bytes <= rest.size() &&
              e.header.size <= e.header.bytes - sizeof e.header;
    }
    if (sound) {
      e.payload = rest.subspan(sizeof e.header, e.header.size);
      switch (e.header.type) {
        case EntryType::text:
          sound = add_text(source, e);
          break;
        case EntryType::resource:
          sound = set_resource(source, e, unfold_left);
          break;
        case EntryType::series:
          sound = add_series(source, e, series, unfold_left);
          break;
        case EntryType::scope:
          sound = add_scope(source, e, unfold_left);
          break;
        default:
          sound = false;
      }
    }
    if (!sound) {
      directory_damaged = true;
      return damaged();
    }
    rest = rest.subspan(e.header.bytes);
    directory_read += e.header.bytes;
  }
  return true;
}

}  // namespace honeylink::telemetry::ring
