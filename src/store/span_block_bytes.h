// Streams of bytes in a block, and the small zstd frames that streams are made of (docs/formats/traces_db.md). Called
// by the block's writer and reader. The reader takes no more memory than it was told to expect.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;

namespace honeylink::telemetry::store {

using ByteBuffer = std::vector<std::uint8_t>;

inline void append(ByteBuffer& to, std::span<const std::uint8_t> bytes) {
  to.insert(to.end(), bytes.begin(), bytes.end());
}
void append_varint(ByteBuffer& to, std::uint64_t value);

/// Makes frames. Not thread-safe; kept for many blocks.
class FrameWriter {
 public:
  FrameWriter();
  /// Appends the frame of `bytes` if it is smaller than they are; else appends nothing and answers 0.
  std::size_t add(std::span<const std::uint8_t> bytes, ByteBuffer& to);

 private:
  struct Free {
    void operator()(ZSTD_CCtx_s*) const noexcept;
  };
  std::unique_ptr<ZSTD_CCtx_s, Free> context_;
  ByteBuffer scratch_;
};

/// Opens frames, and counts what a whole block has made it expand. Not thread-safe; kept for many blocks.
class FrameReader {
 public:
  FrameReader();
  void begin_block() noexcept { expanded_ = 0; }
  /// Takes `bytes` out of the block's allowance. False: the block asks for too much.
  [[nodiscard]] bool allow(std::size_t bytes) noexcept;
  /// False: not a frame of exactly `to.size()` bytes.
  [[nodiscard]] bool open(std::span<const std::uint8_t> frame, std::span<std::uint8_t> to) noexcept;

 private:
  struct Free {
    void operator()(ZSTD_DCtx_s*) const noexcept;
  };
  std::unique_ptr<ZSTD_DCtx_s, Free> context_;
  std::size_t expanded_ = 0;
};

/// Appends `bytes` as a stream of bytes.
void write_bytes(std::span<const std::uint8_t> bytes, FrameWriter& frames, ByteBuffer& to);
/// A whole stream of bytes. False: damaged.
[[nodiscard]] bool read_bytes(std::span<const std::uint8_t> stream, FrameReader& frames, ByteBuffer& to);

}  // namespace honeylink::telemetry::store
