// See wire.h. A Reader that has once run out stays out, so that decoders check once, at their end.
#include "wire.h"

#include <algorithm>

namespace honeylink::link {
namespace {

void put(Bytes& out, std::uint64_t value, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

class Reader {
 public:
  explicit Reader(ByteView in) noexcept : in_(in) {}
  ByteView take(std::size_t bytes) noexcept {
    if (!ok_ || bytes > in_.size()) {
      ok_ = false;
      return {};
    }
    const ByteView out = in_.first(bytes);
    in_ = in_.subspan(bytes);
    return out;
  }
  std::uint64_t number(std::size_t bytes) noexcept {
    std::uint64_t value = 0;
    const ByteView from = take(bytes);
    for (std::size_t i = 0; i < from.size(); ++i) value |= std::uint64_t{from[i]} << (8 * i);
    return value;
  }
  std::string text(std::size_t bytes) {
    const ByteView from = take(bytes);
    return {from.begin(), from.end()};
  }
  [[nodiscard]] std::size_t left() const noexcept { return in_.size(); }
  [[nodiscard]] bool ok() const noexcept { return ok_; }

 private:
  ByteView in_;
  bool ok_ = true;
};

void put(Bytes& out, const TraceFields& fields) {
  const std::size_t at = out.size();
  out.push_back(0);
  for (const auto& [name, value] : fields) {
    const std::size_t bytes = 3 + name.size() + value.size();
    if (out[at] == kTraceFieldsMax || name.size() > 255 || out.size() - at + bytes > kTraceBytesMax) continue;
    ++out[at];
    put(out, name.size(), 1);
    out.insert(out.end(), name.begin(), name.end());
    put(out, value.size(), 2);
    out.insert(out.end(), value.begin(), value.end());
  }
}

bool read(Reader& in, TraceFields& fields) {
  const std::size_t before = in.left();
  const std::uint64_t count = in.number(1);
  if (count > kTraceFieldsMax) return false;
  for (std::uint64_t i = 0; i < count; ++i) {
    std::string name = in.text(static_cast<std::size_t>(in.number(1)));
    std::string value = in.text(static_cast<std::size_t>(in.number(2)));
    fields.emplace_back(std::move(name), std::move(value));
  }
  return in.ok() && before - in.left() <= kTraceBytesMax;
}

}  // namespace

HeaderBytes encode(const Header& header) noexcept {
  HeaderBytes out{'H', 'L', kWireVersion, static_cast<std::uint8_t>(header.type)};
  for (std::size_t i = 0; i < 8; ++i) {
    out[4 + i] = static_cast<std::uint8_t>(header.session >> (8 * i));
    out[12 + i] = static_cast<std::uint8_t>(header.counter >> (8 * i));
  }
  return out;
}

std::optional<Header> decode_header(ByteView datagram) noexcept {
  Reader in(datagram);
  const ByteView magic = in.take(2);
  const std::uint64_t version = in.number(1), type = in.number(1);
  const Header header{static_cast<Type>(type), in.number(8), in.number(8)};
  if (!in.ok() || magic[0] != 'H' || magic[1] != 'L' || version != kWireVersion || type < 1 || type > 4)
    return std::nullopt;
  return header;
}

TraceFields trace_fields(const tel::Context& context) {
  TraceFields fields;
  tel::inject([&](std::string_view name, std::string_view value) { fields.emplace_back(name, value); }, context);
  return fields;
}

Bytes encode(const Hello& hello) {
  Bytes out(hello.key.begin(), hello.key.end());
  put(out, hello.trace);
  return out;
}
std::optional<Hello> decode_hello(ByteView body) {
  Reader in(body);
  Hello hello;
  std::ranges::copy(in.take(kKeyBytes), hello.key.begin());
  if (!in.ok() || !read(in, hello.trace) || in.left() != 0) return std::nullopt;
  return hello;
}

Bytes encode(const Message& message) {
  Bytes out{static_cast<std::uint8_t>(message.kind)};
  put(out, message.trace);
  out.insert(out.end(), message.body.begin(), message.body.end());
  return out;
}
std::optional<Message> decode_message(ByteView plain) {
  Reader in(plain);
  const std::uint64_t kind = in.number(1);
  Message message{static_cast<Kind>(kind), {}, {}};
  if (kind < 1 || kind > 4 || !read(in, message.trace) || in.left() > kBodyBytesMax) return std::nullopt;
  const ByteView body = in.take(in.left());
  message.body.assign(body.begin(), body.end());
  return message;
}

bool Report::has(std::uint64_t counter) const noexcept {
  if (counter == 0 || counter > highest || highest - counter >= 256) return false;
  const std::uint64_t bit = highest - counter;
  return (below[bit / 64] >> (bit % 64) & 1) != 0;
}
Bytes encode(const Report& report) {
  Bytes out;
  put(out, report.highest, 8);
  for (const std::uint64_t word : report.below) put(out, word, 8);
  return out;
}
std::optional<Report> decode_report(ByteView plain) noexcept {
  Reader in(plain);
  Report report;
  report.highest = in.number(8);
  for (std::uint64_t& word : report.below) word = in.number(8);
  if (!in.ok() || in.left() != 0) return std::nullopt;
  return report;
}

}  // namespace honeylink::link
