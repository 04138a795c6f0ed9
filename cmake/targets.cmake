find_package(PkgConfig REQUIRED)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)

# Rooms, leaf first.
honeylink_room(base)
honeylink_room(ring hl_base)
honeylink_room(record hl_ring hl_base)
honeylink_room(config hl_base)
honeylink_room(scrub hl_base PkgConfig::SODIUM)
honeylink_room(store hl_base PkgConfig::SQLITE PkgConfig::ZSTD)
honeylink_room(engine hl_record hl_ring hl_scrub hl_store hl_config hl_base)
honeylink_room(query hl_base hl_scrub hl_store hl_ring PkgConfig::SQLITE PkgConfig::ZSTD)
