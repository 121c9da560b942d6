#include "bennu/net/multipart.hpp"

#include "bennu/base/utf8.hpp"
#include "fuzz/input.hpp"

namespace {

using namespace bennu;
using Kind = net::MultipartEvent::Kind;

struct Upload {
    void feed(std::string_view piece) {
        buffer += piece;
        while (!failed) {
            auto event = parser.next(buffer, head);
            fuzz::require_that(event.consumed <= buffer.size(), "consumed more than there was");
            data += event.data;
            buffer.erase(0, event.consumed);
            if (event.kind == Kind::data) continue;
            if (event.kind == Kind::need_more) return;
            trace += "data " + data + "\n";
            data.clear();
            if (event.kind == Kind::part) {
                auto file = head.filename.value_or("");
                fuzz::require_that(valid_utf8(head.name) && valid_utf8(file) &&
                                       file.find('/') == std::string::npos,
                                   "a name that should have been refused");
                trace += "part " + head.name + " " + file + " " + head.content_type + "\n";
            } else {
                trace += std::to_string(static_cast<int>(event.kind)) + " " +
                         std::string(event.code) + "\n";
                failed = event.kind == Kind::error;
            }
        }
    }

    net::MultipartParser parser{
        "b", {.parts = 8, .preamble = 64, .header_bytes = 128, .header_count = 4}};
    net::PartHead head;
    std::string buffer, data, trace;
    bool failed = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::CutInput input(data, size);
    Upload whole, cut;
    whole.feed(input.bytes);
    input.for_each_piece([&](std::string_view piece) { cut.feed(piece); });
    fuzz::require_equal(whole.trace + whole.data, cut.trace + cut.data, "pieces change the events");
    fuzz::require_that(whole.failed || whole.buffer.size() <= 128 + 4,
                       "holds back more than its limits");
    (void)net::multipart_boundary(input.bytes);
    return 0;
}
