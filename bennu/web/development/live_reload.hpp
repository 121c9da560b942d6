#pragma once

#include <memory>
#include <optional>
#include <string>

#include "bennu/web/plug.hpp"

namespace bennu {

struct LiveReloadOptions {
    /// Where the development loop says how the build goes (`BuildStatus`); empty: the file that
    /// the environment variable BENNU_BUILD_STATUS names, which `./run dev` sets.
    std::string status_file = {};
    /// How often a page that is looked at has that file read.
    Duration look_every = std::chrono::milliseconds(200);
};

/// Pages that follow the code: in development, every page of HTML gets a script that loads the page
/// again once a newer program serves, and shows what the compiler said when the build failed. Put
/// it first, so that what it adds to the Content-Security-Policy is added last:
///
///     router->plug(LiveReload{});
///
/// Outside of development, and without a status file, it does nothing. It answers two paths,
/// `/bennu/live-reload` (server-sent events) and `/bennu/live-reload.js`.
class LiveReload {
  public:
    explicit LiveReload(LiveReloadOptions options = {}) : options_(std::move(options)) {}

    Result<> start(const EndpointOptions& options);
    std::optional<Response> before(const Conn& conn) const;
    static bool needs_body(const Conn&) { return false; }
    void after(const Conn& conn, Response& response) const;

  private:
    Response events(const Conn& conn) const;

    LiveReloadOptions options_;
    bool active_ = false;
    std::uint64_t version_ = 0;  ///< of the program that this is
};

}  // namespace bennu
