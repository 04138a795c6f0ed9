// Small zstd frames, without the bytes that a stored frame of known size does not need. Used by the segment codecs.
//
// Must stay true: a frame is expanded into exactly the room that its reader has worked out, so that hostile bytes
// cannot ask for more.
#pragma once
#include <span>

#include "base/coding.h"
#include "store/segment_format.h"

struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;

namespace honeylink::telemetry::store {

/// Not thread-safe; owned by one writer or reader, reused for all its frames. The constructor throws bad_alloc.
class Frames {
 public:
  Frames();
  ~Frames();
  Frames(const Frames&) = delete;
  Frames& operator=(const Frames&) = delete;

  /// Appends varint size and frame; false where that would not be smaller than the content, and `to` is as it was.
  bool append_if_smaller(std::span<const std::uint8_t> content, Bytes& to);
  /// Reads size and frame; false unless it holds exactly `content.size()` bytes.
  [[nodiscard]] bool read(Decoder& in, std::span<std::uint8_t> content);

 private:
  ZSTD_CCtx_s* compressor_;
  ZSTD_DCtx_s* expander_;
  Bytes room_;
};

}  // namespace honeylink::telemetry::store
