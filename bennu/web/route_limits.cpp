#include "bennu/web/route_limits.hpp"

namespace bennu {

bool HeadLimits::admit(const net::Headers& headers) const {
    constexpr std::uint64_t colon = 2, line_end = 2;
    if (fields > 0 && headers.size() > fields) return false;
    if (field_bytes == 0 && bytes == 0) return true;
    std::uint64_t all = 0;
    for (auto [name, value] : headers) {
        const std::uint64_t size = name.size() + colon + value.size();
        if (field_bytes > 0 && size > field_bytes) return false;
        all += size + line_end;
    }
    return bytes == 0 || all <= bytes;
}

HeadLimits HeadLimits::within(const HeadLimits& outer) const {
    return {.fields = fields > 0 ? fields : outer.fields,
            .field_bytes = field_bytes > 0 ? field_bytes : outer.field_bytes,
            .bytes = bytes > 0 ? bytes : outer.bytes};
}

}  // namespace bennu
