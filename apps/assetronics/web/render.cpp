#include "apps/assetronics/web/render.hpp"

#include <algorithm>

namespace assetronics::web {

using namespace bennu;

Shape::Shape(const RecordInfo& visible, QueryParams& params) : record_(visible) {
    auto found = std::ranges::find(params, "select", &QueryParams::value_type::first);
    if (found == params.end()) return;
    std::string_view rest = found->second;
    while (true) {
        const std::size_t comma = std::min(rest.find(','), rest.size());
        const std::string_view name = rest.substr(0, comma);
        const Field* field = visible.find(name);
        if (!field) {
            throw RequestError(Error::field("select", "unknown",
                                            "there is no field \"" + std::string(name) + "\""),
                               400);
        }
        fields_.push_back(*field);
        if (comma == rest.size()) break;
        rest.remove_prefix(comma + 1);
    }
    params.erase(found);
    record_.fields = fields_;
}

void append_meta(std::string& out, std::int64_t page, std::int64_t page_size, std::int64_t total) {
    out += ",\"meta\":{\"page\":";
    append_json_int(out, page);
    out += ",\"page_size\":";
    append_json_int(out, page_size);
    out += ",\"total\":";
    append_json_int(out, total);
    out += ",\"total_pages\":";
    append_json_int(out, (total + page_size - 1) / page_size);
    out += '}';
}

}  // namespace assetronics::web
