// See sql_functions.h.
#include "query/sql_functions.h"

#include <array>
#include <cmath>
#include <exception>
#include <new>
#include <optional>
#include <string_view>

#include "base/sketch.h"
#include "base/text.h"
#include "query/table_module.h"
#include "store/metric_codec.h"
#include "store/metric_format.h"

namespace honeylink::telemetry::query {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::size_t kSketchBytesMax = 64 * 1024;  // 4,096 buckets of 10 bytes and their head are less
static_assert(kSketchBytesMax > store::kSketchBucketsMax * 10 + 128);

std::span<const std::uint8_t> bytes_of(sqlite3_value* value) noexcept {
  const auto* bytes = static_cast<const std::uint8_t*>(sqlite3_value_blob(value));
  return bytes == nullptr ? std::span<const std::uint8_t>()
                          : std::span(bytes, static_cast<std::size_t>(sqlite3_value_bytes(value)));
}
std::string_view text_of(sqlite3_value* value) noexcept {
  const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(value));
  return text == nullptr ? std::string_view()
                         : std::string_view(text, static_cast<std::size_t>(sqlite3_value_bytes(value)));
}
bool is_null(sqlite3_value* value) noexcept { return sqlite3_value_type(value) == SQLITE_NULL; }

void result_blob(sqlite3_context* context, std::span<const std::uint8_t> bytes) noexcept {
  sqlite3_result_blob64(context, bytes.data(), bytes.size(), SQLITE_TRANSIENT);
}
void result_error(sqlite3_context* context, const char* what) noexcept { sqlite3_result_error(context, what, -1); }

/// A blob, or its digits as programs print blobs. Empty, with an SQL error said, where it is no sketch.
std::optional<Sketch> sketch_of(sqlite3_context* context, sqlite3_value* value) {
  Sketch sketch;
  int live_scale = 0;
  bool sound = false;
  if (sqlite3_value_type(value) == SQLITE_BLOB) {
    sound = store::decode_sketch(bytes_of(value), sketch, live_scale);
  } else if (sqlite3_value_type(value) == SQLITE_TEXT) {
    const std::string_view digits = text_of(value);
    Bytes bytes(std::min(digits.size() / 2, kSketchBytesMax));
    sound = unhex(digits, bytes) && store::decode_sketch(bytes, sketch, live_scale);
  }
  if (!sound)
    return result_error(context, "this is no sketch: take the column `sketch` of points or rollups"), std::nullopt;
  return sketch;
}

void quantile_of(sqlite3_context* context, int, sqlite3_value** values) {
  if (is_null(values[0]) || is_null(values[1])) return sqlite3_result_null(context);
  const double q = sqlite3_value_double(values[1]);
  const int type = sqlite3_value_numeric_type(values[1]);
  if ((type != SQLITE_INTEGER && type != SQLITE_FLOAT) || !(q >= 0 && q <= 1))
    return result_error(context, "quantile(sketch, q): q is a number from 0 to 1, 0.95 for p95");
  const std::optional<Sketch> sketch = sketch_of(context, values[0]);
  if (!sketch) return;
  const double value = quantile(*sketch, q);
  return std::isfinite(value) ? sqlite3_result_double(context, value) : sqlite3_result_null(context);
}

/// What a group has merged so far; SQLite zeroes it before the first row.
struct Merging {
  Sketch* sum;
};

void merge_step(sqlite3_context* context, int, sqlite3_value** values) {
  if (is_null(values[0])) return;
  auto* merging = static_cast<Merging*>(sqlite3_aggregate_context(context, sizeof(Merging)));
  if (merging == nullptr) return sqlite3_result_error_nomem(context);
  const std::optional<Sketch> sketch = sketch_of(context, values[0]);
  if (!sketch) return;
  if (merging->sum == nullptr) merging->sum = new Sketch(*sketch);
  else merge(*merging->sum, *sketch, store::kSketchBucketsMax);
}

void merge_end(sqlite3_context* context) {
  auto* merging = static_cast<Merging*>(sqlite3_aggregate_context(context, 0));
  if (merging == nullptr || merging->sum == nullptr) return sqlite3_result_null(context);
  const std::unique_ptr<Sketch> sum(std::exchange(merging->sum, nullptr));
  result_blob(context, sketch_blob(*sum));
}

/// What grew by `difference` in so many seconds grows so fast a second.
void rate(sqlite3_context* context, int, sqlite3_value** values) {
  if (is_null(values[0]) || is_null(values[1])) return sqlite3_result_null(context);
  const double seconds = sqlite3_value_double(values[1]);
  if (!(seconds > 0)) return sqlite3_result_null(context);
  sqlite3_result_double(context, sqlite3_value_double(values[0]) / seconds);
}

void id_blob(sqlite3_context* context, int, sqlite3_value** values) {
  if (is_null(values[0])) return sqlite3_result_null(context);
  const std::string_view digits = text_of(values[0]);
  std::array<std::uint8_t, 16> id{};
  const std::span<std::uint8_t> bytes(id.data(), digits.size() == 16 ? 8 : 16);
  if (!unhex(digits, bytes))
    return result_error(context, "id_blob(text): an id has 32 (trace) or 16 (span) hexadecimal digits");
  result_blob(context, bytes);
}

void id_text(sqlite3_context* context, int, sqlite3_value** values) {
  if (is_null(values[0])) return sqlite3_result_null(context);
  const auto bytes = bytes_of(values[0]);
  if (sqlite3_value_type(values[0]) != SQLITE_BLOB || (bytes.size() != 16 && bytes.size() != 8))
    return result_error(context, "id_text(blob): an id has 16 (trace) or 8 (span) bytes");
  result_text(context, hex(bytes));
}

/// Nothing throws through SQLite.
template <void (*kFunction)(sqlite3_context*, int, sqlite3_value**)>
void guarded(sqlite3_context* context, int count, sqlite3_value** values) noexcept {
  try {
    kFunction(context, count, values);
  } catch (const std::bad_alloc&) { sqlite3_result_error_nomem(context); } catch (const std::exception& error) {
    result_error(context, error.what());
  }
}
void guarded_end(sqlite3_context* context) noexcept {
  try {
    merge_end(context);
  } catch (...) { sqlite3_result_error_nomem(context); }
}

}  // namespace

std::vector<std::uint8_t> sketch_blob(const Sketch& sketch, int live_scale) {
  Bytes bytes;
  store::encode_sketch(sketch, live_scale, bytes);
  return bytes;
}

int add_functions(sqlite3* db) {
  struct Function {
    const char* name;
    int arguments;
    void (*call)(sqlite3_context*, int, sqlite3_value**);
  };
  constexpr std::array<Function, 4> kFunctions{{{"quantile", 2, guarded<quantile_of>},
                                                {"rate", 2, guarded<rate>},
                                                {"id_blob", 1, guarded<id_blob>},
                                                {"id_text", 1, guarded<id_text>}}};
  constexpr int kFlags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY;
  for (const Function& function : kFunctions) {
    const int code = sqlite3_create_function_v2(db, function.name, function.arguments, kFlags, nullptr, function.call,
                                                nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return code;
  }
  return sqlite3_create_function_v2(db, "merge_sketch", 1, kFlags, nullptr, nullptr, guarded<merge_step>, guarded_end,
                                    nullptr);
}

}  // namespace honeylink::telemetry::query
