// The link's datagrams. One header of 20 bytes, in the clear but authenticated (it is the AEAD's additional data):
//
//   "HL" | version 1 | type 1 | session 8 | counter 8        integers little-endian
//
//   hello    initiator → responder   public key 32, trace fields                              not encrypted
//   welcome  responder → initiator   public key 32, AEAD tag over nothing (proves the responder's identity)
//   data     initiator → responder   encrypted: kind 1, trace fields, body
//   report   responder → initiator   encrypted: what arrived, highest counter 8 and 256 bits below it
//
// Trace fields: count 1, then name length 1, name, value length 2, value. They carry W3C traceparent and tracestate
// across processes. Everything received is hostile until decoded: a decoder answers nullopt and never reads beyond its
// input.
#pragma once
#include <honeylink/telemetry.h>

#include <array>
#include <optional>
#include <string>
#include <utility>

#include "udp.h"

namespace honeylink::link {

namespace tel = honeylink::telemetry;

enum class Type : std::uint8_t { hello = 1, welcome = 2, data = 3, report = 4 };
enum class Kind : std::uint8_t {
  confirm = 1,
  payload = 2,
  probe = 3,
  close = 4
};  // confirm, probe and close are reported at once

inline constexpr std::uint8_t kWireVersion = 1;
inline constexpr std::size_t kHeaderBytes = 20;
inline constexpr std::size_t kKeyBytes = 32;
inline constexpr std::size_t kTraceFieldsMax = 3;
inline constexpr std::size_t kTraceBytesMax =
    600;  // keeps a hello below every path MTU; a field that does not fit stays behind
inline constexpr std::size_t kBodyBytesMax = 1200;

struct Header {
  Type type{};
  std::uint64_t session = 0;
  std::uint64_t counter = 0;
};
using HeaderBytes = std::array<std::uint8_t, kHeaderBytes>;
[[nodiscard]] HeaderBytes encode(const Header& header) noexcept;
[[nodiscard]] std::optional<Header> decode_header(ByteView datagram) noexcept;

using TraceFields = std::vector<std::pair<std::string, std::string>>;
[[nodiscard]] TraceFields trace_fields(const tel::Context& context);

using KeyBytes = std::array<std::uint8_t, kKeyBytes>;
struct Hello {
  KeyBytes key{};
  TraceFields trace;
};
[[nodiscard]] Bytes encode(const Hello& hello);
[[nodiscard]] std::optional<Hello> decode_hello(ByteView body);

struct Message {
  Kind kind{};
  TraceFields trace;
  Bytes body;
};
[[nodiscard]] Bytes encode(const Message& message);
[[nodiscard]] std::optional<Message> decode_message(ByteView plain);

struct Report {
  std::uint64_t highest = 0;             // 0: nothing arrived yet, counters begin at 1
  std::array<std::uint64_t, 4> below{};  // bit i of the whole: counter highest - i arrived
  [[nodiscard]] bool has(std::uint64_t counter) const noexcept;
};
[[nodiscard]] Bytes encode(const Report& report);
[[nodiscard]] std::optional<Report> decode_report(ByteView plain) noexcept;

}  // namespace honeylink::link
