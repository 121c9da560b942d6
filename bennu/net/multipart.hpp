#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "bennu/base/result.hpp"
#include "bennu/net/http_message.hpp"

namespace bennu::net {

struct MultipartLimits {
    std::size_t parts = 128;              ///< over: `too_many_parts`
    std::size_t preamble = 4 * 1024;      ///< before the first boundary; over: `missing_boundary`
    std::size_t header_bytes = 4 * 1024;  ///< of one part; over: `part_headers_too_large`
    std::size_t header_count = 16;        ///< of one part; over: `part_headers_too_large`
};

/// The boundary named by `Content-Type: multipart/form-data; boundary=…`, 1 to 70 characters of RFC
/// 2046. `unsupported` for another media type, `invalid` for a missing or malformed boundary.
Result<std::string> multipart_boundary(std::string_view content_type);

/// What stands before the bytes of one part.
struct PartHead {
    std::string name;
    /// Present for files, also when empty (no file chosen). Without directories; still untrusted
    /// text.
    std::optional<std::string> filename;
    std::string content_type;  ///< empty when not given
    Headers headers;
};

struct MultipartEvent {
    enum class Kind : std::uint8_t {
        need_more,  ///< append bytes and call again; at the end of the body this is an error, since
                    ///< `done` never came
        part,       ///< the head was filled in
        data,       ///< `data` holds the next bytes of the part
        part_end,
        done,   ///< the closing boundary was read; what follows is swallowed
        error,  ///< the body is malformed or over a limit: `code` and `message` say how; final
    };

    Kind kind = Kind::need_more;
    std::size_t consumed = 0;
    std::string_view data;     ///< a view into the input
    std::string_view code;     ///< static
    std::string_view message;  ///< static
};

/// Reads multipart/form-data (RFC 7578) from bytes. Call `next` with all bytes received and not yet
/// consumed; discard `consumed`, act, call again until `need_more`. What it leaves unconsumed is at
/// most a part's head or a possible boundary. Text before the first boundary and behind the last is
/// ignored, white space behind a boundary is skipped. Strict: CR LF only, every part is `form-data`
/// with a name. `filename*` (RFC 5987, UTF-8) names a file that has no `filename`.
class MultipartParser {
  public:
    explicit MultipartParser(std::string_view boundary, MultipartLimits limits = {});

    /// `head` is written when the event is `part`, and its memory is reused.
    MultipartEvent next(std::string_view input, PartHead& head);

  private:
    enum class State : std::uint8_t {
        start,
        preamble,
        after_boundary,
        part_head,
        data,
        epilogue,
        failed
    };

    MultipartEvent step(std::string_view input, PartHead& head);
    MultipartEvent read_start(std::string_view input);
    MultipartEvent read_preamble(std::string_view input);
    std::size_t before_delimiter(std::string_view input) const;
    MultipartEvent read_after_boundary(std::string_view input);
    MultipartEvent read_head(std::string_view input, PartHead& head);
    MultipartEvent read_data(std::string_view input);
    MultipartEvent fail(std::string_view code, std::string_view message);

    std::string delimiter_;  // CR LF - - boundary
    MultipartLimits limits_;
    std::size_t parts_ = 0;
    std::size_t scanned_ = 0;
    std::size_t preamble_ = 0;  // bytes of it so far
    std::size_t padding_ = 0;   // bytes behind the boundary so far
    std::string_view code_;
    std::string_view message_;
    State state_ = State::start;
};

}  // namespace bennu::net
