#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "bennu/net/http1_limits.hpp"
#include "bennu/net/http1_refusal.hpp"

namespace bennu::net {

/// Decodes `Transfer-Encoding: chunked`, strictly: 1 to 16 hex digits, CR LF only, no white space
/// around the size; extensions are checked, counted and dropped, trailers checked, counted and
/// kept. Consumes every byte that it understands, holds no buffer but for trailers.
class ChunkedDecoder {
  public:
    enum class Outcome : std::uint8_t { need_more, data, done, error };
    struct Step {
        Outcome outcome = Outcome::need_more;
        std::size_t consumed = 0;
        std::string_view data;  ///< a view into the input
        const Http1Refusal* refusal = nullptr;
    };

    /// `body_limit` counts the decoded bytes.
    Step next(std::string_view input, const Http1Limits& limits, std::uint64_t body_limit);
    /// The lines of the trailer section, each with its CR LF; none until `done`, null when there
    /// are none.
    std::unique_ptr<std::string> take_trailers() { return std::move(trailers_); }
    void keep_trailers(std::unique_ptr<std::string> lines) { trailers_ = std::move(lines); }

  private:
    enum class State : std::uint8_t {
        size,
        size_or_extension,
        extension,
        size_lf,
        data,
        data_cr,
        data_lf,
        trailer_start,
        trailer_name,
        trailer_value,
        trailer_lf,
        last_lf,
        done,
    };

    const Http1Refusal* feed(char c, const Http1Limits& limits, std::uint64_t body_limit);
    const Http1Refusal* feed_trailer(char c, const Http1Limits& limits);

    std::unique_ptr<std::string> trailers_;
    std::uint64_t size_ = 0;     // of the chunk that is being read: what is left of it
    std::uint64_t total_ = 0;    // decoded so far
    std::uint32_t counted_ = 0;  // extension bytes, later trailer bytes
    std::uint8_t digits_ = 0;
    State state_ = State::size;
};

}  // namespace bennu::net
