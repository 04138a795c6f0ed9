// See quic_library.h. The crypto library brings ngtcp2 and GnuTLS along: their functions are found through it.
#include "net/quic_library.h"

#include <dlfcn.h>

#include <mutex>

namespace honeylink::telemetry::net {
namespace {

constexpr const char* kQuic = "libngtcp2_crypto_gnutls.so.2";
constexpr const char* kHttp3 = "libnghttp3.so.3";

struct Loaded {
  Quic functions;
  std::string why;
};

template <class Function>
bool find(void* quic, void* http3, const char* name, Function& to) {
  void* found = ::dlsym(quic, name);
  if (found == nullptr) found = ::dlsym(http3, name);
  to = reinterpret_cast<Function>(found);
  return found != nullptr;
}

void load(Loaded& to) {
  // RTLD_LOCAL: their symbols stay out of the application's way.
  void* const quic = ::dlopen(kQuic, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  void* const http3 = ::dlopen(kHttp3, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  for (const auto& [library, name] : {std::pair(quic, kQuic), std::pair(http3, kHttp3)})
    if (library == nullptr)
      to.why = std::string(name) + " is not installed; without it nothing can be sent over HTTP/3";
  if (!to.why.empty()) return;
#define HONEYLINK_FIND(name) \
  if (!find(quic, http3, #name, to.functions.name)) to.why = std::string(kQuic) + " or " + kHttp3 + " lacks " #name;
  HONEYLINK_QUIC_FUNCTIONS(HONEYLINK_FIND)
#undef HONEYLINK_FIND
}

}  // namespace

const Quic* load_quic(std::string& why) {
  static std::once_flag once;
  static Loaded* const loaded = new Loaded;  // never destroyed: a thread may be sending while the program ends
  std::call_once(once, [] { load(*loaded); });
  why = loaded->why;
  return why.empty() ? &loaded->functions : nullptr;
}

}  // namespace honeylink::telemetry::net
