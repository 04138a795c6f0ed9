// See span_block_texts.h.
#include "store/span_block_texts.h"

#include <algorithm>

#include "store/bytes.h"
#include "store/span_block_format.h"

namespace honeylink::telemetry::store {
namespace {

enum Form : std::uint8_t { in_place = 0, hexadecimal = 1, dictionary = 2 };
constexpr std::string_view kDigits = "0123456789abcdef";
constexpr std::size_t kHexMin = 8;  // below that zstd does as well

int digit_of(char c) noexcept { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; }

bool is_hex(std::string_view text) noexcept {
  return text.size() >= kHexMin && text.size() % 2 == 0 &&
         std::all_of(text.begin(), text.end(), [](char c) { return digit_of(c) >= 0; });
}

/// Appends a part with its size before it.
void append_part(ByteBuffer& part, ByteBuffer& to) {
  append_varint(to, part.size());
  append(to, part);
  part.clear();
}

void write_in_place(std::span<const std::string_view> values, TextScratch& texts, IntegerScratch& integers,
                    FrameWriter& frames, ByteBuffer& to) {
  const bool hex = std::all_of(values.begin(), values.end(), is_hex);
  to.push_back(hex ? Form::hexadecimal : Form::in_place);
  texts.sizes.clear();
  texts.bytes.clear();
  for (const std::string_view v : values) {
    texts.sizes.push_back(hex ? v.size() / 2 : v.size());
    if (!hex) {
      append(texts.bytes, as_bytes(v));
      continue;
    }
    for (std::size_t i = 0; i < v.size(); i += 2)
      texts.bytes.push_back(static_cast<std::uint8_t>(digit_of(v[i]) << 4 | digit_of(v[i + 1])));
  }
  texts.part.clear();
  write_integers(texts.sizes, integers, frames, texts.part);
  append_part(texts.part, to);
  write_bytes(texts.bytes, frames, texts.part);
  append_part(texts.part, to);
}

bool read_in_place(Decoder& in, std::uint8_t form, std::size_t count, FrameReader& frames, IntegerScratch& integers,
                   TextColumn& to) {
  Integers sizes;
  ByteBuffer bytes;
  if (!read_integers(as_bytes(in.text()), count, frames, integers, sizes)) return false;
  if (!read_bytes(as_bytes(in.text()), frames, bytes) || !in.ok()) return false;
  if (!frames.allow(count * sizeof(std::string_view))) return false;
  std::uint64_t sum = 0;
  for (const std::uint64_t size : sizes) {
    if (size > bytes.size() - sum) return false;
    sum += size;
  }
  if (sum != bytes.size()) return false;
  const bool hex = form == Form::hexadecimal;
  if (hex) {
    if (!frames.allow(bytes.size() * 2)) return false;
    to.bytes.resize(bytes.size() * 2);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      to.bytes[2 * i] = static_cast<std::uint8_t>(kDigits[bytes[i] >> 4]);
      to.bytes[2 * i + 1] = static_cast<std::uint8_t>(kDigits[bytes[i] & 15U]);
    }
  } else {
    to.bytes = std::move(bytes);
  }
  std::string_view rest = as_text(to.bytes);
  for (const std::uint64_t size : sizes) {
    const std::size_t n = static_cast<std::size_t>(size) * (hex ? 2 : 1);
    to.entries.push_back(rest.substr(0, n));
    rest.remove_prefix(n);
  }
  return true;
}

/// Gathers distinct values; `codes` holds the number of each in order of appearance. False: mostly distinct.
bool gather(std::span<const std::string_view> values, TextScratch& texts) {
  texts.distinct.clear(), texts.entries.clear(), texts.uses.clear(), texts.codes.clear();
  const std::size_t distinct_max = values.size() - values.size() * 2 / 5;
  for (const std::string_view v : values) {
    if (!texts.codes.empty() && v == texts.entries[static_cast<std::size_t>(texts.codes.back())]) {
      ++texts.uses[static_cast<std::size_t>(texts.codes.back())];
      texts.codes.push_back(texts.codes.back());
      continue;
    }
    const auto [at, is_new] = texts.distinct.try_emplace(v, static_cast<std::uint32_t>(texts.entries.size()));
    if (is_new) {
      texts.entries.push_back(v), texts.uses.push_back(0);
      if (texts.entries.size() > distinct_max) return false;
    }
    ++texts.uses[at->second];
    texts.codes.push_back(at->second);
  }
  return true;
}

}  // namespace

void write_texts(std::span<const std::string_view> values, SpanValues& known, TextScratch& texts,
                 IntegerScratch& integers, FrameWriter& frames, ByteBuffer& to) {
  if (values.empty()) return;
  if (!gather(values, texts) && values.size() > 1) return write_in_place(values, texts, integers, frames, to);
  const std::size_t n = texts.entries.size();
  texts.ids.assign(n, 0);
  std::vector<std::uint32_t> order(n);
  for (std::uint32_t i = 0; i < n; ++i) {
    order[i] = i;
    texts.ids[i] = known.find(texts.entries[i]);
    if (texts.ids[i] == 0 && texts.uses[i] > 1) texts.ids[i] = known.add(texts.entries[i]);
  }
  // Known values first, by id; the others as they came.
  std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return texts.ids[a] - 1U < texts.ids[b] - 1U;  // 0 becomes the largest
  });
  texts.code_of.resize(n);
  texts.references.clear();
  std::vector<std::string_view> others;
  for (std::uint32_t i = 0; i < n; ++i) {
    texts.code_of[order[i]] = i;
    if (texts.ids[order[i]] != 0) texts.references.push_back(texts.ids[order[i]]);
    else others.push_back(texts.entries[order[i]]);
  }
  for (std::uint64_t& code : texts.codes) code = texts.code_of[static_cast<std::size_t>(code)];
  to.push_back(Form::dictionary);
  append_varint(to, texts.references.size());
  append_varint(to, others.size());
  texts.part.clear();
  write_integers(texts.references, integers, frames, texts.part);
  append_part(texts.part, to);
  write_integers(texts.codes, integers, frames, texts.part);
  append_part(texts.part, to);
  if (!others.empty()) write_in_place(others, texts, integers, frames, to);
}

bool read_texts(std::span<const std::uint8_t> stream, std::size_t count, const ValueLookup& lookup, FrameReader& frames,
                IntegerScratch& integers, TextColumn& to) {
  to = {};
  if (count == 0) return stream.empty();
  Decoder in(as_text(stream));
  const auto form = in.fixed<std::uint8_t>();
  if (!in.ok() || form > Form::dictionary) return false;
  if (form != Form::dictionary) return read_in_place(in, form, count, frames, integers, to) && in.at_end();
  const std::uint64_t known = in.varint(), others = in.varint();
  if (!in.ok() || known > count || others > count || known + others > count || known + others == 0) return false;
  Integers ids;
  if (!read_integers(as_bytes(in.text()), static_cast<std::size_t>(known), frames, integers, ids)) return false;
  if (!read_integers(as_bytes(in.text()), count, frames, integers, to.codes) || !in.ok()) return false;
  for (const std::uint64_t code : to.codes) {
    if (code >= known + others) return false;
  }
  if (!frames.allow(static_cast<std::size_t>(known) * sizeof(std::string_view))) return false;
  for (const std::uint64_t id : ids) {
    std::string_view value;
    if (id > UINT32_MAX || !lookup || !lookup(static_cast<std::uint32_t>(id), value)) return false;
    to.entries.push_back(value);
  }
  if (others == 0) return in.at_end();
  const auto inner = in.fixed<std::uint8_t>();
  return in.ok() && inner <= Form::hexadecimal &&
         read_in_place(in, inner, static_cast<std::size_t>(others), frames, integers, to) && in.at_end();
}

}  // namespace honeylink::telemetry::store
