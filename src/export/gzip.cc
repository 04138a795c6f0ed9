// See gzip.h. Level 1: on OTLP, level 6 costs twice as much for a fifteenth of the bytes (docs/benchmarks.md).
#include "export/gzip.h"

#include <dlfcn.h>
#include <zlib.h>

#include <mutex>

namespace honeylink::telemetry::exporting {
namespace {

constexpr int kLevel = 1;
constexpr int kGzipWindow = 15 + 16;
constexpr int kMemory = 8;

struct Zlib {
  decltype(&::deflateInit2_) init = nullptr;
  decltype(&::deflate) deflate = nullptr;
  decltype(&::deflateReset) reset = nullptr;
  decltype(&::deflateEnd) end = nullptr;
};

template <class Function>
bool find(void* library, const char* name, Function& to) {
  to = reinterpret_cast<Function>(::dlsym(library, name));
  return to != nullptr;
}

const Zlib* load_zlib() {
  static std::once_flag once;
  static Zlib* const zlib = new Zlib;  // never destroyed: a thread may be sending while the program ends
  static bool whole = false;
  std::call_once(once, [] {
    void* const library = ::dlopen("libz.so.1", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    whole = library != nullptr && find(library, "deflateInit2_", zlib->init) &&
            find(library, "deflate", zlib->deflate) && find(library, "deflateReset", zlib->reset) &&
            find(library, "deflateEnd", zlib->end);
  });
  return whole ? zlib : nullptr;
}

}  // namespace

struct Gzip::State {
  const Zlib& zlib;
  z_stream stream{};
  bool ready = false;
  explicit State(const Zlib& from) : zlib(from) {
    ready = zlib.init(&stream, kLevel, Z_DEFLATED, kGzipWindow, kMemory, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
                      static_cast<int>(sizeof(z_stream))) == Z_OK;
  }
  ~State() {
    if (ready) zlib.end(&stream);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
};

Gzip::Gzip(std::unique_ptr<State> state) : state_(std::move(state)) {}
Gzip::~Gzip() = default;

std::unique_ptr<Gzip> Gzip::make() {
  const Zlib* zlib = load_zlib();
  if (zlib == nullptr) return nullptr;
  auto state = std::make_unique<State>(*zlib);
  return state->ready ? std::unique_ptr<Gzip>(new Gzip(std::move(state))) : nullptr;
}

bool Gzip::pack(std::string_view bytes, std::string& to) {
  z_stream& stream = state_->stream;
  const std::size_t before = to.size();
  if (bytes.size() > UINT32_MAX / 2 || state_->zlib.reset(&stream) != Z_OK) return false;
  to.resize(before + bytes.size());
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));  // zlib's C: it does not write there
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(to.data() + before);
  stream.avail_out = static_cast<uInt>(bytes.size());
  const bool smaller = state_->zlib.deflate(&stream, Z_FINISH) == Z_STREAM_END;
  to.resize(smaller ? before + stream.total_out : before);
  return smaller;
}

}  // namespace honeylink::telemetry::exporting
