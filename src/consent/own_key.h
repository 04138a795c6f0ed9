// Whether the key that shows who this device is may be used: docs/formats/consent.md, "Our own key". Asked when it is
// granted and before each request. Reads nothing of the key; any thread.
#pragma once
#include <string>

namespace honeylink::telemetry::consent {

/// False and `why` (one sentence that says what to do) where others may read the file, or it is not there.
[[nodiscard]] bool own_key_is_private(const std::string& key_file, std::string& why);

}  // namespace honeylink::telemetry::consent
