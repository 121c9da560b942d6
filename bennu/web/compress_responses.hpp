#pragma once

#include "bennu/web/plug.hpp"

namespace bennu {

struct CompressOptions {
    /// Shorter bodies stay as they are: headers and time cost more than they save.
    std::size_t at_least = 1024;
    /// Longer ones are compressed beside the shard.
    std::size_t offload_from = 32 * 1024;
};

/// Compresses bodies of text (zstd, brotli or gzip, as the client prefers) and says so: `vary`, and
/// an ETag that names the coding (`"7"` becomes `"7+br"`), since other bytes need another one. When
/// the client sends that back in If-Match or If-None-Match, actions see their own tag: what was
/// fetched compressed can be changed, and is answered 304. Left alone: what is encoded already,
/// partial, small, streamed, says `cache-control: no-transform`, or was marked by
/// `leave_uncompressed`.
class CompressResponses {
  public:
    explicit CompressResponses(CompressOptions options = {}) : options_(options) {}
    void before(const Conn& conn) const;
    static bool needs_body(const Conn&) { return false; }
    Task<> after(Conn conn, Response& response) const;

  private:
    CompressOptions options_;
};

/// For pages that show a secret beside text that somebody else chose: their length would tell.
/// Tokens of `csrf_token` are masked and need no care.
void leave_uncompressed(const Conn& conn);

}  // namespace bennu
