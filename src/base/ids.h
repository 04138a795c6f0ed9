// Ids that are not stored: an id is a keyed pseudo-random permutation of a counter, with a fresh random key per process
// start and per fork. Called where an id leaves the process or is shown or sought; never on the recording path.
//
// Trace: AES-128 of the 128-bit counter (FIPS 197). Span: a balanced Feistel network over two 32-bit halves with
// AES-128 as its round function, 10 rounds as in NIST SP 800-38G (FF1). AES-NI where the processor has it, else a
// portable table-free form; both give the same bytes. Within one key no two counters share an id; across keys ids
// collide like random ones.
#pragma once
#include <array>
#include <cstdint>

namespace honeylink::telemetry {

/// Expanded key. A value; 176 bytes; const use from any thread.
class Aes128 {
 public:
  explicit Aes128(const std::array<std::uint8_t, 16>& key) noexcept;
  [[nodiscard]] std::array<std::uint8_t, 16> encrypt(const std::array<std::uint8_t, 16>& block) const noexcept;
  [[nodiscard]] std::array<std::uint8_t, 16> decrypt(const std::array<std::uint8_t, 16>& block) const noexcept;
  /// The lower halves, as big-endian numbers, of what eight counters' blocks become: `counter` and those after it, each
  /// in the lower half of a block, big-endian. In about the time of two blocks.
  [[nodiscard]] std::array<std::uint64_t, 8> encrypt_counters(std::uint64_t counter) const noexcept;
  /// Each of eight blocks, in about the time of two.
  void encrypt_eight(std::array<std::array<std::uint8_t, 16>, 8>& blocks) const noexcept;
  /// For tests: the same without AES-NI.
  [[nodiscard]] std::array<std::uint8_t, 16> encrypt_portable(const std::array<std::uint8_t, 16>& block) const noexcept;
  [[nodiscard]] std::array<std::uint8_t, 16> decrypt_portable(const std::array<std::uint8_t, 16>& block) const noexcept;

 private:
  std::array<std::array<std::uint8_t, 16>, 11> round_keys_;
};

/// The ids of one process start.
class IdCipher {
 public:
  IdCipher(const std::array<std::uint8_t, 16>& trace_key, const std::array<std::uint8_t, 16>& span_key) noexcept;
  [[nodiscard]] std::array<std::uint8_t, 16> trace_id(std::uint64_t counter) const noexcept;
  [[nodiscard]] std::array<std::uint8_t, 8> span_id(std::uint64_t counter) const noexcept;
  /// The lower halves of eight trace ids, of `counter` and those after it, as big-endian numbers.
  [[nodiscard]] std::array<std::uint64_t, 8> next_trace_ids_low(std::uint64_t counter) const noexcept {
    return trace_.encrypt_counters(counter);
  }
  /// The ids of `counter` and the seven after it: for who needs many in a row, at a third of the time each.
  [[nodiscard]] std::array<std::array<std::uint8_t, 16>, 8> next_trace_ids(std::uint64_t counter) const noexcept;
  [[nodiscard]] std::array<std::array<std::uint8_t, 8>, 8> next_span_ids(std::uint64_t counter) const noexcept;
  /// The counter of an id of this key; for a foreign id an arbitrary number (trace: false where the upper half is not
  /// zero).
  [[nodiscard]] bool trace_counter(const std::array<std::uint8_t, 16>& id, std::uint64_t& counter) const noexcept;
  [[nodiscard]] std::uint64_t span_counter(const std::array<std::uint8_t, 8>& id) const noexcept;

 private:
  [[nodiscard]] std::uint32_t round(std::uint32_t number, std::uint32_t half) const noexcept;
  Aes128 trace_, span_;
};

}  // namespace honeylink::telemetry
