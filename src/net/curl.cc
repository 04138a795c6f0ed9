// See curl.h.
#include "net/curl.h"

#include <dlfcn.h>

#include <mutex>

namespace honeylink::telemetry::net {
namespace {

constexpr const char* kLibrary = "libcurl.so.4";

struct Loaded {
  Curl functions{};
  std::string why;
};

template <class Function>
bool find(void* library, const char* name, Function& to) {
  void* const found = ::dlsym(library, name);
  to = reinterpret_cast<Function>(found);
  return found != nullptr;
}

bool find_all(void* library, Curl& c) {
  return find(library, "curl_easy_init", c.easy_init) && find(library, "curl_easy_cleanup", c.easy_cleanup) &&
         find(library, "curl_easy_reset", c.easy_reset) && find(library, "curl_easy_setopt", c.easy_setopt) &&
         find(library, "curl_easy_getinfo", c.easy_getinfo) && find(library, "curl_easy_strerror", c.easy_strerror) &&
         find(library, "curl_multi_init", c.multi_init) && find(library, "curl_multi_cleanup", c.multi_cleanup) &&
         find(library, "curl_multi_setopt", c.multi_setopt) &&
         find(library, "curl_multi_add_handle", c.multi_add_handle) &&
         find(library, "curl_multi_remove_handle", c.multi_remove_handle) &&
         find(library, "curl_multi_perform", c.multi_perform) && find(library, "curl_multi_poll", c.multi_poll) &&
         find(library, "curl_multi_wakeup", c.multi_wakeup) &&
         find(library, "curl_multi_info_read", c.multi_info_read) &&
         find(library, "curl_slist_append", c.slist_append) && find(library, "curl_slist_free_all", c.slist_free_all) &&
         find(library, "curl_global_init", c.global_init);
}

void load(Loaded& to) {
  // RTLD_LOCAL: its symbols, OpenSSL's among them, stay out of the application's way.
  void* const library = ::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (library == nullptr) {
    to.why = std::string(kLibrary) + " is not installed; without it nothing can be sent";
  } else if (!find_all(library, to.functions) || to.functions.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    to.why = std::string(kLibrary) + " is too old or does not start";
  } else {
    (void)find(library, "SSL_get0_alpn_selected", to.functions.alpn_selected);  // through libcurl's own dependencies
    (void)find(library, "SSL_CTX_set_cert_cb", to.functions.on_certificate_request);
  }
}

}  // namespace

const Curl* load_curl(std::string& why) {
  static std::once_flag once;
  static Loaded* const loaded = new Loaded;  // never destroyed: a thread may be sending while the program ends
  std::call_once(once, [] { load(*loaded); });
  why = loaded->why;
  return why.empty() ? &loaded->functions : nullptr;
}

}  // namespace honeylink::telemetry::net
