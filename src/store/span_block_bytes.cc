// See span_block_bytes.h.
#include "store/span_block_bytes.h"

#define ZSTD_STATIC_LINKING_ONLY  // ZSTD_c_format: frames without magic number
#include <zstd.h>

#include "store/bytes.h"
#include "store/span_block_format.h"

namespace honeylink::telemetry::store {
namespace {
// Levels 1 to 9 differ by 2 % on tokens; 1 costs half of 3.
constexpr int kLevel = 1;
constexpr int kWindowLogMax = 23;  // 8 MB, as the largest stream
constexpr std::size_t kWorthATry = 24;
enum Form : std::uint8_t { plain = 0, frame = 1 };
}  // namespace

void append_varint(ByteBuffer& to, std::uint64_t value) {
  std::uint8_t bytes[kVarintBytesMax];
  append(to, {bytes, encode_varint(bytes, value)});
}

void FrameWriter::Free::operator()(ZSTD_CCtx_s* context) const noexcept { ZSTD_freeCCtx(context); }
void FrameReader::Free::operator()(ZSTD_DCtx_s* context) const noexcept { ZSTD_freeDCtx(context); }

FrameWriter::FrameWriter() : context_(ZSTD_createCCtx()) {
  if (context_ == nullptr) return;
  ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, kLevel);
  ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_format, ZSTD_f_zstd1_magicless);
  ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_contentSizeFlag, 0);
  ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 0);
  ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_dictIDFlag, 0);
}

std::size_t FrameWriter::add(std::span<const std::uint8_t> bytes, ByteBuffer& to) {
  if (context_ == nullptr || bytes.size() < kWorthATry) return 0;
  scratch_.resize(std::max(scratch_.size(), ZSTD_compressBound(bytes.size())));
  const std::size_t made = ZSTD_compress2(context_.get(), scratch_.data(), scratch_.size(), bytes.data(), bytes.size());
  if (ZSTD_isError(made) != 0 || made >= bytes.size()) return 0;
  append(to, {scratch_.data(), made});
  return made;
}

FrameReader::FrameReader() : context_(ZSTD_createDCtx()) {
  if (context_ == nullptr) return;
  ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_format, ZSTD_f_zstd1_magicless);
  ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, kWindowLogMax);
}

bool FrameReader::allow(std::size_t bytes) noexcept {
  if (bytes > kBlockExpandedMax - expanded_) return false;
  expanded_ += bytes;
  return true;
}

bool FrameReader::open(std::span<const std::uint8_t> frame, std::span<std::uint8_t> to) noexcept {
  if (context_ == nullptr) return false;
  const std::size_t made = ZSTD_decompressDCtx(context_.get(), to.data(), to.size(), frame.data(), frame.size());
  return ZSTD_isError(made) == 0 && made == to.size();
}

void write_bytes(std::span<const std::uint8_t> bytes, FrameWriter& frames, ByteBuffer& to) {
  append_varint(to, bytes.size());
  const std::size_t form_at = to.size();
  to.push_back(Form::frame);
  if (frames.add(bytes, to) != 0) return;
  to[form_at] = Form::plain;
  append(to, bytes);
}

bool read_bytes(std::span<const std::uint8_t> stream, FrameReader& frames, ByteBuffer& to) {
  to.clear();
  if (stream.empty()) return true;
  Decoder in(as_text(stream));
  const std::uint64_t size = in.varint();
  const auto form = in.fixed<std::uint8_t>();
  const std::span<const std::uint8_t> content = as_bytes(in.rest());
  if (!in.ok() || size > kStreamBytesMax || form > Form::frame) return false;
  if (form == Form::plain && content.size() != size) return false;
  if (!frames.allow(static_cast<std::size_t>(size))) return false;
  if (form == Form::plain) return append(to, content), true;
  to.resize(static_cast<std::size_t>(size));
  return frames.open(content, to);
}

}  // namespace honeylink::telemetry::store
