#pragma once

namespace bennu {

/// Looks up the build id that the linker wrote into this program, as hexadecimal text; empty when
/// it has none. The same text ever after.
const char* build_id();

}  // namespace bennu
