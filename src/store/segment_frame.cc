// See segment_frame.h. The format without magic number is behind zstd's "static only" door; its value is fixed
// since 1.3.
#define ZSTD_STATIC_LINKING_ONLY
#include "store/segment_frame.h"

#include <zstd.h>

#include <new>

#include "store/bytes.h"

namespace honeylink::telemetry::store {
namespace {

constexpr int kLevel = 1;  // tokens are nearly random: levels 3 and 9 gain 1.5 %

}  // namespace

Frames::Frames() : compressor_(ZSTD_createCCtx()), expander_(ZSTD_createDCtx()) {
  if (compressor_ == nullptr || expander_ == nullptr) {
    ZSTD_freeCCtx(compressor_);
    ZSTD_freeDCtx(expander_);
    throw std::bad_alloc();
  }
  ZSTD_CCtx_setParameter(compressor_, ZSTD_c_compressionLevel, kLevel);
  ZSTD_CCtx_setParameter(compressor_, ZSTD_c_format, ZSTD_f_zstd1_magicless);
  ZSTD_CCtx_setParameter(compressor_, ZSTD_c_contentSizeFlag, 0);
  ZSTD_CCtx_setParameter(compressor_, ZSTD_c_checksumFlag, 0);
  ZSTD_CCtx_setParameter(compressor_, ZSTD_c_dictIDFlag, 0);
  ZSTD_DCtx_setParameter(expander_, ZSTD_d_format, ZSTD_f_zstd1_magicless);
}

Frames::~Frames() {
  ZSTD_freeCCtx(compressor_);
  ZSTD_freeDCtx(expander_);
}

bool Frames::append_if_smaller(std::span<const std::uint8_t> content, Bytes& to) {
  room_.resize(ZSTD_compressBound(content.size()));
  const std::size_t size = ZSTD_compress2(compressor_, room_.data(), room_.size(), content.data(), content.size());
  if (ZSTD_isError(size) != 0 || size + varint_bytes(size) >= content.size()) return false;
  std::uint8_t head[kVarintBytesMax];
  to.insert(to.end(), head, encode_varint(head, size));
  to.insert(to.end(), room_.begin(), room_.begin() + static_cast<std::ptrdiff_t>(size));
  return true;
}

bool Frames::read(Decoder& in, std::span<std::uint8_t> content) {
  const std::string_view frame = in.bytes(in.varint());
  if (!in.ok() || content.empty()) return false;
  const std::size_t size = ZSTD_decompressDCtx(expander_, content.data(), content.size(), frame.data(), frame.size());
  return ZSTD_isError(size) == 0 && size == content.size();
}

}  // namespace honeylink::telemetry::store
